import { addressBits, type IpPrefix, networkOf } from "../ip/address.ts";
import { addressScopes } from "./address-messages.ts";
import { errno } from "./errno.ts";
import {
  type FakeAddress,
  FakeFault,
  type FakeLink,
  type FakeNamespace,
  insertKernelRoute,
  ipv6IsDisabled,
  isRunning,
  noUnknown,
  removeRoutes,
} from "./fake-namespace.ts";
import type { AddAddress, DeleteAddress, LinkAddress } from "./kernel.ts";
import {
  IFA_F_NODAD,
  IFA_F_NOPREFIXROUTE,
  IFA_F_PERMANENT,
  RT_SCOPE_HOST,
  RT_SCOPE_LINK,
  RT_SCOPE_UNIVERSE,
  RT_TABLE_LOCAL,
  RT_TABLE_MAIN,
  RTN_LOCAL,
  RTN_UNICAST,
  RTPROT_KERNEL,
} from "./rtnetlink-constants.ts";

// Addresses and the routes that come and go with them: net/ipv4/devinet.c, net/ipv6/addrconf.c.
// Broadcast and multicast routes are left out, and no address is ever tentative.

const IFA_F_SECONDARY = 0x01;
/** IP6_RT_PRIO_ADDRCONF */
const CONNECTED_METRIC_V6 = 256;

export function addAddress(netns: FakeNamespace, operation: AddAddress): void {
  const link = netns.link(operation.link);
  const { address } = operation;
  if (address.family === 6 && ipv6IsDisabled(link)) {
    throw new FakeFault(errno.EACCES, "IPv6 is disabled on this device");
  }
  const known = link.addresses.findIndex((other) => isSame(other.address, address));
  if (known >= 0) {
    if (operation.ifExists === "keep") return;
    if (operation.ifExists !== "replace") {
      throw new FakeFault(errno.EEXIST, "Address already assigned");
    }
    // IPv4 changes lifetime and metric only; IPv6 flags as well, and the prefix route with them.
    if (address.family === 4) return;
    const { address: old, scope } = removeAt(link, known);
    const noPrefixRoute = operation.noPrefixRoute ?? false;
    insertAddress(link, { address: old, scope, flags: flagsOf(link, operation), noPrefixRoute });
    return;
  }
  insertAddress(link, {
    address,
    scope: addressScopes[operation.scope ?? "global"],
    flags: flagsOf(link, operation),
    noPrefixRoute: operation.noPrefixRoute ?? false,
  });
}

export function deleteAddress(netns: FakeNamespace, operation: DeleteAddress): void {
  const link = netns.linksByName.get(operation.link);
  if (link === undefined) {
    if (operation.missingOk !== false) return;
    throw new FakeFault(errno.ENODEV, `No link ${operation.link}`);
  }
  const index = link.addresses.findIndex(
    (other) =>
      isSame(other.address, operation.address) &&
      other.address.prefixLength === operation.address.prefixLength,
  );
  if (index < 0) {
    if (operation.missingOk !== false) return;
    throw new FakeFault(errno.EADDRNOTAVAIL, "Address not found");
  }
  const removed = removeAt(link, index);
  // An IPv4 primary takes its secondaries along (promote_secondaries is 0).
  if (removed.address.family === 6 || (removed.flags & IFA_F_SECONDARY) !== 0) return;
  for (let other = link.addresses.length - 1; other >= 0; other--) {
    const { address, flags } = link.addresses[other] as FakeAddress;
    if ((flags & IFA_F_SECONDARY) !== 0 && isSameSubnet(address, removed.address)) {
      removeAt(link, other);
    }
  }
}

/** What the kernel does to addresses and their routes when a link comes up. */
export function bringUpAddresses(link: FakeLink): void {
  if (link.kind === "loopback") {
    addOwn(link, { family: 4, value: 0x7f00_0001n, prefixLength: 8 }, RT_SCOPE_HOST);
    if (!ipv6IsDisabled(link)) {
      addOwn(link, { family: 6, value: 1n, prefixLength: 128 }, RT_SCOPE_HOST);
    }
  }
  for (const entry of link.addresses) addAddressRoutes(link, entry);
  addLinkLocal(link);
  // A veth's other end has a carrier now.
  if (link.kind === "veth" && link.lower?.up) addLinkLocal(link.lower);
}

/** IPv6 addresses go with IFF_UP, IPv4 ones stay without their connected routes. */
export function takeDownAddresses(link: FakeLink): void {
  removeIpv6Addresses(link);
  removeRoutes(
    link.netns,
    link.routeKeys,
    (route) => route.destination.family === 6 || route.table !== RT_TABLE_LOCAL,
  );
}

export function removeIpv6Addresses(link: FakeLink): void {
  for (let index = link.addresses.length - 1; index >= 0; index--) {
    if (link.addresses[index]?.address.family === 6) removeAt(link, index);
  }
  removeRoutes(link.netns, link.routeKeys, (route) => route.destination.family === 6);
}

export function addressOf(link: FakeLink, entry: FakeAddress): LinkAddress {
  return {
    ifindex: link.ifindex,
    address: entry.address,
    scope: entry.scope,
    flags: entry.flags,
    unknown: noUnknown,
  };
}

