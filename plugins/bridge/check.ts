import type { Kernel } from "../../src/kernel/kernel.ts";
import { compareLink } from "../../src/plugin-sdk/findings.ts";
import type { Finding } from "../../src/plugin-sdk/network-plugin.ts";
import { checkPodSide } from "../../src/plugin-sdk/check-pod-side.ts";
import type { BridgePlan } from "./plan.ts";

/** Every difference between a plan and what the kernel holds, on both ends. */
export async function checkBridge(kernel: Kernel, plan: BridgePlan): Promise<Finding[]> {
  const addresses = plan.addresses.map((pod) => pod.address);
  return [...(await checkHost(kernel, plan)), ...(await checkPodSide(kernel, plan, addresses))];
}

async function checkHost(kernel: Kernel, plan: BridgePlan): Promise<Finding[]> {
  const { hostIfname, hostMac } = plan.names;
  const bridge = await kernel.findLink(plan.config.bridge);
  // Of the bridge itself NodePreparation.check() tells.
  if (!bridge) return [];
  const expected = {
    name: hostIfname,
    mac: hostMac,
    mtu: plan.mtu,
    masterIfindex: bridge.ifindex,
  };
  return compareLink(expected, await kernel.findLink(hostIfname));
}
