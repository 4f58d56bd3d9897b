import {
  addressBits,
  type Family,
  formatAddress,
  formatPrefix,
  type IpAddress,
  type IpPrefix,
} from "../../src/ip/address.ts";
import type { KernelOperation, NetnsBatch, NetnsPath } from "../../src/kernel/kernel.ts";
import {
  formatAlias,
  type LinkNames,
  linkLocalOfMac,
  GATEWAY_LINK,
  linkNamesOf,
} from "../../src/plugin-sdk/link-names.ts";
import type { AttachRequest, AttachResponse } from "../../src/plugin-sdk/network-plugin.ts";
import { type PodAddress, readAddresses, readRoutes } from "../../src/plugin-sdk/pod-addresses.ts";

/** Everything about one attachment that Attach makes and Check looks for. */
export interface RoutedPlan {
  readonly names: LinkNames;
  readonly alias: string;
  readonly ifname: string;
  readonly netns: NetnsPath;
  readonly mtu: number;
  readonly podMac: string;
  /** Host addresses (/32, /128) of the pod, with the next hop of each family. */
  readonly hops: readonly Hop[];
  /** Routes inside the pod, the default routes first. */
  readonly podRoutes: readonly PlannedRoute[];
}

/** An address of the pod and how it reaches the rest. */
export interface Hop {
  readonly address: IpPrefix;
  readonly gateway: IpAddress;
}

export interface PlannedRoute {
  readonly destination: IpPrefix;
  readonly gateway: IpAddress;
  readonly mtu: number;
  readonly advmss: number;
  readonly metric: number;
  readonly table: number;
}

/** Where a family has no gateway: nobody needs to own it, the neighbour entry is permanent. */
const VIRTUAL_GATEWAY: Readonly<Record<Family, IpAddress>> = {
  4: { family: 4, value: 0xa9fe0101n },
  6: { family: 6, value: (0xfe80n << 112n) | 1n },
};

/** Reads a request. Throws RangeError for what is no address. */
export function planRouted(
  request: AttachRequest,
  defaultMtu: number,
  options: { readonly holder?: string } = {},
): RoutedPlan {
  const names = linkNamesOf(request.attachmentId);
  const hops = readAddresses(request).map(toHop);
  const gatewayOf = (family: Family) => hops.find((hop) => hop.gateway.family === family)?.gateway;
  const extra = readRoutes(request).flatMap((route): PlannedRoute[] => {
    const gateway = route.gateway ?? gatewayOf(route.destination.family);
    return gateway ? [{ ...route, gateway }] : [];
  });
  const wanted = new Set(extra.map((route) => formatPrefix(route.destination)));
  const defaults = hops
    .map((hop): PlannedRoute => {
      const destination = { family: hop.gateway.family, value: 0n, prefixLength: 0 };
      return { destination, gateway: hop.gateway, mtu: 0, advmss: 0, metric: 0, table: 0 };
    })
    .filter((route) => !wanted.has(formatPrefix(route.destination)));
  return {
    names,
    alias: formatAlias({ plugin: options.holder ?? "routed", ...request }),
    ifname: request.ifname,
    netns: request.netns as NetnsPath,
    mtu: request.mtu || defaultMtu,
    podMac: request.mac || names.podMac,
    hops,
    podRoutes: [...defaults, ...extra],
  };
}

/** What Attach does; `isRepeat` when the link is there already. */
export function attachBatches(plan: RoutedPlan, isRepeat: boolean): NetnsBatch[] {
  const { names, ifname, netns, mtu, podMac } = plan;
  const create: KernelOperation[] = isRepeat
    ? []
    : [
        {
          kind: "add-link",
          name: names.hostIfname,
          mtu,
          mac: names.hostMac,
          link: { type: "veth", peer: { name: ifname, netns, mac: podMac, mtu } },
        },
      ];
  return [
    {
      operations: [
        ...create,
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
            // A route that is there leads to somebody else's pod: never take it over.
            ifExists: isRepeat ? "replace" : "fail",
          }),
        ),
        ...plan.hops.map((hop) => permanentNeighbour(names.hostIfname, hop.address, podMac)),
      ],
    },
    { netns, operations: podOperations(plan) },
  ];
}

