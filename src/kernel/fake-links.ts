import { errno } from "./errno.ts";
import { bringUpAddresses, takeDownAddresses } from "./fake-addresses.ts";
import {
  defaultMtu,
  detailOf,
  ETHERNET_MTU,
  macOf,
  macvlanParent,
  parentName,
  requireMacvlan,
  requireMtu,
  requireUnicast,
  requireVxlan,
} from "./fake-link-kinds.ts";
import {
  FakeFault,
  type FakeLink,
  type FakeNamespace,
  insertLink,
  isRunning,
  newLink,
  noUnknown,
  removeRoutes,
} from "./fake-namespace.ts";
import { removeNeighbours } from "./fake-neighbours.ts";
import { dropTraffic } from "./fake-traffic.ts";
import type { AddLink, Link, SetLink } from "./kernel.ts";

// net/core/rtnetlink.c, net/core/dev.c and the drivers, as far as Patchbay can see them.

export function addLink(netns: FakeNamespace, operation: AddLink): FakeLink {
  const { name, link: kind } = operation;
  const { world } = netns;
  const master = operation.master === undefined ? undefined : netns.link(operation.master);
  const parent = parentName(kind) === undefined ? undefined : netns.link(parentName(kind) ?? "");
  const target = kind.type === "macvlan" && kind.netns ? world.namespace(kind.netns) : netns;
  const peerNetns =
    kind.type === "veth" ? (kind.peer.netns ? world.namespace(kind.peer.netns) : netns) : undefined;
  const known = target.linksByName.get(name);
  if (known !== undefined) {
    if (operation.ifExists === "keep") return known;
    throw new FakeFault(errno.EEXIST);
  }
  requireMtu(operation.mtu);
  requireUnicast(operation.mac);
  if (master !== undefined) requireMaster(master);
  let lower = parent;
  if (kind.type === "macvlan" && parent !== undefined) {
    lower = macvlanParent(parent);
    requireMacvlan(lower, kind.mode);
    if (kind.sourceMacs && kind.mode !== "source") throw new FakeFault(errno.EINVAL);
    if ((operation.mtu ?? 0) > lower.mtu) throw new FakeFault(errno.EINVAL);
  }
  if (kind.type === "vxlan") requireVxlan(netns, kind);
  if (kind.type === "veth" && peerNetns !== undefined) {
    const { peer } = kind;
    requireMtu(peer.mtu);
    requireUnicast(peer.mac);
    if (peerNetns.linksByName.has(peer.name) || (peerNetns === netns && peer.name === name)) {
      if (operation.ifExists === "keep") return netns.link(name);
      throw new FakeFault(errno.EEXIST);
    }
    lower = newLink(peerNetns, {
      name: peer.name,
      kind: "veth",
      mac: peer.mac?.toLowerCase() ?? world.nextMac(),
      mtu: peer.mtu ?? ETHERNET_MTU,
    });
    insertLink(lower);
  }
  if (kind.type === "bridge" && kind.vlanFiltering && !world.hasVlanFiltering) {
    throw new FakeFault(errno.EOPNOTSUPP);
  }
  const link = newLink(target, {
    name,
    kind: kind.type,
    mac: macOf(operation, lower) ?? world.nextMac(),
    mtu: operation.mtu ?? defaultMtu(kind, lower),
    detail: detailOf(kind),
    made: kind,
    ...(lower === undefined ? {} : { lower }),
  });
  if (kind.type === "bridge") link.vlanFiltering = kind.vlanFiltering ?? false;
  insertLink(link);
  if (kind.type === "veth" && lower !== undefined) {
    lower.lower = link;
    emitLink(lower, "new");
  } else lower?.uppers.add(link);
  emitLink(link, "new");
  if (master !== undefined) enslave(link, master);
  return link;
}

