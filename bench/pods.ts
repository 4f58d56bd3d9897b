import { mkdirSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { NetnsPath } from "../src/kernel/kernel.ts";
import type { RtnetlinkKernel } from "../src/kernel/rtnetlink-kernel.ts";
import type { ExecCall } from "./exec-driver.ts";

const folder = "/run/netns";
/** The kernel frees namespaces in the background, holding the lock that every attach needs. */
const settleMs = 400;

/** Makes a namespace for each of `count` pods; their order is that of the calls. */
export async function createPods(
  kernel: RtnetlinkKernel,
  name: string,
  count: number,
): Promise<ExecCall[]> {
  mkdirSync(folder, { recursive: true });
  const calls: ExecCall[] = [];
  for (let index = 0; index < count; index++) {
    const containerId = `${name}-${index}`;
    const netns = `${folder}/${containerId}`;
    await kernel.createNetns(netns as NetnsPath);
    calls.push({ containerId, netns });
  }
  return calls;
}

/** Removes the namespaces and waits until the kernel is done with them. */
export async function deletePods(
  kernel: RtnetlinkKernel,
  calls: readonly ExecCall[],
): Promise<void> {
  for (const { netns } of calls) await kernel.deleteNetns((netns ?? "") as NetnsPath);
  await delay(settleMs);
}
