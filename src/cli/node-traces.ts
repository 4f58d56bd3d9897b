import { readFileSync } from "node:fs";
import { TABLE } from "../../plugins/nftables/skeleton.ts";
import type { Kernel, Link } from "../kernel/kernel.ts";
import { type Nftables, openNftables } from "../kernel/nftables.ts";
import { openKernel } from "../kernel/rtnetlink-kernel.ts";
import { lockNode } from "../plugin-host/node-lock.ts";
import {
  findLinkOwner,
  findSegmentNetwork,
  GATEWAY_LINK,
  macOfName,
} from "../plugin-sdk/link-names.ts";
import { masqueradeTableName } from "../plugin-sdk/masquerade.ts";

/** What a node's own namespace is reached by. */
export interface NodeWorld {
  readonly openKernel: () => Promise<Kernel>;
  readonly nftables: Nftables;
  /** Keeps hosts from starting, until it is closed. Throws when one runs. */
  readonly lockNode: () => Promise<{ close(): Promise<void> }>;
}

/** The namespace that this process is in. */
export function openThisNode(): NodeWorld {
  return {
    openKernel,
    nftables: openNftables(),
    lockNode: () => lockNode({ pid: process.pid, root: "uninstall" }),
  };
}

interface PluginKeys {
  readonly type?: string;
  readonly plugin?: string;
  readonly bridge?: string;
}

/**
 * Removes what a network keeps on the node when its last pod is gone: the masquerade table, the
 * link with the gateway addresses, the bridge when it is ours and empty; and all segments of overlays.
 * Returns what was removed.
 * What cannot be removed (no privileges, no nft) stays: the conflist goes all the same.
 */
export async function removeNodeTraces(conflistFile: string, world: NodeWorld): Promise<string[]> {
  const conflist = readConflist(conflistFile);
  if (!conflist) return [];
  const removed: string[] = [];
  await attempt(async () => {
    const kernel = await world.openKernel();
    try {
      const links = await kernel.links();
      // Pods of another root's host on this node stand on the same traces.
      if (links.some(({ alias }) => findLinkOwner(alias) !== undefined)) return;
      await attempt(() => removeTable(world.nftables, conflist.name, removed));
      const own = [...findOwnLinks(links, conflist.plugins), ...findSegmentLinks(links)];
      await kernel.removeLinks(own);
      removed.push(...own.map((name) => `link ${name}`));
    } finally {
      await kernel.close();
    }
  });
  return removed;
}

/**
 * Removes the tables of Services, unless a host of any root runs on this node: it would make them again.
 * Returns what was removed.
 */
export async function removeServiceTables(world: NodeWorld): Promise<string[]> {
  const removed: string[] = [];
  await attempt(async () => {
    const lock = await world.lockNode();
    try {
      for (const table of [`ip ${TABLE}`, `ip6 ${TABLE}`]) {
        // Not listed before: it may have a hundred thousand elements.
        await attempt(async () => {
          await world.nftables.load(`delete table ${table}\n`);
          removed.push(`nftables table ${table}`);
        });
      }
    } finally {
      await lock.close();
    }
  });
  return removed;
}

async function removeTable(nftables: Nftables, network: string, removed: string[]): Promise<void> {
  const table = `inet ${masqueradeTableName(network)}`;
  if ((await nftables.list(table)) === undefined) return;
  await nftables.load(`delete table ${table}\n`);
  removed.push(`nftables table ${table}`);
}

function findOwnLinks(links: readonly Link[], plugins: readonly PluginKeys[]): string[] {
  const bridges = new Set(
    plugins.filter(({ plugin }) => plugin === "bridge").map(({ bridge }) => bridge ?? "cni0"),
  );
  return links
    .filter(
      ({ name, mac, ifindex }) =>
        name === GATEWAY_LINK ||
        (bridges.has(name) &&
          mac === macOfName(name) &&
          !links.some(({ masterIfindex }) => masterIfindex === ifindex)),
    )
    .map(({ name }) => name);
}

/** Segments of any network, which the conflist does not name, and their bridges when nothing else is on those. */
function findSegmentLinks(links: readonly Link[]): string[] {
  const segments = links.filter(({ alias }) => findSegmentNetwork(alias) !== undefined);
  const isSegment = new Set(segments.map(({ ifindex }) => ifindex));
  const bridges = links.filter(({ ifindex, type }) => {
    const ports = links.filter(({ masterIfindex }) => masterIfindex === ifindex);
    return (
      type === "bridge" && ports.length > 0 && ports.every((port) => isSegment.has(port.ifindex))
    );
  });
  return [...segments, ...bridges].map(({ name }) => name);
}

function readConflist(file: string): { name: string; plugins: PluginKeys[] } | undefined {
  try {
    const json = JSON.parse(readFileSync(file, "utf8")) as {
      name?: string;
      plugins?: PluginKeys[];
    };
    return json.name ? { name: json.name, plugins: json.plugins ?? [] } : undefined;
  } catch {
    return undefined;
  }
}

async function attempt(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch {
    // See above.
  }
}