/** The answer of Attach. */
export function attachResponse(plan: RoutedPlan): AttachResponse {
  return {
    interfaces: [
      link(plan.names.hostIfname, plan.names.hostMac, plan.mtu, ""),
      link(plan.ifname, plan.podMac, plan.mtu, plan.netns),
    ],
    addresses: plan.hops.map((hop) => ({
      address: formatPrefix(hop.address),
      gateway: formatAddress(hop.gateway),
      interfaceIndex: 1,
    })),
    routes: plan.podRoutes.map((route) => ({
      destination: formatPrefix(route.destination),
      gateway: formatAddress(route.gateway),
      mtu: route.mtu,
      advmss: route.advmss,
      priority: route.metric,
      table: route.table,
      scope: 0,
    })),
    dns: null,
    deviceInfoJson: "",
  };
}

/** What every routed network needs of the node before its first pod. */
export function networkBatches(request: Pick<AttachRequest, "addresses">): NetnsBatch[] {
  const addresses = readAddresses(request);
  const gateways = addresses.flatMap(({ gateway }) => gateway ?? []);
  const sysctls: KernelOperation[] = [];
  if (addresses.some(({ address }) => address.family === 4)) {
    sysctls.push({ kind: "set-sysctl", path: ["net", "ipv4", "ip_forward"], value: "1" });
  }
  if (addresses.some(({ address }) => address.family === 6)) {
    const path = ["net", "ipv6", "conf", "all", "forwarding"];
    sysctls.push({ kind: "set-sysctl", path, value: "1" });
  }
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
        ...sysctls,
      ],
    },
  ];
}

function podOperations(plan: RoutedPlan): KernelOperation[] {
  const { ifname, names, podMac } = plan;
  const linkLocal: IpPrefix = { family: 6, value: linkLocalOfMac(podMac), prefixLength: 64 };
  const hasV6 = plan.hops.some((hop) => hop.address.family === 6);
  return [
    { kind: "set-link", name: "lo", up: true },
    { kind: "set-link", name: ifname, up: true, addrGenMode: 1 },
    ...plan.hops.map(
      (hop): KernelOperation => ({
        kind: "add-address",
        link: ifname,
        address: hop.address,
        ifExists: "keep",
      }),
    ),
    // Given by us and without DAD: the kernel's own would be tentative for a second.
    ...(hasV6
      ? [
          {
            kind: "add-address",
            link: ifname,
            address: linkLocal,
            scope: "link",
            ifExists: "keep",
          } satisfies KernelOperation,
        ]
      : []),
    ...plan.hops.map((hop) => permanentNeighbour(ifname, hop.gateway, names.hostMac)),
    ...plan.podRoutes.map(
      (route): KernelOperation => ({
        kind: "add-route",
        destination: route.destination,
        gateway: route.gateway,
        link: ifname,
        onlink: true,
        ...(route.mtu ? { mtu: route.mtu } : {}),
        ...(route.advmss ? { advmss: route.advmss } : {}),
        ...(route.metric ? { metric: route.metric } : {}),
        ...(route.table ? { table: route.table } : {}),
        ifExists: "replace",
      }),
    ),
  ];
}

function toHop(pod: PodAddress): Hop {
  const { family, value } = pod.address;
  return {
    address: { family, value, prefixLength: addressBits(family) },
    gateway: pod.gateway ?? VIRTUAL_GATEWAY[family],
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

function link(name: string, mac: string, mtu: number, sandbox: string) {
  return { name, mac, mtu, sandbox, pciId: "", socketPath: "" };
}
