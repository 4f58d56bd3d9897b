import type { IpAddress, IpPrefix } from "../ip/address.ts";
import type { KernelEvent, LinkKind, NetnsIdentity, Route } from "./kernel.ts";
import { errno } from "./errno.ts";
import { RTPROT_KERNEL } from "./rtnetlink-constants.ts";
import type { TokenBucket } from "./traffic-control.ts";

/** One link of the fake; changed in place by the fake-*.ts functions only. */
export interface FakeLink {
  ifindex: number;
  name: string;
  readonly kind: LinkKind["type"] | "loopback" | "hardware";
  netns: FakeNamespace;
  mac: string;
  mtu: number;
  up: boolean;
  alias: string;
  master: FakeLink | undefined;
  addrGenMode: number;
  hairpin: boolean;
  isolated: boolean;
  vlanFiltering: boolean;
  accessVlan: number | undefined;
  txQueueLength: number;
  promisc: boolean;
  allMulticast: boolean;
  /** At the root; absent: the link's default. */
  tokenBucket: TokenBucket | undefined;
  hasIngress: boolean;
  /** Stays when the link that it names goes. */
  redirect: FakeLink | undefined;
  /** The other end of a veth, or the parent of a macvlan or vxlan. */
  lower: FakeLink | undefined;
  /** Links that go when this one does: macvlan and vxlan on it. */
  readonly uppers: Set<FakeLink>;
  readonly ports: Set<FakeLink>;
  readonly addresses: FakeAddress[];
  readonly routeKeys: Set<string>;
  readonly neighbourKeys: Set<string>;
  /** By family, folder and name: "ipv6/conf/disable_ipv6". */
  readonly sysctls: Map<string, string>;
  neighSuppress: boolean;
  /** VNI and port of a vxlan, mode of a macvlan. */
  readonly detail: string;
  /** What it was made with. */
  readonly made: LinkKind | undefined;
}

export interface FakeAddress {
  readonly address: IpPrefix;
  readonly scope: number;
  readonly flags: number;
  readonly noPrefixRoute: boolean;
}

export interface FakeRoute {
  readonly destination: IpPrefix;
  readonly gateway: IpAddress | undefined;
  readonly link: FakeLink;
  readonly table: number;
  readonly protocol: number;
  readonly scope: number;
  readonly type: number;
  /** 0: none is told. */
  readonly metric: number;
  readonly mtu: number | undefined;
  readonly advmss: number | undefined;
  readonly source: IpAddress | undefined;
  readonly onlink: boolean;
}

export interface FakeNeighbour {
  readonly link: FakeLink;
  readonly address: IpAddress;
  readonly mac: string;
  readonly state: number;
  readonly proxy: boolean;
  readonly forwarding: boolean;
}

/** The tables of one network namespace. */
export class FakeNamespace {
  readonly identity: NetnsIdentity;
  readonly world: FakeWorld;
  readonly links = new Map<number, FakeLink>();
  readonly linksByName = new Map<string, FakeLink>();
  readonly routes = new Map<string, FakeRoute>();
  /** Keys of the kernel's own routes by what a new route must not share with them. */
  readonly kernelRouteKeys = new Map<string, Set<string>>();
  readonly neighbours = new Map<string, FakeNeighbour>();
  /** Those of no link, by path. */
  readonly sysctls = new Map<string, string>();
  /** Numbers that this namespace has for others (IFLA_LINK_NETNSID). */
  readonly netnsIds = new Map<FakeNamespace, number>();
  #nextIfindex = 1;

  constructor(world: FakeWorld, inode: bigint) {
    this.world = world;
    this.identity = { device: 4n, inode };
    const lo = newLink(this, {
      name: "lo",
      kind: "loopback",
      mac: "00:00:00:00:00:00",
      mtu: 65_536,
    });
    insertLink(lo);
  }

