import { addressBits, type IpAddress, prefixContains } from "../ip/address.ts";
import { errno } from "./errno.ts";
import { isLocalAddress } from "./fake-addresses.ts";
import {
  deleteRouteEntry,
  FakeFault,
  type FakeLink,
  type FakeNamespace,
  type FakeRoute,
  insertRoute,
  ipv6IsDisabled,
  routeKey,
} from "./fake-namespace.ts";
import type { AddRoute, DeleteRoute } from "./kernel.ts";
import {
  RT_SCOPE_HOST,
  RT_SCOPE_LINK,
  RT_SCOPE_UNIVERSE,
  RT_TABLE_LOCAL,
  RT_TABLE_MAIN,
  RTN_UNICAST,
  RTPROT_STATIC,
} from "./rtnetlink-constants.ts";

// What net/ipv4/fib_semantics.c and net/ipv6/route.c check of a new route, in their order.

/** IP6_RT_PRIO_USER */
const DEFAULT_METRIC_V6 = 1024;

export function addRoute(netns: FakeNamespace, operation: AddRoute): void {
  const { destination, gateway, source } = operation;
  const named = operation.link === undefined ? undefined : netns.link(operation.link);
  const link = nextHopLink(netns, operation, named);
  if (source !== undefined && !isLocalAddress(netns, source)) {
    const text = destination.family === 4 ? "Invalid prefsrc address" : "Invalid source address";
    throw new FakeFault(errno.EINVAL, text);
  }
  const route: FakeRoute = {
    destination,
    gateway,
    link,
    table: operation.table ?? RT_TABLE_MAIN,
    protocol: RTPROT_STATIC,
    scope: scopeOf(operation),
    type: RTN_UNICAST,
    metric: operation.metric || (destination.family === 6 ? DEFAULT_METRIC_V6 : 0),
    mtu: operation.mtu,
    advmss: operation.advmss,
    source,
    onlink: operation.onlink ?? false,
  };
  const key = routeKey(route);
  // An IPv4 route of the kernel stands in the way as well; IPv6's have a metric of their own.
  const [kernelKey] = netns.kernelRouteKeys.get(key) ?? [];
  const isTaken = netns.routes.has(key) || kernelKey !== undefined;
  if (isTaken && operation.ifExists !== "replace") {
    if (operation.ifExists === "keep") return;
    throw new FakeFault(errno.EEXIST);
  }
  const replaced = kernelKey === undefined ? undefined : netns.routes.get(kernelKey);
  if (kernelKey !== undefined && replaced) deleteRouteEntry(netns, kernelKey, replaced);
  insertRoute(netns, key, route);
}

export function deleteRoute(netns: FakeNamespace, operation: DeleteRoute): void {
  const { destination, gateway, table = RT_TABLE_MAIN, metric } = operation;
  const isMissingOk = operation.missingOk !== false;
  const link = operation.link === undefined ? undefined : netns.linksByName.get(operation.link);
  if (operation.link !== undefined && link === undefined) {
    if (isMissingOk) return;
    throw new FakeFault(errno.ENODEV, `No link ${operation.link}`);
  }
  for (const [key, route] of candidates(netns, operation, link)) {
    if (route.table !== table || (metric !== undefined && route.metric !== metric)) continue;
    if (route.destination.family !== destination.family) continue;
    if (route.destination.value !== destination.value) continue;
    if (route.destination.prefixLength !== destination.prefixLength) continue;
    if (link !== undefined && route.link !== link) continue;
    if (gateway !== undefined && !isEqual(route.gateway, gateway)) continue;
    deleteRouteEntry(netns, key, route);
    return;
  }
  if (isMissingOk) return;
  // The root of the IPv6 table is an entry on lo that cannot be deleted (fib6_null_entry).
  const isRoot = destination.family === 6 && destination.prefixLength === 0 && !gateway && !metric;
  const meetsRoot = isRoot && (link === undefined || link.kind === "loopback");
  throw new FakeFault(meetsRoot ? errno.ENOENT : errno.ESRCH);
}

