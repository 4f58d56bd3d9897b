import type { Kernel, Route } from "../../src/kernel/kernel.ts";
import {
  compareAddresses,
  compareLink,
  compareRoutes,
  MAIN_TABLE,
} from "../../src/plugin-sdk/findings.ts";
import type { Finding } from "../../src/plugin-sdk/network-plugin.ts";
import type { RoutedPlan } from "./plan.ts";

/** Every difference between a plan and what the kernel holds, on both ends. */
export async function checkRouted(kernel: Kernel, plan: RoutedPlan): Promise<Finding[]> {
  return [...(await checkHost(kernel, plan)), ...(await checkPod(kernel, plan))];
}

async function checkHost(kernel: Kernel, plan: RoutedPlan): Promise<Finding[]> {
  const { hostIfname, hostMac } = plan.names;
  const link = await kernel.findLink(hostIfname);
  const findings = compareLink({ name: hostIfname, mac: hostMac, mtu: plan.mtu }, link);
  if (!link) return findings;
  const expected = plan.hops.map((hop) => ({
    destination: hop.address,
    ifindex: link.ifindex,
    table: MAIN_TABLE,
  }));
  return [...findings, ...compareRoutes(expected, await kernel.routes())];
}

async function checkPod(kernel: Kernel, plan: RoutedPlan): Promise<Finding[]> {
  const { ifname, netns } = plan;
  const link = await kernel.findLink(ifname, netns);
  const findings = compareLink({ name: ifname, mac: plan.podMac, mtu: plan.mtu }, link);
  if (!link) return findings;
  const addresses = await kernel.addresses(netns);
  const routes: readonly Route[] = await kernel.routes(netns);
  const expected = plan.podRoutes.map((route) => ({
    destination: route.destination,
    gateway: route.gateway,
    ifindex: link.ifindex,
    table: route.table || MAIN_TABLE,
  }));
  return [
    ...findings,
    ...compareAddresses(
      plan.hops.map((hop) => hop.address),
      link,
      addresses,
    ),
    ...compareRoutes(expected, routes),
  ];
}
