import { KernelConntrack } from "./conntrack-kernel.ts";
import type { Conntrack } from "./conntrack.ts";
import { NfWorkerClient } from "./nf-worker-client.ts";
import { KernelNfnetlink } from "./nfnetlink-kernel.ts";
import type { Nfnetlink } from "./nfnetlink.ts";

/** nf_tables and connection tracking of the namespace of this process, over one worker thread. */
export interface Netfilter {
  readonly nfnetlink: Nfnetlink;
  readonly conntrack: Conntrack;
  /** Waits for calls under way, then ends the worker; close() of either part does the same. */
  close(): Promise<void>;
  /** Ends the worker at once, as a crash would: calls under way fail. For tests. */
  terminate(): Promise<void>;
}

export interface NetfilterOptions {
  /**
   * Room for events of nf_tables that nobody has read yet; beyond it the kernel drops them and a
   * "resync" event comes. Default 4 MiB; memory is used only for what waits.
   */
  readonly monitorReceiveBufferBytes?: number;
}

/** Starts the nfnetlink worker. Throws KernelError. Linux only. */
export async function openNetfilter(options: NetfilterOptions = {}): Promise<Netfilter> {
  const client = await NfWorkerClient.start();
  return {
    nfnetlink: new KernelNfnetlink(client, options.monitorReceiveBufferBytes ?? 4 << 20),
    conntrack: new KernelConntrack(client),
    close: () => client.close(),
    terminate: () => client.terminate(),
  };
}