export function setLink(netns: FakeNamespace, operation: SetLink): void {
  const link = netns.link(operation.name);
  const { mtu, mac, alias, master, rename, addrGenMode } = operation;
  const target = targetOf(netns, operation);
  const newMaster = typeof master === "string" ? netns.link(master) : undefined;
  if (addrGenMode !== undefined) link.addrGenMode = addrGenMode;
  if (operation.vlanFiltering !== undefined) setVlanFiltering(link, operation.vlanFiltering);
  if (target !== undefined) moveLink(link, target, rename ?? link.name);
  // drivers/net/ifb.c has no ndo_set_mac_address.
  if (mac !== undefined && link.kind === "ifb") throw new FakeFault(errno.EOPNOTSUPP);
  requireUnicast(mac);
  if (mac !== undefined) {
    link.mac = mac.toLowerCase();
    // NETDEV_CHANGEADDR: neigh_changeaddr() drops permanent entries as well.
    removeNeighbours(link, "not-forwarding");
  }
  requireMtu(mtu);
  if (mtu !== undefined) link.mtu = mtu;
  if (rename !== undefined && rename !== link.name) renameLink(link, rename);
  if (alias !== undefined) link.alias = alias;
  link.txQueueLength = operation.txQueueLength ?? link.txQueueLength;
  link.promisc = operation.promisc ?? link.promisc;
  link.allMulticast = operation.allMulticast ?? link.allMulticast;
  if (operation.up !== undefined && operation.up !== link.up) {
    if (operation.up) bringUp(link);
    else takeDown(link);
  }
  if (newMaster !== undefined && newMaster !== link.master) enslave(link, newMaster);
  if (master === null) release(link);
  const { hairpin, isolated, neighSuppress } = operation;
  if (hairpin !== undefined || isolated !== undefined || neighSuppress !== undefined) {
    if (link.master?.kind !== "bridge") throw new FakeFault(errno.EOPNOTSUPP);
    link.hairpin = hairpin ?? link.hairpin;
    link.isolated = isolated ?? link.isolated;
    link.neighSuppress = neighSuppress ?? link.neighSuppress;
  }
  if (operation.accessVlan !== undefined) {
    if (link.master?.kind !== "bridge" || !netns.world.hasVlanFiltering) {
      throw new FakeFault(errno.EOPNOTSUPP);
    }
    link.accessVlan = operation.accessVlan;
  }
  emitLink(link, "new");
}

/** Removes a link and what cannot be without it. Throws EOPNOTSUPP for lo. */
export function removeLink(link: FakeLink): void {
  // Hardware has no rtnl_link_ops, as lo.
  if (link.kind === "loopback" || link.kind === "hardware") throw new FakeFault(errno.EOPNOTSUPP);
  dropLink(link);
}

/** All links of a namespace that goes away, lo as well; hardware goes home (default_device_exit_net()). */
export function dropNamespace(netns: FakeNamespace): void {
  const home = netns.world.node;
  for (const link of [...netns.links.values()]) {
    if (link.kind !== "hardware") continue;
    const isTaken = home.linksByName.has(link.name);
    if (isTaken) renameLink(link, `dev${link.ifindex}`);
    moveLink(link, home, link.name);
  }
  for (const link of [...netns.links.values()]) if (netns.links.has(link.ifindex)) dropLink(link);
}

function dropLink(link: FakeLink): void {
  const { netns } = link;
  if (netns.links.get(link.ifindex) !== link) return;
  if (link.up) takeDown(link);
  release(link);
  for (const port of [...link.ports]) release(port);
  for (const upper of [...link.uppers]) dropLink(upper);
  link.addresses.length = 0;
  removeRoutes(netns, link.routeKeys, () => true);
  removeNeighbours(link, "all");
  netns.links.delete(link.ifindex);
  if (netns.linksByName.get(link.name) === link) netns.linksByName.delete(link.name);
  emitLink(link, "deleted");
  if (link.kind === "veth" && link.lower !== undefined) dropLink(link.lower);
  else link.lower?.uppers.delete(link);
}

export function linkOf(link: FakeLink): Link {
  const { lower, netns } = link;
  const tellsLower = link.kind === "veth" || link.kind === "macvlan";
  return {
    ifindex: link.ifindex,
    name: link.name,
    type: link.kind === "loopback" || link.kind === "hardware" ? "" : link.kind,
    mac: link.mac,
    mtu: link.mtu,
    up: link.up,
    running: isRunning(link),
    txQueueLength: link.txQueueLength,
    promisc: link.promisc,
    allMulticast: link.allMulticast,
    ...(link.master === undefined ? {} : { masterIfindex: link.master.ifindex }),
    ...(lower === undefined || !tellsLower ? {} : { linkIfindex: lower.ifindex }),
    ...(lower === undefined || !tellsLower || lower.netns === netns
      ? {}
      : { linkNetnsId: netns.netnsId(lower.netns) }),
    alias: link.alias,
    group: 0,
    ...madeOf(link),
    unknown: noUnknown,
  };
}

