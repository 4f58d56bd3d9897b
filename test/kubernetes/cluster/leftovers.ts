import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { findCgroups, listFolders, listProcesses, removeCgroups } from "../../cgroups.ts";
import { until } from "../../e2e/harness.ts";
import { mountsBelow, unmountBelow } from "./node-space.ts";

const EXIT_LIMIT_MS = 20_000;
/** Memory of one boot: what is below is gone after the next. */
const perBoot = ["/run/patchbay", "/run/containerd", "/run/runc", "/run/cni-ipam", "/run/flannel"];
const podNetns = "/run/netns";

/** Containers and their shims: what outlives containerd. Only inside a private node all of them are ours. */
export function listPodProcesses(cgroup: string): number[] {
  const shims = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => readCommand(pid).includes("containerd-shim-runc-v2"));
  return [...new Set([...shims, ...listProcesses(cgroup)])];
}

/** Ends every pod by force and resolves when no process of theirs is left. */
export async function endPods(cgroup: string): Promise<void> {
  await until("the end of all pods", EXIT_LIMIT_MS, () => {
    const left = listPodProcesses(cgroup);
    for (const pid of left) killIfThere(pid);
    return left.length === 0;
  });
}

/** Removes pods' mounts, network namespaces and cgroups, and all that lies in memory. `folders` may hold mounts, too. */
export async function clearBoot(cgroup: string, folders: readonly string[]): Promise<void> {
  for (const folder of [...folders, ...perBoot, podNetns, "/var/lib/kubelet"]) {
    await unmountBelow(folder);
  }
  for (const folder of perBoot) rmSync(folder, { recursive: true, force: true });
  if (existsSync(podNetns)) {
    for (const name of readdirSync(podNetns)) rmSync(join(podNetns, name), { force: true });
  }
  for (const folder of findCgroups(cgroup).flatMap(listFolders)) removeCgroups(folder);
}

/** What is there of pods: processes, mounts, network namespaces, cgroups. */
export function describeLeftovers(cgroup: string, folders: readonly string[]): string[] {
  return [
    ...listPodProcesses(cgroup).map((pid) => `process ${pid} ${readCommand(pid)}`),
    ...[...folders, podNetns].flatMap(mountsBelow).map((path) => `mount ${path}`),
    ...findCgroups(cgroup).map((folder) => `cgroup ${folder}`),
  ];
}

function readCommand(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
  } catch {
    // It ended while we looked.
    return "";
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
