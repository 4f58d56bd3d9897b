import type { KernelOperation, NetnsBatch } from "../kernel/kernel.ts";
import { formatAlias, type LinkNames, linkNamesOf, macOfName } from "./link-names.ts";
import type { AttachRequest, AttachResponse } from "./network-plugin.ts";
import { readAddresses } from "./pod-addresses.ts";
import {
  type AddressedPod,
  type AttachMode,
  describeAddresses,
  describeInterface,
  describeRoutes,
  forwardingOperations,
  hardwareOperations,
  planAddressedPod,
  podLinkOperations,
  podRouteOperations,
  vethOperations,
} from "./pod-side.ts";

/** The bridge that a pod joins, and how its port there is set. */
export interface BridgePort {
  readonly bridge: string;
  /** Of the bridge. Absent: by its name. */
  readonly bridgeMac?: string;
  readonly hairpinMode?: boolean;
  readonly portIsolation?: boolean;
  /** Access VLAN; absent or 0: none. */
  readonly vlan?: number;
}

/** A pod that is joined to a bridge by a veth: everything that Attach makes and Check looks for. */
export interface BridgedPod extends AddressedPod {
  readonly port: BridgePort;
  readonly names: LinkNames;
  readonly alias: string;
}

/** Reads a request. Throws RangeError for what is no address, PluginError for what cannot be given. */
export function planBridgedPod(
  request: AttachRequest,
  options: { readonly port: BridgePort; readonly defaultMtu: number; readonly holder: string },
): BridgedPod {
  const { port, defaultMtu, holder } = options;
  const names = linkNamesOf(request.attachmentId);
  return {
    ...planAddressedPod(request, { mtu: defaultMtu, mac: names.podMac }),
    port,
    names,
    alias: formatAlias({ plugin: holder, ...request }),
  };
}

/** What Attach does. */
export function bridgedPodBatches(plan: BridgedPod, mode: AttachMode): NetnsBatch[] {
  const { port, names, ifname, netns, mtu, podMac } = plan;
  return [
    {
      operations: [
        ...vethOperations(plan, { mode, master: port.bridge }),
        {
          kind: "set-link",
          name: names.hostIfname,
          up: true,
          alias: plan.alias,
          addrGenMode: 1,
          ...(mode === "create" ? {} : { master: port.bridge }),
          ...(port.hairpinMode ? { hairpin: true } : {}),
          ...(port.portIsolation ? { isolated: true } : {}),
          ...(port.vlan ? { accessVlan: port.vlan } : {}),
        },
      ],
    },
    {
      netns,
      operations: [
        ...hardwareOperations({ name: ifname, mac: podMac, mtu }, mode),
        ...podOperations(plan),
      ],
    },
  ];
}

/** The answer of Attach: the bridge, the node's end, the pod's end. */
export function bridgedPodResponse(plan: BridgedPod): AttachResponse {
  const { port, names, ifname, netns, mtu, podMac } = plan;
  const { bridge, bridgeMac = macOfName(bridge) } = port;
  return {
    interfaces: [
      describeInterface(bridge, { mac: bridgeMac, mtu, sandbox: "" }),
      describeInterface(names.hostIfname, { mac: names.hostMac, mtu, sandbox: "" }),
      describeInterface(ifname, { mac: podMac, mtu, sandbox: netns }),
    ],
    addresses: describeAddresses(plan.addresses, 2),
    routes: describeRoutes(plan.podRoutes),
    dns: null,
    deviceInfoJson: "",
  };
}

/**
 * The bridge, made when absent and kept when there, and forwarding. Without `holdsGateways` the
 * network is layer 2 only: the gateways are somewhere else on it.
 */
export function bridgeOperations(
  request: Pick<AttachRequest, "addresses">,
  options: { readonly port: BridgePort; readonly holdsGateways: boolean },
): KernelOperation[] {
  const { port, holdsGateways } = options;
  const { bridge, bridgeMac = macOfName(bridge), vlan = 0 } = port;
  const gateways = readAddresses(request).flatMap(({ address, gateway }) =>
    gateway && holdsGateways ? [{ ...gateway, prefixLength: address.prefixLength }] : [],
  );
  return [
    {
      kind: "add-link",
      name: bridge,
      mac: bridgeMac,
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
  ];
}

function podOperations(plan: BridgedPod): KernelOperation[] {
  const addresses = plan.addresses.map((pod) => pod.address);
  return [...podLinkOperations(plan, addresses), ...podRouteOperations(plan)];
}
