import { errno } from "./errno.ts";
import {
  FakeFault,
  type FakeLink,
  type FakeNamespace,
  type FakeNeighbour,
  ipv6IsDisabled,
  noUnknown,
} from "./fake-namespace.ts";
import type { AddNeighbour, DeleteNeighbour, Neighbour } from "./kernel.ts";
import { NUD_NOARP, NUD_PERMANENT } from "./rtnetlink-constants.ts";

// net/core/neighbour.c; forwarding entries: drivers/net/vxlan/vxlan_core.c.

export function addNeighbour(netns: FakeNamespace, operation: AddNeighbour): void {
  const link = netns.link(operation.link);
  requireTable(link, operation);
  const key = neighbourKey(link, operation);
  const isFlood = operation.forwarding && operation.mac === FLOOD_MAC;
  if (netns.neighbours.has(key) && operation.ifExists !== "replace") {
    if (operation.ifExists === "keep" || isFlood) return;
    throw new FakeFault(errno.EEXIST);
  }
  const { family, value } = operation.address;
  netns.neighbours.set(key, {
    link,
    address: { family, value },
    mac: operation.proxy ? "" : (operation.mac ?? "").toLowerCase(),
    state: operation.forwarding ? NUD_PERMANENT | NUD_NOARP : operation.proxy ? 0 : NUD_PERMANENT,
    proxy: operation.proxy ?? false,
    forwarding: operation.forwarding ?? false,
  });
  link.neighbourKeys.add(key);
}

export function deleteNeighbour(netns: FakeNamespace, operation: DeleteNeighbour): void {
  const link = netns.linksByName.get(operation.link);
  if (link === undefined) {
    if (operation.missingOk !== false) return;
    throw new FakeFault(errno.ENODEV, `No link ${operation.link}`);
  }
  const key = neighbourKey(link, operation);
  if (netns.neighbours.delete(key)) link.neighbourKeys.delete(key);
  else if (operation.missingOk === false) throw new FakeFault(errno.ENOENT);
}

/** Forwarding entries outlive a link that goes down; IPv6's go when it is disabled. */
export function removeNeighbours(link: FakeLink, which: "all" | "not-forwarding" | "ipv6"): void {
  const { netns } = link;
  for (const key of link.neighbourKeys) {
    const entry = netns.neighbours.get(key);
    if (which !== "all" && entry?.forwarding) continue;
    if (which === "ipv6" && entry?.address.family === 4) continue;
    netns.neighbours.delete(key);
    link.neighbourKeys.delete(key);
  }
}

export function neighbourOf(entry: FakeNeighbour): Neighbour {
  const { link, address, mac, state, proxy, forwarding } = entry;
  return { ifindex: link.ifindex, address, mac, state, proxy, forwarding, unknown: noUnknown };
}

function requireTable(link: FakeLink, operation: AddNeighbour): void {
  if (operation.forwarding) {
    // A bridge's own entries (no remote end) are set through a port.
    const isBridgeEntry = operation.address.value === 0n;
    if (isBridgeEntry ? link.master === undefined : link.kind !== "vxlan") {
      throw new FakeFault(errno.EOPNOTSUPP);
    }
    return;
  }
  if (operation.address.family === 6 && ipv6IsDisabled(link)) {
    throw new FakeFault(errno.EINVAL, "IPv6 is disabled on this device");
  }
}

function neighbourKey(link: FakeLink, operation: AddNeighbour | DeleteNeighbour): string {
  const { address, forwarding, proxy, mac } = operation;
  const kind = forwarding ? `fdb/${mac?.toLowerCase()}` : proxy ? "proxy" : "";
  // One remote for each MAC, but many for flooding.
  const isFlood = forwarding && mac === FLOOD_MAC;
  const value = forwarding && !isFlood ? "" : address.value.toString(16);
  return `${link.ifindex}/${address.family}/${value}/${kind}`;
}

const FLOOD_MAC = "00:00:00:00:00:00";
