import type { Kernel } from "../../src/kernel/kernel.ts";
import {
  compareAddresses,
  compareLink,
  compareRoutes,
  finding,
  MAIN_TABLE,
} from "../../src/plugin-sdk/findings.ts";
import type { Finding } from "../../src/plugin-sdk/network-plugin.ts";
import type { BridgePlan } from "./plan.ts";

/** Every difference between a plan and what the kernel holds, on both ends. */
export async function checkBridge(kernel: Kernel, plan: BridgePlan): Promise<Finding[]> {
  return [...(await checkHost(kernel, plan)), ...(await checkPod(kernel, plan))];
}

async function checkHost(kernel: Kernel, plan: BridgePlan): Promise<Finding[]> {
  const { hostIfname, hostMac } = plan.names;
  const bridge = await kernel.findLink(plan.config.bridge);
  if (!bridge) return [finding("link-missing", plan.config.bridge, "present", "")];
  const expected = {
    name: hostIfname,
    mac: hostMac,
    mtu: plan.mtu,
    masterIfindex: bridge.ifindex,
  };
  return [
    ...compareLink({ name: plan.config.bridge }, bridge),
    ...compareLink(expected, await kernel.findLink(hostIfname)),
  ];
}

async function checkPod(kernel: Kernel, plan: BridgePlan): Promise<Finding[]> {
  const { ifname, netns } = plan;
  const link = await kernel.findLink(ifname, netns);
  const findings = compareLink({ name: ifname, mac: plan.podMac, mtu: plan.mtu }, link);
  if (!link) return findings;
  const addresses = plan.addresses.map((pod) => pod.address);
  const routes = plan.podRoutes.map((route) => ({
    destination: route.destination,
    ...(route.gateway ? { gateway: route.gateway } : {}),
    ifindex: link.ifindex,
    table: route.table || MAIN_TABLE,
  }));
  return [
    ...findings,
    ...compareAddresses(addresses, link, await kernel.addresses(netns)),
    ...compareRoutes(routes, await kernel.routes(netns)),
  ];
}
