import {
  addressBits,
  type Family,
  formatAddress,
  formatPrefix,
  type IpAddress,
  type IpPrefix,
  networkOf,
} from "../../src/ip/address.ts";
import type { KernelOperation, NetnsBatch, NetnsPath } from "../../src/kernel/kernel.ts";
import {
  formatAlias,
  GATEWAY_LINK,
  type LinkNames,
  linkNamesOf,
  metricOfName,
} from "../../src/plugin-sdk/link-names.ts";
import type { AttachRequest, AttachResponse } from "../../src/plugin-sdk/network-plugin.ts";
import {
  type PodAddress,
  type PodRoute,
  readAddresses,
  refuseRequestedAddresses,
} from "../../src/plugin-sdk/pod-addresses.ts";
import {
  describeInterface,
  describeRoutes,
  type AttachMode,
  forwardingOperations,
  hardwareOperations,
  type PodSide,
  planPodRoutes,
  podLinkOperations,
  podRouteOperations,
  vethOperations,
} from "../../src/plugin-sdk/pod-side.ts";

/** Everything about one attachment that Attach makes and Check looks for. */
export interface RoutedPlan extends PodSide {
  readonly names: LinkNames;
  readonly alias: string;
  /** Host addresses (/32, /128) of the pod, with the next hop of each family. */
  readonly hops: readonly Hop[];
}

/** An address of the pod and how it reaches the rest. */
export interface Hop {
  readonly address: IpPrefix;
  readonly gateway: IpAddress;
  /**
   * What the node itself calls from, where that is not left to the kernel: the pod answers by this
   * link only what comes from the network's own subnet, when its default routes are another's.
   */
  readonly source: IpAddress | undefined;
}

/** fe80::/10 */
const LINK_LOCAL = 0xfe80n << 112n;

/** Where a family has no gateway: nobody needs to own it, the neighbour entry is permanent. */
const VIRTUAL_GATEWAY: Readonly<Record<Family, IpAddress>> = {
  4: { family: 4, value: 0xa9fe0101n },
  6: { family: 6, value: LINK_LOCAL | 1n },
};

/** Reads a request. Throws RangeError for what is no address, PluginError for addresses that nobody gave. */
export function planRouted(
  request: AttachRequest,
  defaultMtu: number,
  options: { readonly holder?: string } = {},
): RoutedPlan {
  const names = linkNamesOf(request.attachmentId);
  refuseRequestedAddresses(request);
  const isDefault = request.defaultRoute !== "DEFAULT_ROUTE_NONE";
  const pods = readAddresses(request);
  const hops = pods.map((pod) => toHop(pod, isDefault));
  const podRoutes = [
    ...(isDefault ? [] : pods.flatMap((pod) => subnetRoute(pod, request.ifname) ?? [])),
    ...planPodRoutes(request, hops),
  ];
  return {
    names,
    alias: formatAlias({ plugin: options.holder ?? "routed", ...request }),
    ifname: request.ifname,
    netns: request.netns as NetnsPath,
    mtu: request.mtu || defaultMtu,
    podMac: request.mac || names.podMac,
    hops,
    // Where the pod lacks the family there is nobody to route by.
    podRoutes: podRoutes.filter(({ gateway }) => gateway !== undefined),
  };
}

/** What Attach does. */
export function attachBatches(plan: RoutedPlan, mode: AttachMode): NetnsBatch[] {
  const { names, ifname, netns, mtu, podMac } = plan;
  return [
    {
      operations: [
        ...vethOperations(plan, { mode }),
        {
          kind: "set-link",
          name: names.hostIfname,
          up: true,
          alias: plan.alias,
          addrGenMode: 1,
        },
        ...plan.hops.map(
          (hop): KernelOperation => ({
            kind: "add-route",
            destination: hop.address,
            link: names.hostIfname,
            scope: "link",
            ...(hop.source ? { source: hop.source } : {}),
            // A route that is there leads to somebody else's pod: never take it over.
            ifExists: mode === "create" ? "fail" : "replace",
          }),
        ),
        ...plan.hops.map((hop) => permanentNeighbour(names.hostIfname, hop.address, podMac)),
      ],
    },
    {
      netns,
      operations: [
        ...hardwareOperations({ name: ifname, mac: podMac, mtu }, mode),
        ...podOperations(plan, mode),
      ],
    },
  ];
}

