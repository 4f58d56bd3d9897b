import type { KernelOperation, Link, NetnsBatch } from "../../src/kernel/kernel.ts";
import {
  type AttachRequest,
  type AttachResponse,
  PluginError,
} from "../../src/plugin-sdk/network-plugin.ts";
import {
  type AddressedPod,
  describeAddresses,
  describeInterface,
  describeRoutes,
  planAddressedPod,
  podLinkOperations,
  podRouteOperations,
  routerOperations,
} from "../../src/plugin-sdk/pod-side.ts";
import { formatDeviceAlias, type Original } from "./original.ts";

/** Everything about one attachment that Attach makes and Check looks for. */
export interface HostDevicePlan extends AddressedPod {
  readonly original: Original;
  readonly alias: string;
  readonly pciAddress: string;
}

/** Reads a request. Throws PluginError "invalid-config" for what cannot be had. */
export function planHostDevice(
  request: AttachRequest,
  options: {
    readonly original: Original;
    readonly pciAddress: string;
    readonly holder: string;
  },
): HostDevicePlan {
  const { original, pciAddress, holder } = options;
  if (request.masquerade) {
    const why =
      "ipMasq has no effect on a device that is the pod's: the node does not route its packets";
    throw new PluginError("invalid-config", why);
  }
  return {
    ...planAddressedPod(request, original),
    original,
    alias: formatDeviceAlias({ plugin: holder, ...request }, original),
    pciAddress,
  };
}

/**
 * From the node into the pod. The alias first, in a batch of its own: whatever fails or dies, no device
 * is in a pod that does not say whose it is.
 */
export function moveBatches({ original, alias, ifname, netns }: HostDevicePlan): NetnsBatch[] {
  const { name } = original;
  return [
    { operations: [{ kind: "set-link", name, alias }] },
    { operations: [{ kind: "set-link", name, netns, rename: ifname }] },
  ];
}

/** What makes a device that is in the pod, as `link`, what was asked for. */
export function podBatch(plan: HostDevicePlan, link: Link): NetnsBatch {
  const { ifname: name, netns, podMac, mtu } = plan;
  const mac = link.mac === podMac ? {} : { mac: podMac };
  const size = link.mtu === mtu ? {} : { mtu };
  const changes = { ...mac, ...size };
  const addresses = plan.addresses.map((pod) => pod.address);
  const hardware: KernelOperation[] = [
    // Many drivers change their address only while they are down.
    ...("mac" in mac && link.up ? [{ kind: "set-link" as const, name, up: false }] : []),
    ...(Object.keys(changes).length > 0 ? [{ kind: "set-link" as const, name, ...changes }] : []),
    ...(link.alias === plan.alias ? [] : [{ kind: "set-link" as const, name, alias: plan.alias }]),
  ];
  return {
    netns,
    operations: [
      ...hardware,
      ...routerOperations(name, addresses),
      ...podLinkOperations(plan, addresses),
      ...podRouteOperations(plan),
    ],
  };
}

/** The answer of Attach. */
export function attachResponse(plan: HostDevicePlan): AttachResponse {
  const { ifname, netns, mtu, podMac, pciAddress } = plan;
  const link = describeInterface(ifname, { mac: podMac, mtu, sandbox: netns });
  return {
    interfaces: [{ ...link, pciId: pciAddress }],
    addresses: describeAddresses(plan.addresses, 0),
    routes: describeRoutes(plan.podRoutes),
    dns: null,
    deviceInfoJson: pciAddress === "" ? "" : deviceInfoOf(pciAddress),
  };
}

/** Device information specification 1.1.0. */
function deviceInfoOf(pciAddress: string): string {
  return JSON.stringify({ type: "pci", version: "1.1.0", pci: { "pci-address": pciAddress } });
}
