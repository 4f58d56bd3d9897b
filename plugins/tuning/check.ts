import type { Kernel, Link } from "../../src/kernel/kernel.ts";
import { KernelError } from "../../src/kernel/kernel-error.ts";
import type { TokenBucket } from "../../src/kernel/traffic-control.ts";
import { finding } from "../../src/plugin-sdk/findings.ts";
import type { Finding } from "../../src/plugin-sdk/network-plugin.ts";
import { describeBucket, sameBucket } from "./bucket.ts";
import type { Tuning } from "./config.ts";
import type { Ends, ShapedLink } from "./plan.ts";
import { sameValue } from "./sysctls.ts";

/** Every difference between what is wanted of an attachment and what the kernel holds. */
export async function checkTuning(
  kernel: Kernel,
  tuning: Tuning,
  { ends, shape }: { readonly ends: Ends; readonly shape: ShapedLink | undefined },
): Promise<Finding[]> {
  return [
    ...checkLinks(tuning, ends),
    ...(await checkSysctls(kernel, tuning, ends)),
    ...(shape ? await checkShape(kernel, shape) : []),
  ];
}

function checkLinks(tuning: Tuning, { pod, node }: Ends): Finding[] {
  const differences = (
    link: Link,
    rows: readonly (readonly [kind: string, wanted: unknown, found: unknown])[],
  ): Finding[] =>
    rows
      .filter(([, wanted, found]) => wanted !== undefined && wanted !== found)
      .map(([kind, wanted, found]) => finding(kind, link.name, String(wanted), String(found)));
  return [
    ...differences(pod, [
      ["mtu", tuning.mtu, pod.mtu],
      ["tx-queue-length", tuning.txQueueLength, pod.txQueueLength],
      ["promisc", tuning.promisc, pod.promisc],
      ["all-multicast", tuning.allMulticast, pod.allMulticast],
    ]),
    ...(node ? differences(node, [["mtu", tuning.mtu, node.mtu]]) : []),
  ];
}

async function checkSysctls(kernel: Kernel, { sysctls }: Tuning, ends: Ends): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { path, value } of sysctls) {
    const found = await readSysctl(kernel, path, ends);
    if (sameValue(found, value)) continue;
    findings.push(finding("sysctl", path.join("."), value, found));
  }
  return findings;
}

/** "" where this kernel, or this link now, has no such sysctl. */
async function readSysctl(
  kernel: Kernel,
  path: readonly string[],
  { netns }: Ends,
): Promise<string> {
  try {
    return await kernel.readSysctl(path, netns);
  } catch (error) {
    if (error instanceof KernelError && error.code === "ENOENT") return "";
    throw error;
  }
}

async function checkShape(kernel: Kernel, shape: ShapedLink): Promise<Finding[]> {
  const { name, netns, sent, received, ifb } = shape;
  const link = await kernel.findLink(name, netns);
  if (!link) return [];
  const bucketAt = async (ifindex: number) =>
    (await kernel.findQdisc({ ifindex, place: "root" }, netns))?.tokenBucket;
  const findings: Finding[] = [];
  if (sent) {
    findings.push(...compareBucket(`sent by ${name}`, sent, await bucketAt(link.ifindex)));
  }
  if (received) {
    const object = `received by ${name}`;
    const middle = await kernel.findLink(ifb, netns);
    const targets = await kernel.redirects(link.ifindex, netns);
    const leadsThere = targets.some(({ toIfindex }) => toIfindex === middle?.ifindex);
    const found = middle?.up && leadsThere ? await bucketAt(middle.ifindex) : undefined;
    findings.push(...compareBucket(object, received, found));
  }
  return findings;
}

function compareBucket(
  object: string,
  planned: TokenBucket,
  found: TokenBucket | undefined,
): Finding[] {
  if (sameBucket(planned, found)) return [];
  return [finding("bandwidth", object, describeBucket(planned), describeBucket(found))];
}
