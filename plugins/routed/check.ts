import type { Kernel } from "../../src/kernel/kernel.ts";
import {
  compareLink,
  compareNeighbours,
  compareRoutes,
  MAIN_TABLE,
} from "../../src/plugin-sdk/findings.ts";
import type { Finding } from "../../src/plugin-sdk/network-plugin.ts";
import { checkPodSide } from "../../src/plugin-sdk/check-pod-side.ts";
import type { RoutedPlan } from "./plan.ts";

/** Every difference between a plan and what the kernel holds, on both ends. */
export async function checkRouted(kernel: Kernel, plan: RoutedPlan): Promise<Finding[]> {
  const addresses = plan.hops.map((hop) => hop.address);
  return [
    ...(await checkHost(kernel, plan)),
    ...(await checkPodSide(kernel, plan, addresses)),
    ...(await checkPodNeighbours(kernel, plan)),
  ];
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
  const pods = plan.hops.map(({ address }) => ({ address, mac: plan.podMac }));
  return [
    ...findings,
    ...compareRoutes(expected, await kernel.routes()),
    ...compareNeighbours(pods, link, await kernel.neighbours()),
  ];
}

async function checkPodNeighbours(kernel: Kernel, plan: RoutedPlan): Promise<Finding[]> {
  const { ifname, netns, names } = plan;
  const link = await kernel.findLink(ifname, netns);
  if (!link) return [];
  const gateways = plan.hops.map(({ gateway }) => ({ address: gateway, mac: names.hostMac }));
  return compareNeighbours(gateways, link, await kernel.neighbours(netns));
}