function madeOf({ made, lower }: FakeLink): Pick<Link, "macvlanMode" | "vxlan"> {
  if (made?.type === "macvlan") return { macvlanMode: made.mode };
  if (made?.type !== "vxlan") return {};
  const { vni, port = 4789, local } = made;
  return {
    vxlan: {
      vni,
      port,
      ...(local === undefined ? {} : { local: { family: local.family, value: local.value } }),
      ...(lower === undefined ? {} : { parentIfindex: lower.ifindex }),
    },
  };
}

function targetOf(netns: FakeNamespace, operation: SetLink): FakeNamespace | undefined {
  if (operation.netns === undefined) return undefined;
  return operation.netns === null ? netns.world.node : netns.world.namespace(operation.netns);
}

function bringUp(link: FakeLink): void {
  link.up = true;
  bringUpAddresses(link);
}

function takeDown(link: FakeLink): void {
  takeDownAddresses(link);
  removeNeighbours(link, "not-forwarding");
  link.up = false;
}

/** Makes a link that no operation makes: a network card. */
export function plugIn(netns: FakeNamespace, card: Pick<FakeLink, "name" | "mac" | "mtu">): void {
  const link = newLink(netns, { ...card, kind: "hardware" });
  insertLink(link);
  emitLink(link, "new");
}

function moveLink(link: FakeLink, target: FakeNamespace, name: string): void {
  const { netns } = link;
  if (target === netns) return;
  // Bridges and lo stay where they were made (netns_immutable).
  if (link.kind === "loopback" || link.kind === "bridge") throw new FakeFault(errno.EINVAL);
  // The old name goes along where it is free; the new one is given there.
  if (target.linksByName.has(link.name) && target.linksByName.has(name)) {
    throw new FakeFault(errno.EEXIST);
  }
  if (link.up) takeDown(link);
  release(link);
  link.addresses.length = 0;
  removeRoutes(netns, link.routeKeys, () => true);
  removeNeighbours(link, "all");
  link.sysctls.clear();
  // IPv6 starts anew there (addrconf_ifdown() of a link that leaves).
  link.addrGenMode = 0;
  dropTraffic(link);
  netns.links.delete(link.ifindex);
  netns.linksByName.delete(link.name);
  emitLink(link, "deleted");
  // The number goes along where it is free.
  if (target.links.has(link.ifindex)) link.ifindex = target.takeIfindex();
  if (!target.linksByName.has(name)) link.name = name;
  link.netns = target;
  insertLink(link);
}

function renameLink(link: FakeLink, name: string): void {
  const { netns } = link;
  if (netns.linksByName.has(name)) throw new FakeFault(errno.EEXIST);
  netns.linksByName.delete(link.name);
  link.name = name;
  netns.linksByName.set(name, link);
}

function enslave(link: FakeLink, master: FakeLink): void {
  requireMaster(master);
  if (link.kind === "loopback") throw new FakeFault(errno.EINVAL);
  if (link.kind === "bridge") {
    throw new FakeFault(errno.ELOOP, "Can not enslave a bridge to a bridge");
  }
  for (const upper of link.uppers) if (upper.kind === "macvlan") throw new FakeFault(errno.EBUSY);
  release(link);
  link.master = master;
  master.ports.add(link);
  emitLink(link, "new");
}

function release(link: FakeLink): void {
  if (link.master === undefined) return;
  link.master.ports.delete(link);
  link.master = undefined;
  link.hairpin = false;
  link.isolated = false;
  link.neighSuppress = false;
  link.accessVlan = undefined;
}

function setVlanFiltering(link: FakeLink, isOn: boolean): void {
  if (link.kind !== "bridge" || (isOn && !link.netns.world.hasVlanFiltering)) {
    throw new FakeFault(errno.EOPNOTSUPP);
  }
  link.vlanFiltering = isOn;
}

function requireMaster(master: FakeLink): void {
  if (master.kind !== "bridge") throw new FakeFault(errno.EOPNOTSUPP);
}

function emitLink(link: FakeLink, change: "new" | "deleted"): void {
  link.netns.world.emit(link.netns, () => ({ kind: "link", change, link: linkOf(link) }));
}