/** True when the address is one of the namespace's own. */
export function isLocalAddress(
  netns: FakeNamespace,
  address: { readonly family: number; readonly value: bigint },
): boolean {
  for (const link of netns.links.values()) {
    for (const { address: own } of link.addresses) {
      if (own.value === address.value && own.family === address.family) return true;
    }
  }
  return false;
}

function insertAddress(link: FakeLink, entry: FakeAddress): void {
  link.addresses.push(entry);
  link.netns.world.emit(link.netns, () => ({
    kind: "address",
    change: "new",
    address: addressOf(link, entry),
  }));
  addAddressRoutes(link, entry);
}

function removeAt(link: FakeLink, index: number): FakeAddress {
  const [entry] = link.addresses.splice(index, 1) as [FakeAddress];
  const { netns } = link;
  netns.world.emit(netns, () => ({
    kind: "address",
    change: "deleted",
    address: addressOf(link, entry),
  }));
  const { address } = entry;
  const subnet = networkOf(address);
  removeRoutes(netns, link.routeKeys, (route) => {
    if (route.destination.family !== address.family) return false;
    if (route.table === RT_TABLE_LOCAL) {
      return isSame(route.destination, address) || route.source?.value === address.value;
    }
    if (route.source?.value === address.value && address.family === 4) return true;
    return (
      route.protocol === RTPROT_KERNEL &&
      route.destination.prefixLength === subnet.prefixLength &&
      route.destination.value === subnet.value &&
      !link.addresses.some((other) => isSameSubnet(other.address, address))
    );
  });
  return entry;
}

/** A local route for the address, a connected one for its subnet; both families in their own way. */
function addAddressRoutes(link: FakeLink, entry: FakeAddress): void {
  const { address, noPrefixRoute } = entry;
  const bits = addressBits(address.family);
  const source = { family: address.family, value: address.value };
  const common = {
    link,
    protocol: RTPROT_KERNEL,
    gateway: undefined,
    mtu: undefined,
    advmss: undefined,
    onlink: false,
  };
  insertKernelRoute(link.netns, {
    ...common,
    destination: { ...source, prefixLength: bits },
    table: RT_TABLE_LOCAL,
    scope: address.family === 4 ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE,
    type: RTN_LOCAL,
    metric: 0,
    source: address.family === 4 ? source : undefined,
  });
  if (!link.up || noPrefixRoute) return;
  // The kernel's own ::1 has none (init_loopback()).
  if (address.family === 6 && address.value === 1n) return;
  // fib_add_ifaddr(): the primary address of a subnet has the connected route for all.
  if (address.family === 4 && (entry.flags & IFA_F_SECONDARY) !== 0) return;
  if (address.family === 4 && address.prefixLength === 32) return;
  const isLoopbackSubnet = link.kind === "loopback" && address.family === 4;
  insertKernelRoute(link.netns, {
    ...common,
    destination: networkOf(address),
    table: isLoopbackSubnet ? RT_TABLE_LOCAL : RT_TABLE_MAIN,
    scope: isLoopbackSubnet
      ? RT_SCOPE_HOST
      : address.family === 4
        ? RT_SCOPE_LINK
        : RT_SCOPE_UNIVERSE,
    type: isLoopbackSubnet ? RTN_LOCAL : RTN_UNICAST,
    metric: address.family === 4 ? 0 : CONNECTED_METRIC_V6,
    source: address.family === 4 ? source : undefined,
  });
}

function addOwn(link: FakeLink, address: IpPrefix, scope: number): void {
  if (link.addresses.some((other) => isSame(other.address, address))) return;
  insertAddress(link, { address, scope, flags: IFA_F_PERMANENT, noPrefixRoute: false });
}

/** The address that IPv6 makes from the MAC (RFC 4291, appendix A) once there is a carrier. */
function addLinkLocal(link: FakeLink): void {
  if (link.kind === "loopback" || link.addrGenMode !== 0 || link.master) return;
  if (ipv6IsDisabled(link) || !isRunning(link)) return;
  const hex = link.mac.replaceAll(":", "");
  const eui = (BigInt(`0x${hex.slice(0, 6)}fffe${hex.slice(6)}`) ^ (2n << 56n)) | (0xfe80n << 112n);
  addOwn(link, { family: 6, value: eui, prefixLength: 64 }, RT_SCOPE_LINK);
}

function flagsOf(link: FakeLink, operation: AddAddress): number {
  const { address } = operation;
  let flags = IFA_F_PERMANENT;
  if (operation.noPrefixRoute) flags |= IFA_F_NOPREFIXROUTE;
  if (address.family === 6) return operation.noDad === false ? flags : flags | IFA_F_NODAD;
  const hasPrimary = link.addresses.some((other) => isSameSubnet(other.address, address));
  return hasPrimary ? flags | IFA_F_SECONDARY : flags;
}

/** IPv4 tells the same address with another prefix length apart, IPv6 does not. */
function isSame(left: IpPrefix, right: IpPrefix): boolean {
  if (left.value !== right.value || left.family !== right.family) return false;
  return left.family === 6 || left.prefixLength === right.prefixLength;
}

function isSameSubnet(left: IpPrefix, right: IpPrefix): boolean {
  return (
    left.family === right.family &&
    left.prefixLength === right.prefixLength &&
    networkOf(left).value === networkOf(right).value
  );
}
