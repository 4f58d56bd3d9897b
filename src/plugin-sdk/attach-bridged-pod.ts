import type { Kernel } from "../kernel/kernel.ts";
import { type BridgedPod, bridgedPodBatches } from "./bridged-pod.ts";
import { applyVethAttach, repairVethAttach, type VethPlan } from "./veth.ts";

/** Makes a pod on its bridge, or completes what is there; the bridge must be there. Throws PluginError. */
export function attachBridgedPod(kernel: Kernel, plan: BridgedPod): Promise<void> {
  return applyVethAttach(kernel, vethOf(plan), (mode) => bridgedPodBatches(plan, mode));
}

/** Makes it as it was recorded, whatever became of it. Throws PluginError. */
export function repairBridgedPod(kernel: Kernel, plan: BridgedPod): Promise<void> {
  return repairVethAttach(kernel, vethOf(plan), (mode) => bridgedPodBatches(plan, mode));
}

function vethOf(plan: BridgedPod): VethPlan {
  return { ...plan, podAddresses: plan.addresses.map((pod) => pod.address) };
}
