import { formatPrefix } from "../../src/ip/address.ts";
import type { KernelOperation, NetnsBatch, NetnsPath } from "../../src/kernel/kernel.ts";
import {
  formatAlias,
  type LinkNames,
  linkNamesOf,
  macOfName,
} from "../../src/plugin-sdk/link-names.ts";
import type { AttachRequest, AttachResponse } from "../../src/plugin-sdk/network-plugin.ts";
import { type PodAddress, readAddresses } from "../../src/plugin-sdk/pod-addresses.ts";
import {
  describeGateway,
  describeInterface,
  describeRoutes,
  forwardingOperations,
  type PodSide,
  planPodRoutes,
  podLinkOperations,
  podRouteOperations,
} from "../../src/plugin-sdk/pod-side.ts";
import { type BridgeConfig, readBridgeConfig } from "./config.ts";

/** Everything about one attachment that Attach makes and Check looks for. */
export interface BridgePlan extends PodSide {
  readonly config: BridgeConfig;
  readonly names: LinkNames;
  readonly alias: string;
  readonly addresses: readonly PodAddress[];
}

/** Reads a request. Throws RangeError for what is no address. */
export function planBridge(
  request: AttachRequest,
  defaultMtu: number,
  options: { readonly holder?: string } = {},
): BridgePlan {
  const names = linkNamesOf(request.attachmentId);
  const addresses = readAddresses(request);
  return {
    config: readBridgeConfig(request.configJson),
    names,
    alias: formatAlias({ plugin: options.holder ?? "bridge", ...request }),
    ifname: request.ifname,
    netns: request.netns as NetnsPath,
    mtu: request.mtu || defaultMtu,
    podMac: request.mac || names.podMac,
    addresses,
    podRoutes: planPodRoutes(request, addresses),
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
      describeInterface(config.bridge, { mac: macOfName(config.bridge), mtu, sandbox: "" }),
      describeInterface(names.hostIfname, { mac: names.hostMac, mtu, sandbox: "" }),
      describeInterface(ifname, { mac: podMac, mtu, sandbox: netns }),
    ],
    addresses: plan.addresses.map(({ address, gateway }) => ({
      address: formatPrefix(address),
      gateway: describeGateway(gateway),
      interfaceIndex: 2,
    })),
    routes: describeRoutes(plan.podRoutes),
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
        ...forwardingOperations(new Set(gateways.map((gateway) => gateway.family))),
      ],
    },
  ];
}

function podOperations(plan: BridgePlan): KernelOperation[] {
  const addresses = plan.addresses.map((pod) => pod.address);
  return [...podLinkOperations(plan, addresses), ...podRouteOperations(plan)];
}
