import { formatAddress, formatPrefix, type IpAddress, type IpPrefix } from "../ip/address.ts";
import type { KernelOperation, NetnsPath } from "../kernel/kernel.ts";
import { type LinkNames, linkLocalOfMac } from "./link-names.ts";
import type { AttachRequest, AttachResponse } from "./network-plugin.ts";
import {
  type PodAddress,
  type PodRoute,
  readAddresses,
  readRequestedAddresses,
  readRoutes,
} from "./pod-addresses.ts";

/** The pod's end of an attachment: what every plugin that makes veth pairs sets up there. */
export interface PodSide {
  readonly ifname: string;
  readonly netns: NetnsPath;
  readonly mtu: number;
  readonly podMac: string;
  /** The default routes first. */
  readonly podRoutes: readonly PodRoute[];
}

/**
 * How an Attach goes about its links: "create" makes them; "repeat" finds them and completes what a dead
 * process began; "repair" sets also what somebody changed since (MAC address, MTU).
 */
export type AttachMode = "create" | "repeat" | "repair";

/** A pod whose addresses are set as they are given, with their prefix lengths. */
export interface AddressedPod extends PodSide {
  readonly addresses: readonly PodAddress[];
}

/**
 * Reads a request; `fallback` is what nobody asked for otherwise. Throws RangeError for what is no
 * address, PluginError "invalid-config" for what cannot be given.
 */
export function planAddressedPod(
  request: AttachRequest,
  fallback: { readonly mtu: number; readonly mac: string },
): AddressedPod {
  const addresses = [...readAddresses(request), ...readRequestedAddresses(request)];
  return {
    ifname: request.ifname,
    netns: request.netns as NetnsPath,
    mtu: request.mtu || fallback.mtu,
    podMac: request.mac || fallback.mac,
    addresses,
    podRoutes: planPodRoutes(request, addresses),
  };
}

/**
 * The default route of each family with a gateway, unless the request names one or another attachment
 * of the pod has them, and the routes asked for.
 */
export function planPodRoutes(
  request: Pick<AttachRequest, "routes" | "defaultRoute">,
  pods: readonly PodAddress[],
): PodRoute[] {
  const extra = readRoutes(request).map((route): PodRoute => {
    const own = pods.find((pod) => pod.address.family === route.destination.family);
    return { ...route, gateway: route.gateway ?? own?.gateway };
  });
  if (request.defaultRoute === "DEFAULT_ROUTE_NONE") return extra;
  const wanted = new Set(extra.map((route) => formatPrefix(route.destination)));
  const defaults = pods.flatMap(({ address, gateway }): PodRoute[] => {
    const destination = { family: address.family, value: 0n, prefixLength: 0 };
    if (!gateway || wanted.has(formatPrefix(destination))) return [];
    return [{ destination, gateway, mtu: 0, advmss: 0, metric: 0, table: 0 }];
  });
  return [...defaults, ...extra];
}

/** Loopback and interface up, with the addresses. */
export function podLinkOperations(pod: PodSide, addresses: readonly IpPrefix[]): KernelOperation[] {
  const linkLocal: IpPrefix = { family: 6, value: linkLocalOfMac(pod.podMac), prefixLength: 64 };
  return [
    { kind: "set-link", name: "lo", up: true },
    { kind: "set-link", name: pod.ifname, up: true, addrGenMode: 1 },
    ...addresses.map((own) => addAddress(pod.ifname, own)),
    // Given by us and without DAD: the kernel's own would be tentative for a second.
    ...(addresses.some(({ family }) => family === 6)
      ? [addAddress(pod.ifname, linkLocal, "link")]
      : []),
  ];
}

