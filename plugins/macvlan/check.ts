import type { Kernel } from "../../src/kernel/kernel.ts";
import { checkPodSide } from "../../src/plugin-sdk/check-pod-side.ts";
import { finding } from "../../src/plugin-sdk/findings.ts";
import type { Finding } from "../../src/plugin-sdk/network-plugin.ts";
import type { MacvlanPlan } from "./plan.ts";

/** Every difference between a plan and what the pod holds. */
export async function checkMacvlan(kernel: Kernel, plan: MacvlanPlan): Promise<Finding[]> {
  const { ifname, netns, config, master, addresses } = plan;
  const podAddresses = addresses.map((pod) => pod.address);
  const findings = await checkPodSide(kernel, plan, podAddresses);
  const link = await kernel.findLink(ifname, netns);
  if (!link) return findings;
  if (link.type !== "macvlan") {
    findings.push(finding("type", ifname, "macvlan", link.type));
  } else if (link.macvlanMode !== config.mode) {
    findings.push(finding("mode", ifname, config.mode, link.macvlanMode ?? ""));
  }
  // In another namespace the same number is another link; a macvlan on a macvlan names the lower one.
  const isHere = config.linkInContainer === (link.linkNetnsId === undefined);
  if (link.type === "macvlan" && master.type !== "macvlan") {
    const found = isHere ? `link ${link.linkIfindex}` : "a link elsewhere";
    if (!isHere || link.linkIfindex !== master.ifindex) {
      findings.push(finding("master", ifname, `link ${master.ifindex}`, found));
    }
  }
  return findings;
}
