import { formatAddress, formatPrefix, type IpAddress, parsePrefix } from "../../ip/address.ts";
import type { IpamRoute } from "../../ipam/config.ts";
import type { Lease } from "../../ipam/lease.ts";
import type { NetnsPath } from "../../kernel/kernel.ts";
import type { AttachRequest } from "../../plugin-sdk/network-plugin.ts";
import type { CniArgs } from "../cni/request.ts";
import type { AttachmentId } from "./attachment.ts";
import type { NetworkWish } from "./network-wish.ts";
import type { Network } from "./state.ts";

/** What is known of an attachment before anything was done. */
export interface PlannedAttach {
  readonly id: AttachmentId;
  readonly containerId: string;
  readonly netns: NetnsPath;
  readonly args: Pick<CniArgs, "podNamespace" | "podName" | "podUid">;
  readonly wish: NetworkWish;
  readonly network: Network;
  readonly leases: readonly Lease[];
  /** True: the plugin maps host ports. */
  readonly mapsPorts: boolean;
}

/** The order to the plugin: everything that Attach needs, and nothing that it could guess wrong. */
export function planAttach(planned: PlannedAttach): AttachRequest {
  const { wish, network, args } = planned;
  return {
    attachmentId: planned.id,
    pod: { namespace: args.podNamespace, name: args.podName, uid: args.podUid, labels: {} },
    sandboxId: planned.containerId,
    netns: planned.netns,
    ifname: wish.ifname,
    network: network.name,
    configJson: network.configJson,
    addresses: planned.leases.map((lease) => ({
      address: formatPrefix({ ...lease.address, prefixLength: lease.prefixLength }),
      gateway: lease.gateway ? formatAddress(lease.gateway) : "",
    })),
    routes: planRoutes(wish, network),
    mac: wish.mac?.toLowerCase() ?? "",
    mtu: network.mtu,
    device: planDevice(wish.deviceId),
    masquerade: planMasquerade(network),
    requestedAddresses: network.ipam.ranges.length === 0 ? [...wish.addressTexts] : [],
    bandwidth: wish.bandwidth ?? null,
    infinibandGuid: wish.infinibandGuid,
    portMappings: planned.mapsPorts ? [...wish.portMappings] : [],
    cniArgsJson: wish.cniArgs ? JSON.stringify(wish.cniArgs) : "",
    defaultRoute: wish.defaultRoute === "none" ? "DEFAULT_ROUTE_NONE" : "DEFAULT_ROUTE_UNSPECIFIED",
  };
}

const NO_ROUTE = { mtu: 0, advmss: 0, priority: 0, table: 0, scope: 0 };

/** The network's routes, and the default routes that the pod asks for instead of the network's own. */
function planRoutes({ defaultRoute }: NetworkWish, network: Network): AttachRequest["routes"] {
  const routes =
    defaultRoute === "network"
      ? network.ipam.routes
      : network.ipam.routes.filter(({ dst }) => dst.prefixLength > 0);
  const chosen = typeof defaultRoute === "string" ? [] : defaultRoute;
  return [...chosen.map(describeDefaultRoute), ...routes.map(describeRoute)];
}

function describeDefaultRoute(gateway: IpAddress): AttachRequest["routes"][number] {
  const destination = gateway.family === 4 ? "0.0.0.0/0" : "::/0";
  return { destination, gateway: formatAddress(gateway), ...NO_ROUTE };
}

function describeRoute(route: IpamRoute): AttachRequest["routes"][number] {
  return {
    destination: formatPrefix(route.dst),
    gateway: route.gw ? formatAddress(route.gw) : "",
    mtu: route.mtu ?? 0,
    advmss: route.advmss ?? 0,
    priority: route.priority ?? 0,
    table: route.table ?? 0,
    scope: route.scope ?? 0,
  };
}

const PCI_ADDRESS = /^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/i;

/** A device plugin's id of a network device is its PCI address, mostly. */
function planDevice(id: string): AttachRequest["device"] {
  if (id === "") return null;
  return { pciAddress: PCI_ADDRESS.test(id) ? id : "", rdmaDevice: "", charDevices: [], id };
}

/** What the newest configuration of a network wishes, for all its pods. */
export function planMasquerade(network: Network): AttachRequest["masquerade"] {
  const subnets = subnetsOf(network);
  return network.ipMasq && subnets.length > 0 ? { subnets } : null;
}

/** Subnets of every range, without doubles. */
function subnetsOf(network: Network): string[] {
  const subnets = network.ipam.ranges.map((range) => formatPrefix(range.subnet));
  return [...new Set(subnets)].map((text) => formatPrefix(parsePrefix(text)));
}
