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
  GATEWAY_LINK,
  type LinkNames,
  linkNamesOf,
} from "../../src/plugin-sdk/link-names.ts";
import type { AttachRequest, AttachResponse } from "../../src/plugin-sdk/network-plugin.ts";
import { type PodAddress, readAddresses } from "../../src/plugin-sdk/pod-addresses.ts";
import {
  describeInterface,
  describeRoutes,
  forwardingOperations,
  type PodSide,
  planPodRoutes,
  podLinkOperations,
  podRouteOperations,
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
  return {
    names,
    alias: formatAlias({ plugin: options.holder ?? "routed", ...request }),
    ifname: request.ifname,
    netns: request.netns as NetnsPath,
    mtu: request.mtu || defaultMtu,
    podMac: request.mac || names.podMac,
    hops,
    // Where the pod lacks the family there is nobody to route by.
    podRoutes: planPodRoutes(request, hops).filter(({ gateway }) => gateway !== undefined),
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

function podOperations(plan: RoutedPlan): KernelOperation[] {
  const { ifname, names, hops } = plan;
  const addresses = hops.map((hop) => hop.address);
  return [
    ...podLinkOperations(plan, addresses),
    ...hops.map((hop) => permanentNeighbour(ifname, hop.gateway, names.hostMac)),
    ...podRouteOperations(plan),
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