/** The pair itself, made in both places at once; of one that is there what hardwareOperations() mends. */
export function vethOperations(
  pod: PodSide & { readonly names: LinkNames },
  options: { readonly mode: AttachMode; readonly master?: string },
): KernelOperation[] {
  const { names, ifname, netns, mtu, podMac } = pod;
  const { mode, master } = options;
  const { hostIfname: name, hostMac: mac } = names;
  if (mode !== "create") return hardwareOperations({ name, mac, mtu }, mode);
  const peer = { name: ifname, netns, mac: podMac, mtu };
  return [
    {
      kind: "add-link",
      name,
      mtu,
      mac,
      ...(master ? { master } : {}),
      link: { type: "veth", peer },
    },
  ];
}

/**
 * What somebody may have changed of a link that is there, on repair only. First of all: a new MAC
 * address drops neighbour entries, and IPv6 is off a link below 1280 bytes.
 */
export function hardwareOperations(
  link: { readonly name: string; readonly mac: string; readonly mtu: number },
  mode: AttachMode,
): KernelOperation[] {
  return mode === "repair" ? [{ kind: "set-link", ...link }] : [];
}

/**
 * For links on somebody else's wire, before they are up: where the network gives IPv6 addresses, its routes are
 * the pod's as well, and not those that a router there advertises.
 */
export function routerOperations(
  ifname: string,
  addresses: readonly IpPrefix[],
): KernelOperation[] {
  if (!addresses.some(({ family }) => family === 6)) return [];
  const path = ["net", "ipv6", "conf", ifname, "accept_ra"];
  return [{ kind: "set-sysctl", path, value: "0" }];
}

/** The pod's routes. */
export function podRouteOperations({ ifname, podRoutes }: PodSide): KernelOperation[] {
  return podRoutes.map((route) => ({
    kind: "add-route",
    destination: route.destination,
    ...(route.gateway ? { gateway: route.gateway } : {}),
    link: ifname,
    ...(route.gateway ? { onlink: true } : {}),
    ...(route.mtu ? { mtu: route.mtu } : {}),
    ...(route.advmss ? { advmss: route.advmss } : {}),
    ...(route.metric ? { metric: route.metric } : {}),
    ...(route.table ? { table: route.table } : {}),
    ifExists: "replace",
  }));
}

/** Routes as an answer of Attach says them. */
export function describeRoutes(routes: readonly PodRoute[]): AttachResponse["routes"] {
  return routes.map((route) => ({
    destination: formatPrefix(route.destination),
    gateway: describeGateway(route.gateway),
    mtu: route.mtu,
    advmss: route.advmss,
    priority: route.metric,
    table: route.table,
    scope: 0,
  }));
}

/** Addresses as an answer of Attach says them, of the interface with this index there. */
export function describeAddresses(
  addresses: readonly PodAddress[],
  interfaceIndex: number,
): AttachResponse["addresses"] {
  return addresses.map(({ address, gateway }) => ({
    address: formatPrefix(address),
    gateway: describeGateway(gateway),
    interfaceIndex,
  }));
}

/** "" for none. */
function describeGateway(gateway: IpAddress | undefined): string {
  return gateway ? formatAddress(gateway) : "";
}

/** An interface as an answer of Attach says it; sandbox "" is the node. */
export function describeInterface(
  name: string,
  fields: { readonly mac: string; readonly mtu: number; readonly sandbox: string },
): AttachResponse["interfaces"][number] {
  return { name, ...fields, pciId: "", socketPath: "" };
}

/** Forwarding, for the families given. */
export function forwardingOperations(families: ReadonlySet<4 | 6>): KernelOperation[] {
  const paths = [
    ...(families.has(4) ? [["net", "ipv4", "ip_forward"]] : []),
    ...(families.has(6) ? [["net", "ipv6", "conf", "all", "forwarding"]] : []),
  ];
  return paths.map((path) => ({ kind: "set-sysctl", path, value: "1" }));
}

function addAddress(link: string, address: IpPrefix, scope?: "link"): KernelOperation {
  return {
    kind: "add-address",
    link,
    address,
    ...(scope ? { scope } : {}),
    ifExists: "keep",
  };
}
