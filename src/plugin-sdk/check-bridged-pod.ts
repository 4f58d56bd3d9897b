import type { Kernel } from "../kernel/kernel.ts";
import type { BridgedPod } from "./bridged-pod.ts";
import { checkPodSide } from "./check-pod-side.ts";
import { compareLink } from "./findings.ts";
import type { Finding } from "./network-plugin.ts";

/** Every difference between a plan and what the kernel holds, on both ends. */
export async function checkBridgedPod(kernel: Kernel, plan: BridgedPod): Promise<Finding[]> {
  const addresses = plan.addresses.map((pod) => pod.address);
  return [...(await checkHost(kernel, plan)), ...(await checkPodSide(kernel, plan, addresses))];
}

async function checkHost(kernel: Kernel, plan: BridgedPod): Promise<Finding[]> {
  const { hostIfname, hostMac } = plan.names;
  const bridge = await kernel.findLink(plan.port.bridge);
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
