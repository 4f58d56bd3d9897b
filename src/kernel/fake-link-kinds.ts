import { errno } from "./errno.ts";
import { FakeFault, type FakeLink, type FakeNamespace } from "./fake-namespace.ts";
import type { AddLink, LinkKind } from "./kernel.ts";

// What the drivers ask of a new link of their kind, and what it has where nobody says otherwise.

export const ETHERNET_MTU = 1500;
const SMALLEST_MTU = 68;
const LARGEST_MTU = 65_535;
/** Outer Ethernet, IP, UDP and VXLAN headers, over IPv4. */
const VXLAN_HEADROOM = 50;

/** With "passthru" the parent's own: eth_hw_addr_inherit(). */
export function macOf({ mac, link }: AddLink, lower: FakeLink | undefined): string | undefined {
  const isPassthru = link.type === "macvlan" && link.mode === "passthru";
  return isPassthru ? lower?.mac : mac?.toLowerCase();
}

export function requireMtu(mtu: number | undefined): void {
  if (mtu === undefined) return;
  if (mtu < SMALLEST_MTU) throw new FakeFault(errno.EINVAL, "mtu less than device minimum");
  if (mtu > LARGEST_MTU) throw new FakeFault(errno.EINVAL, "mtu greater than device maximum");
}

/** is_valid_ether_addr(): neither all zero nor multicast. */
export function requireUnicast(mac: string | undefined): void {
  if (mac === undefined) return;
  const isMulticast = (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1;
  if (isMulticast || mac === "00:00:00:00:00:00") throw new FakeFault(errno.EADDRNOTAVAIL);
}

/** A macvlan on a macvlan sits on the latter's parent. */
export function macvlanParent(parent: FakeLink): FakeLink {
  return parent.kind === "macvlan" ? (parent.lower ?? parent) : parent;
}

export function requireMacvlan(parent: FakeLink, mode: string): void {
  if (parent.kind === "loopback") throw new FakeFault(errno.EINVAL);
  if (parent.master !== undefined) throw new FakeFault(errno.EBUSY);
  for (const upper of parent.uppers) {
    if (upper.kind !== "macvlan") continue;
    if (mode === "passthru" || upper.detail === "passthru") throw new FakeFault(errno.EINVAL);
  }
}

export function requireVxlan(
  netns: FakeNamespace,
  kind: Extract<LinkKind, { type: "vxlan" }>,
): void {
  if (kind.vni < 0 || kind.vni >= 1 << 24) throw new FakeFault(errno.ERANGE);
  const detail = detailOf(kind);
  for (const other of netns.links.values()) {
    if (other.kind === "vxlan" && other.detail === detail) {
      throw new FakeFault(errno.EEXIST, "A VXLAN device with the specified VNI already exists");
    }
  }
}

export function detailOf(kind: LinkKind): string {
  if (kind.type === "vxlan") return `vni ${kind.vni} port ${kind.port ?? 4789}`;
  return kind.type === "macvlan" ? kind.mode : "";
}

export function defaultMtu(kind: LinkKind, lower: FakeLink | undefined): number {
  if (kind.type === "macvlan") return lower?.mtu ?? ETHERNET_MTU;
  if (kind.type === "vxlan" && lower !== undefined) return lower.mtu - VXLAN_HEADROOM;
  return ETHERNET_MTU;
}

export function parentName(kind: LinkKind): string | undefined {
  return kind.type === "macvlan" || kind.type === "vxlan" ? kind.parent : undefined;
}