/** The exact one where the metric tells; else those of the link, else all. */
function* candidates(
  netns: FakeNamespace,
  operation: DeleteRoute,
  link: FakeLink | undefined,
): Generator<[string, FakeRoute]> {
  const { destination, table = RT_TABLE_MAIN } = operation;
  const metric = operation.metric || (destination.family === 6 ? DEFAULT_METRIC_V6 : 0);
  const exactKey = routeKey({ destination, table, metric });
  const exact = netns.routes.get(exactKey);
  if (exact) yield [exactKey, exact];
  for (const key of link ? [...link.routeKeys] : [...netns.routes.keys()]) {
    const route = netns.routes.get(key);
    if (route && route !== exact) yield [key, route];
  }
}

function nextHopLink(
  netns: FakeNamespace,
  operation: AddRoute,
  named: FakeLink | undefined,
): FakeLink {
  const { destination, gateway, onlink } = operation;
  if (gateway === undefined) {
    if (named === undefined) throw new FakeFault(errno.ENODEV);
    requireUp(named, destination.family);
    return named;
  }
  if (onlink) {
    if (named === undefined)
      throw new FakeFault(errno.ENODEV, "Nexthop device required for onlink");
    if (!named.up) throw new FakeFault(errno.ENETDOWN, "Nexthop device is not up");
    if (gateway.family === 4 && isLocalAddress(netns, gateway)) {
      throw new FakeFault(errno.EINVAL, "Nexthop has invalid gateway");
    }
    if (destination.family === 6) {
      requireNoLoopback(named);
      requireUp(named, 6);
    }
    return named;
  }
  if (destination.family === 6) return nextHopLinkV6(netns, gateway, named);
  // IPv4 looks the gateway up in the main table only, and so takes an own address for one.
  const through = findOnLink(netns, gateway, named);
  if (through === undefined) throw new FakeFault(errno.ENETUNREACH, "Nexthop has invalid gateway");
  return through;
}

/** ip6_validate_gw(), then what fib6_nh_init() asks of the device. */
function nextHopLinkV6(
  netns: FakeNamespace,
  gateway: IpAddress,
  named: FakeLink | undefined,
): FakeLink {
  const link = isLinkLocal(gateway) ? named : findOnLink(netns, gateway, named);
  if (link === undefined)
    throw new FakeFault(isLinkLocal(gateway) ? errno.EINVAL : errno.EHOSTUNREACH);
  if (isLocalAddress(netns, gateway)) {
    throw new FakeFault(errno.EINVAL, "Gateway can not be a local address");
  }
  requireNoLoopback(link);
  requireUp(link, 6);
  return link;
}

function requireNoLoopback(link: FakeLink): void {
  if (link.kind !== "loopback") return;
  throw new FakeFault(errno.EINVAL, "Egress device can not be loopback device for this nexthop");
}

/** The link of a route without gateway that covers the address. */
function findOnLink(
  netns: FakeNamespace,
  gateway: IpAddress,
  named: FakeLink | undefined,
): FakeLink | undefined {
  let best: FakeRoute | undefined;
  const keys = named ? named.routeKeys : netns.routes.keys();
  for (const key of keys) {
    const route = netns.routes.get(key);
    if (route === undefined || route.gateway !== undefined) continue;
    if (route.table !== RT_TABLE_MAIN && route.table !== RT_TABLE_LOCAL) continue;
    if (!prefixContains(route.destination, gateway)) continue;
    const length = best?.destination.prefixLength ?? -1;
    if (route.destination.prefixLength > length) best = route;
  }
  return best?.link;
}

function requireUp(link: FakeLink, family: 4 | 6): void {
  if (family === 6 && ipv6IsDisabled(link)) throw disabledIpv6();
  if (link.up) return;
  const text = family === 4 ? "Device for nexthop is not up" : "Nexthop device is not up";
  throw new FakeFault(errno.ENETDOWN, text);
}

function disabledIpv6(): FakeFault {
  return new FakeFault(errno.EACCES, "IPv6 is disabled on nexthop device");
}

function scopeOf(operation: AddRoute): number {
  if (operation.destination.family === 6) return RT_SCOPE_UNIVERSE;
  switch (operation.scope ?? (operation.gateway ? "universe" : "link")) {
    case "universe":
      return RT_SCOPE_UNIVERSE;
    case "link":
      return RT_SCOPE_LINK;
    case "host":
      return RT_SCOPE_HOST;
  }
}

function isLinkLocal(address: IpAddress): boolean {
  return address.value >> BigInt(addressBits(6) - 10) === 0x3fan;
}

function isEqual(left: IpAddress | undefined, right: IpAddress): boolean {
  return left?.value === right.value && left.family === right.family;
}
