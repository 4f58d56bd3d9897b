import type { KernelOperation, Link, NetnsBatch } from "../../src/kernel/kernel.ts";
import { formatAlias, linkNamesOf } from "../../src/plugin-sdk/link-names.ts";
import {
  type AttachRequest,
  type AttachResponse,
  PluginError,
} from "../../src/plugin-sdk/network-plugin.ts";
import {
  type AddressedPod,
  type AttachMode,
  describeAddresses,
  describeInterface,
  describeRoutes,
  hardwareOperations,
  planAddressedPod,
  podLinkOperations,
  podRouteOperations,
  routerOperations,
} from "../../src/plugin-sdk/pod-side.ts";
import { type MacvlanConfig, readMacvlanConfig } from "./config.ts";

/** Everything about one attachment that Attach makes and Check looks for. */
export interface MacvlanPlan extends AddressedPod {
  readonly config: MacvlanConfig;
  readonly master: Link;
  readonly alias: string;
}

/**
 * Reads a request. `found` is the attachment's link where it is there already: what nobody asked for
 * stays as it is. Throws PluginError "invalid-config" for what cannot be had.
 */
export function planMacvlan(
  request: AttachRequest,
  options: { readonly master: Link; readonly holder: string; readonly found?: Link | undefined },
): MacvlanPlan {
  const { master, holder, found } = options;
  const config = readMacvlanConfig(request.configJson);
  refuse(request, config, master);
  const { mac, mtu } = found ?? master;
  const ownMac = config.mode === "passthru" ? mac : linkNamesOf(request.attachmentId).podMac;
  return {
    ...planAddressedPod(request, { mtu, mac: ownMac }),
    config,
    master,
    alias: formatAlias({ plugin: holder, ...request }),
  };
}

/** What Attach does. The link is made in the pod at once and never shows up in the node. */
export function attachBatches(plan: MacvlanPlan, mode: AttachMode): NetnsBatch[] {
  const { ifname, netns } = plan;
  const addresses = plan.addresses.map((pod) => pod.address);
  return [
    ...(mode === "create" ? [createBatch(plan)] : []),
    {
      netns,
      operations: [
        // First: by it the link is known to be ours.
        { kind: "set-link", name: ifname, alias: plan.alias },
        ...hardwareOperations({ name: ifname, mac: plan.podMac, mtu: plan.mtu }, mode),
        ...passthruMac(plan, mode),
        ...routerOperations(ifname, addresses),
        ...podLinkOperations(plan, addresses),
        ...podRouteOperations(plan),
      ],
    },
  ];
}

/** The answer of Attach. */
export function attachResponse(plan: MacvlanPlan): AttachResponse {
  const { ifname, netns, mtu, podMac } = plan;
  return {
    interfaces: [describeInterface(ifname, { mac: podMac, mtu, sandbox: netns })],
    addresses: describeAddresses(plan.addresses, 0),
    routes: describeRoutes(plan.podRoutes),
    dns: null,
    deviceInfoJson: "",
  };
}

function createBatch(plan: MacvlanPlan): NetnsBatch {
  const { config, master, ifname, netns, mtu, podMac } = plan;
  const { mode, linkInContainer, sourceMacs } = config;
  const add: KernelOperation = {
    kind: "add-link",
    name: ifname,
    mtu,
    mac: podMac,
    link: {
      type: "macvlan",
      parent: master.name,
      mode,
      ...(mode === "source" ? { sourceMacs } : {}),
      ...(linkInContainer ? {} : { netns }),
    },
  };
  return { ...(linkInContainer ? { netns } : {}), operations: [add] };
}

/** A passthru link is made with its master's address; it takes another, and the master with it. */
function passthruMac({ config, ifname, master, podMac }: MacvlanPlan, mode: AttachMode) {
  if (config.mode !== "passthru" || mode === "repair" || podMac === master.mac) return [];
  return [{ kind: "set-link", name: ifname, mac: podMac } satisfies KernelOperation];
}

function refuse({ mtu, masquerade }: AttachRequest, config: MacvlanConfig, master: Link): void {
  const { mode, sourceMacs } = config;
  const problem =
    mtu > master.mtu
      ? `mtu is ${mtu}, but ${master.name}, the master, has ${master.mtu}`
      : masquerade
        ? "ipMasq has no effect on a macvlan: the node does not route its packets"
        : mode === "source" && sourceMacs.length === 0
          ? "mode is source, and sourceMacs names nobody whom the pod hears"
          : mode !== "source" && sourceMacs.length > 0
            ? `sourceMacs is for mode source, and mode is ${mode}`
            : undefined;
  if (problem !== undefined) throw new PluginError("invalid-config", problem);
}