  takeIfindex(): number {
    while (this.links.has(this.#nextIfindex)) this.#nextIfindex++;
    return this.#nextIfindex++;
  }

  /** Throws ENODEV. */
  link(name: string): FakeLink {
    const link = this.linksByName.get(name);
    if (link === undefined) throw new FakeFault(errno.ENODEV, `No link ${name}`);
    return link;
  }

  netnsId(other: FakeNamespace): number {
    let id = this.netnsIds.get(other);
    if (id === undefined) {
      id = this.netnsIds.size;
      this.netnsIds.set(other, id);
    }
    return id;
  }
}

/** What namespaces share. */
export interface FakeWorld {
  readonly node: FakeNamespace;
  readonly hasVlanFiltering: boolean;
  readonly mostLinksPerNamespace: number;
  /** Throws ENOENT. */
  namespace(path: string): FakeNamespace;
  nextMac(): string;
  emit(netns: FakeNamespace, event: () => KernelEvent): void;
}

/** The fake's refusal; becomes a KernelError where the operation is known. */
export class FakeFault {
  readonly errno: number;
  readonly text: string;

  constructor(errno: number, text = "") {
    this.errno = errno;
    this.text = text;
  }
}

export function newLink(
  netns: FakeNamespace,
  fields: Pick<FakeLink, "name" | "kind" | "mac" | "mtu"> & {
    lower?: FakeLink;
    detail?: string;
    made?: LinkKind;
    ifindex?: number;
  },
): FakeLink {
  if (netns.links.size >= netns.world.mostLinksPerNamespace) throw new FakeFault(errno.ENOMEM);
  return {
    ifindex: fields.ifindex ?? netns.takeIfindex(),
    name: fields.name,
    kind: fields.kind,
    netns,
    mac: fields.mac,
    mtu: fields.mtu,
    up: false,
    alias: "",
    master: undefined,
    addrGenMode: 0,
    hairpin: false,
    isolated: false,
    vlanFiltering: false,
    accessVlan: undefined,
    txQueueLength: fields.kind === "ifb" ? 32 : 1000,
    promisc: false,
    allMulticast: false,
    tokenBucket: undefined,
    hasIngress: false,
    redirect: undefined,
    lower: fields.lower,
    uppers: new Set(),
    ports: new Set(),
    addresses: [],
    routeKeys: new Set(),
    neighbourKeys: new Set(),
    sysctls: new Map(),
    neighSuppress: false,
    detail: fields.detail ?? "",
    made: fields.made,
  };
}

export function insertLink(link: FakeLink): void {
  link.netns.links.set(link.ifindex, link);
  link.netns.linksByName.set(link.name, link);
}

/** Carrier and up, as IFF_RUNNING tells it. */
export function isRunning(link: FakeLink): boolean {
  if (!link.up) return false;
  switch (link.kind) {
    case "hardware":
    case "loopback":
    case "vxlan":
    case "ifb":
      return true;
    case "veth":
      return link.lower?.up === true;
    case "macvlan":
      return link.lower !== undefined && isRunning(link.lower);
    case "bridge":
      for (const port of link.ports) if (isRunning(port)) return true;
      return false;
  }
}

/** Removes routes for which the condition holds, telling of each. */
export function removeRoutes(
  netns: FakeNamespace,
  keys: Iterable<string>,
  isGone: (route: FakeRoute) => boolean,
): void {
  for (const key of [...keys]) {
    const route = netns.routes.get(key);
    if (route === undefined || !isGone(route)) continue;
    deleteRouteEntry(netns, key, route);
  }
}

export function deleteRouteEntry(netns: FakeNamespace, key: string, route: FakeRoute): void {
  netns.routes.delete(key);
  route.link.routeKeys.delete(key);
  if (route.protocol === RTPROT_KERNEL) {
    const shared = routeKey(route);
    const keys = netns.kernelRouteKeys.get(shared);
    if (keys?.delete(key) && keys.size === 0) netns.kernelRouteKeys.delete(shared);
  }
  netns.world.emit(netns, () => ({ kind: "route", change: "deleted", route: routeOf(route) }));
}

/** Adds one of the kernel's own routes: links may have the same one. */
export function insertKernelRoute(netns: FakeNamespace, route: FakeRoute): void {
  const shared = routeKey(route);
  const key = `${shared}/kernel/${route.link.ifindex}`;
  if (netns.routes.has(key)) return;
  const keys = netns.kernelRouteKeys.get(shared);
  if (keys === undefined) netns.kernelRouteKeys.set(shared, new Set([key]));
  else keys.add(key);
  insertRoute(netns, key, route);
}

export function insertRoute(netns: FakeNamespace, key: string, route: FakeRoute): void {
  netns.routes.get(key)?.link.routeKeys.delete(key);
  netns.routes.set(key, route);
  route.link.routeKeys.add(key);
  netns.world.emit(netns, () => ({ kind: "route", change: "new", route: routeOf(route) }));
}

/** What makes two routes the same: both FIBs allow one for each prefix, table and metric. */
export function routeKey(route: {
  readonly destination: IpPrefix;
  readonly table: number;
  readonly metric: number;
}): string {
  const { destination, table, metric } = route;
  return `${destination.family}/${destination.value.toString(16)}/${destination.prefixLength}/${table}/${metric}`;
}

/** The link's own net.ipv6.conf value, or what new links get. */
export function ipv6IsDisabled(link: FakeLink): boolean {
  const value =
    link.sysctls.get("ipv6/conf/disable_ipv6") ??
    link.netns.sysctls.get("net/ipv6/conf/default/disable_ipv6");
  return value === "1";
}

export function routeOf(route: FakeRoute): Route {
  const { gateway, metric, mtu, advmss, source } = route;
  return {
    destination: route.destination,
    ...(gateway === undefined ? {} : { gateway }),
    ifindex: route.link.ifindex,
    table: route.table,
    protocol: route.protocol,
    scope: route.scope,
    type: route.type,
    ...(metric === 0 ? {} : { metric }),
    ...(mtu === undefined ? {} : { mtu }),
    ...(advmss === undefined ? {} : { advmss }),
    ...(source === undefined ? {} : { source }),
    onlink: route.onlink,
    unknown: noUnknown,
  };
}

export const noUnknown: ReadonlyMap<number, Uint8Array> = new Map();