/** The answer of Attach. */
export function attachResponse(plan: RoutedPlan): AttachResponse {
  const { names, ifname, netns, mtu, podMac } = plan;
  return {
    interfaces: [
      describeInterface(names.hostIfname, { mac: names.hostMac, mtu, sandbox: "" }),
      describeInterface(ifname, { mac: podMac, mtu, sandbox: netns }),
    ],
    addresses: plan.hops.map((hop) => ({
      address: formatPrefix(hop.address),
      gateway: formatAddress(hop.gateway),
      interfaceIndex: 1,
    })),
    routes: describeRoutes(plan.podRoutes),
    dns: null,
    deviceInfoJson: "",
  };
}

/** What every routed network needs of the node before its first pod. */
export function networkBatches(request: Pick<AttachRequest, "addresses">): NetnsBatch[] {
  const addresses = readAddresses(request);
  const gateways = addresses.flatMap(({ gateway }) => gateway ?? []);
  const families = new Set(addresses.map(({ address }) => address.family));
  return [
    {
      operations: [
        // A bridge without ports serves as a dummy link, which not every kernel has.
        { kind: "add-link", name: GATEWAY_LINK, link: { type: "bridge" }, ifExists: "keep" },
        { kind: "set-link", name: GATEWAY_LINK, up: true, addrGenMode: 1 },
        ...gateways.map(
          (gateway): KernelOperation => ({
            kind: "add-address",
            link: GATEWAY_LINK,
            address: { ...gateway, prefixLength: addressBits(gateway.family) },
            ifExists: "keep",
          }),
        ),
        ...forwardingOperations(families),
      ],
    },
  ];
}

function podOperations(plan: RoutedPlan, mode: AttachMode): KernelOperation[] {
  const { ifname, names, hops } = plan;
  const addresses = hops.map((hop) => hop.address);
  return [
    ...podLinkOperations(plan, addresses),
    ...hops.map((hop) => permanentNeighbour(ifname, hop.gateway, names.hostMac)),
    ...pinOperations(plan, { mode, what: "add" }),
    ...podRouteOperations(plan),
    ...pinOperations(plan, { mode, what: "delete" }),
  ];
}

/**
 * IPv6 refuses an on-link gateway that another interface has a route to, as it does in a pod that joins
 * one network twice (ip6_route_check_nh_onlink() of net/ipv6/route.c): while the routes are set, a
 * route to the gateway itself leads to this interface. The first try goes without.
 */
function pinOperations(
  { ifname, hops }: RoutedPlan,
  { mode, what }: { readonly mode: AttachMode; readonly what: "add" | "delete" },
): KernelOperation[] {
  if (mode === "create") return [];
  return hops.flatMap(({ gateway }): KernelOperation[] => {
    if (gateway.family === 4 || gateway.value >> 118n === LINK_LOCAL >> 118n) return [];
    const route = {
      destination: { ...gateway, prefixLength: 128 },
      link: ifname,
      metric: metricOfName(`pin ${ifname}`),
    };
    return [
      what === "add"
        ? { kind: "add-route", ...route, ifExists: "replace" }
        : { kind: "delete-route", ...route },
    ];
  });
}

function toHop(pod: PodAddress, isDefault: boolean): Hop {
  const { family, value } = pod.address;
  return {
    address: { family, value, prefixLength: addressBits(family) },
    gateway: pod.gateway ?? VIRTUAL_GATEWAY[family],
    source: isDefault ? undefined : pod.gateway,
  };
}

/**
 * What a pod without this network's default route still reaches by it: the address's subnet, or its
 * gateway where the subnet is that address alone. Undefined: neither is there.
 */
function subnetRoute({ address, gateway }: PodAddress, ifname: string): PodRoute | undefined {
  const { family } = address;
  const isAlone = address.prefixLength === addressBits(family);
  if (isAlone && gateway === undefined) return undefined;
  return {
    destination:
      isAlone && gateway ? { ...gateway, prefixLength: addressBits(family) } : networkOf(address),
    gateway: gateway ?? VIRTUAL_GATEWAY[family],
    mtu: 0,
    advmss: 0,
    // A pod may join one network several times, and a FIB has one route for each prefix and metric.
    metric: metricOfName(ifname),
    table: 0,
  };
}

/** Neither side asks who has an address: both MAC addresses are ours, so both are told. */
function permanentNeighbour(linkName: string, address: IpAddress, mac: string): KernelOperation {
  const { family, value } = address;
  return {
    kind: "add-neighbour",
    link: linkName,
    address: { family, value },
    mac,
    ifExists: "replace",
  };
}
