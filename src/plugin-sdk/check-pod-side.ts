import type { IpPrefix } from "../ip/address.ts";
import type { Kernel } from "../kernel/kernel.ts";
import {
  compareAddresses,
  compareLink,
  compareRoutes,
  type ExpectedRoute,
  MAIN_TABLE,
} from "./findings.ts";
import type { Finding } from "./network-plugin.ts";
import type { PodSide } from "./pod-side.ts";

/** Every difference between the pod's end and what the kernel holds there. */
export async function checkPodSide(
  kernel: Kernel,
  pod: PodSide,
  addresses: readonly IpPrefix[],
): Promise<Finding[]> {
  const { ifname, netns, podMac, mtu } = pod;
  const link = await kernel.findLink(ifname, netns);
  const findings = compareLink({ name: ifname, mac: podMac, mtu }, link);
  if (!link) return findings;
  const routes = pod.podRoutes.map(
    (route): ExpectedRoute => ({
      destination: route.destination,
      ...(route.gateway ? { gateway: route.gateway } : {}),
      ifindex: link.ifindex,
      table: route.table || MAIN_TABLE,
    }),
  );
  return [
    ...findings,
    ...compareAddresses(addresses, link, await kernel.addresses(netns)),
    ...compareRoutes(routes, await kernel.routes(netns)),
  ];
}
