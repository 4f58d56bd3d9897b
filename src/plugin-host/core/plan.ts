import { formatAddress, formatPrefix, parsePrefix } from "../../ip/address.ts";
import type { Lease } from "../../ipam/lease.ts";
import type { NetnsPath } from "../../kernel/kernel.ts";
import { type AttachRequest, NO_WISHES } from "../../plugin-sdk/network-plugin.ts";
import type { CniArgs } from "../cni/request.ts";
import type { AttachmentId } from "./attachment.ts";
import type { Network } from "./state.ts";

/** What is known of an attachment before anything was done. */
export interface AttachWish {
  readonly id: AttachmentId;
  readonly containerId: string;
  readonly ifname: string;
  readonly netns: NetnsPath;
  readonly args: CniArgs;
  readonly network: Network;
  readonly leases: readonly Lease[];
  readonly mac: string | undefined;
}

/** The order to the plugin: everything that Attach needs, and nothing that it could guess wrong. */
export function planAttach(wish: AttachWish): AttachRequest {
  const { network } = wish;
  return {
    attachmentId: wish.id,
    pod: {
      namespace: wish.args.podNamespace,
      name: wish.args.podName,
      uid: wish.args.podUid,
      labels: {},
    },
    sandboxId: wish.containerId,
    netns: wish.netns,
    ifname: wish.ifname,
    network: network.name,
    configJson: network.configJson,
    addresses: wish.leases.map((lease) => ({
      address: formatPrefix({ ...lease.address, prefixLength: lease.prefixLength }),
      gateway: lease.gateway ? formatAddress(lease.gateway) : "",
    })),
    routes: network.ipam.routes.map((route) => ({
      destination: formatPrefix(route.dst),
      gateway: route.gw ? formatAddress(route.gw) : "",
      mtu: route.mtu ?? 0,
      advmss: route.advmss ?? 0,
      priority: route.priority ?? 0,
      table: route.table ?? 0,
      scope: route.scope ?? 0,
    })),
    mac: wish.mac?.toLowerCase() ?? "",
    mtu: network.mtu,
    device: null,
    masquerade: planMasquerade(network),
    ...NO_WISHES,
  };
}

/** What the newest configuration of a network wishes, for all its pods. */
export function planMasquerade(network: Network): AttachRequest["masquerade"] {
  return network.ipMasq ? { subnets: subnetsOf(network) } : null;
}

/** Subnets of every range, without doubles. */
function subnetsOf(network: Network): string[] {
  const subnets = network.ipam.ranges.map((range) => formatPrefix(range.subnet));
  return [...new Set(subnets)].map((text) => formatPrefix(parsePrefix(text)));
}
