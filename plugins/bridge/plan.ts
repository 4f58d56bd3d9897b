import {
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
  linkNamesOf,
  macOfName,
} from "../../src/plugin-sdk/link-names.ts";
import type { AttachRequest, AttachResponse } from "../../src/plugin-sdk/network-plugin.ts";
import { type PodAddress, readAddresses, readRoutes } from "../../src/plugin-sdk/pod-addresses.ts";
import { type BridgeConfig, readBridgeConfig } from "./config.ts";

/** Everything about one attachment that Attach makes and Check looks for. */
export interface BridgePlan {
  readonly config: BridgeConfig;
  readonly names: LinkNames;
  readonly alias: string;
  readonly ifname: string;
  readonly netns: NetnsPath;
  readonly mtu: number;
  readonly podMac: string;
  readonly addresses: readonly PodAddress[];
  readonly podRoutes: readonly PlannedRoute[];
}

export interface PlannedRoute {
  readonly destination: IpPrefix;
  readonly gateway: IpAddress | undefined;
  readonly mtu: number;
  readonly advmss: number;
  readonly metric: number;
  readonly table: number;
}

/** Reads a request. Throws RangeError for what is no address. */
export function planBridge(
  request: AttachRequest,
  defaultMtu: number,
  options: { readonly holder?: string } = {},
): BridgePlan {
  const names = linkNamesOf(request.attachmentId);
  const addresses = readAddresses(request);
  const extra = readRoutes(request).map((route): PlannedRoute => {
    const family = route.destination.family;
    const gateway = addresses.find((pod) => pod.address.family === family)?.gateway;
    return { ...route, gateway: route.gateway ?? gateway };
  });
  const wanted = new Set(extra.map((route) => formatPrefix(route.destination)));
  const defaults = addresses.flatMap(({ address, gateway }): PlannedRoute[] => {
    const destination = { family: address.family, value: 0n, prefixLength: 0 };
    if (!gateway || wanted.has(formatPrefix(destination))) return [];
    return [{ destination, gateway, mtu: 0, advmss: 0, metric: 0, table: 0 }];
  });
  return {
    config: readBridgeConfig(request.configJson),
    names,
    alias: formatAlias({ plugin: options.holder ?? "bridge", ...request }),
    ifname: request.ifname,
    netns: request.netns as NetnsPath,
    mtu: request.mtu || defaultMtu,
    podMac: request.mac || names.podMac,
    addresses,
    podRoutes: [...defaults, ...extra],
  };
}

/** What Attach does; `isRepeat` when the link is there already. */
export function attachBatches(plan: BridgePlan, isRepeat: boolean): NetnsBatch[] {
  const { config, names, ifname, netns, mtu, podMac } = plan;
  const create: KernelOperation[] = isRepeat
    ? []
    : [
        {
          kind: "add-link",
          name: names.hostIfname,
          mtu,
          mac: names.hostMac,
          master: config.bridge,
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
          ...(isRepeat ? { master: config.bridge } : {}),
          ...(config.hairpinMode ? { hairpin: true } : {}),
          ...(config.portIsolation ? { isolated: true } : {}),
          ...(config.vlan > 0 ? { accessVlan: config.vlan } : {}),
        },
      ],
    },
    { netns, operations: podOperations(plan) },
  ];
}

/** The answer of Attach. */
export function attachResponse(plan: BridgePlan): AttachResponse {
  const { config, names, ifname, netns, mtu, podMac } = plan;
  return {
    interfaces: [
      link(config.bridge, macOfName(config.bridge), mtu, ""),
      link(names.hostIfname, names.hostMac, mtu, ""),
      link(ifname, podMac, mtu, netns),
    ],
    addresses: plan.addresses.map(({ address, gateway }) => ({
      address: formatPrefix(address),
      gateway: gateway ? formatAddress(gateway) : "",
      interfaceIndex: 2,
    })),
    routes: plan.podRoutes.map((route) => ({
      destination: formatPrefix(route.destination),
      gateway: route.gateway ? formatAddress(route.gateway) : "",
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

/**
 * What the network needs of the node before its first pod: the bridge with the gateway addresses,
 * and forwarding. With a VLAN the network is layer 2 only: the gateway is somewhere else on it.
 */
export function networkBatches(request: AttachRequest): NetnsBatch[] {
  const { bridge, vlan } = readBridgeConfig(request.configJson);
  const gateways = readAddresses(request).flatMap(({ address, gateway }) =>
    gateway && vlan === 0 ? [{ ...gateway, prefixLength: address.prefixLength }] : [],
  );
  return [
    {
      operations: [
        {
          kind: "add-link",
          name: bridge,
          mac: macOfName(bridge),
          link: { type: "bridge" },
          ifExists: "keep",
        },
        ...(vlan > 0
          ? [{ kind: "set-link", name: bridge, vlanFiltering: true } satisfies KernelOperation]
          : []),
        { kind: "set-link", name: bridge, up: true },
        ...gateways.map(
          (address): KernelOperation => ({
            kind: "add-address",
            link: bridge,
            address,
            ifExists: "keep",
          }),
        ),
        ...(gateways.some((gateway) => gateway.family === 4)
          ? [setSysctl(["net", "ipv4", "ip_forward"])]
          : []),
        ...(gateways.some((gateway) => gateway.family === 6)
          ? [setSysctl(["net", "ipv6", "conf", "all", "forwarding"])]
          : []),
      ],
    },
  ];
}

function podOperations(plan: BridgePlan): KernelOperation[] {
  const { ifname, podMac } = plan;
  const hasV6 = plan.addresses.some((pod) => pod.address.family === 6);
  const linkLocal: IpPrefix = { family: 6, value: linkLocalOfMac(podMac), prefixLength: 64 };
  return [
    { kind: "set-link", name: "lo", up: true },
    { kind: "set-link", name: ifname, up: true, addrGenMode: 1 },
    ...plan.addresses.map(
      ({ address }): KernelOperation => ({
        kind: "add-address",
        link: ifname,
        address,
        ifExists: "keep",
      }),
    ),
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
    ...plan.podRoutes.map(
      (route): KernelOperation => ({
        kind: "add-route",
        destination: route.destination,
        link: ifname,
        ...(route.gateway ? { gateway: route.gateway, onlink: true } : {}),
        ...(route.mtu ? { mtu: route.mtu } : {}),
        ...(route.advmss ? { advmss: route.advmss } : {}),
        ...(route.metric ? { metric: route.metric } : {}),
        ...(route.table ? { table: route.table } : {}),
        ifExists: "replace",
      }),
    ),
  ];
}

function setSysctl(path: readonly string[]): KernelOperation {
  return { kind: "set-sysctl", path, value: "1" };
}

function link(name: string, mac: string, mtu: number, sandbox: string) {
  return { name, mac, mtu, sandbox, pciId: "", socketPath: "" };
}
