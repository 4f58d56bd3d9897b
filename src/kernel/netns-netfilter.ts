import { KernelConntrack } from "./conntrack-kernel.ts";
import type { Conntrack } from "./conntrack.ts";
import type { NetnsPlace } from "./nf-protocol.ts";
import type { TablesBatch } from "./nf-rule-messages.ts";
import { NfWorkerClient } from "./nf-worker-client.ts";
import type { TablePlace } from "./nfnetlink.ts";

export type { NetnsPlace } from "./nf-protocol.ts";

/**
 * Rules and connection tracking inside other network namespaces, those of pods. Nothing stays open there: a namespace
 * may go whenever it likes. Every failure is a KernelError, of ENOENT where the namespace is not there any more.
 */
export interface NetnsNetfilter {
  /** Makes tables hold exactly this (encodeTables), in one transaction. Answers what ruleDigest() says of them then. */
  replaceTables(netns: NetnsPlace, batch: TablesBatch): Promise<string>;
  /** Hashes of these tables' flags, chains and rules; another text when any of it was changed, "" when all are gone. */
  ruleDigest(netns: NetnsPlace, tables: readonly TablePlace[]): Promise<string>;
  conntrack(netns: NetnsPlace): Pick<Conntrack, "flows" | "remove">;
  /** Waits for calls under way, then ends the worker. */
  close(): Promise<void>;
}

/**
 * Starts a worker of its own: hundreds of pods that follow a Service must not keep the node's rules waiting. Throws
 * KernelError. Linux only.
 */
export async function openNetnsNetfilter(): Promise<NetnsNetfilter> {
  const client = await NfWorkerClient.start();
  return {
    replaceTables(netns, batch) {
      const where = { operation: "replace-tables", object: `of ${netns.path}` };
      return client.call({ method: "replace-tables-inside", netns, batch }, { where });
    },
    ruleDigest(netns, tables) {
      const where = { operation: "hash-rules", object: `of ${netns.path}` };
      return client.call({ method: "rule-digest-inside", netns, tables }, { where });
    },
    conntrack: (netns) => new KernelConntrack(client, netns),
    close: () => client.close(),
  };
}
