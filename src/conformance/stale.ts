import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Kernel, NetnsPath } from "../kernel/kernel.ts";

/** What namespaces of every run of the kit begin with. */
const PREFIX = "pbconform";

/** Begins the names of this process' namespaces. */
export function runIdOf(pid: number): string {
  return `${PREFIX}-${pid}`;
}

/** Removes namespaces of runs that were killed. */
export async function removeStaleNamespaces(kernel: Kernel, folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = new RegExp(`^${PREFIX}-(\\d+)-\\d+$`).exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    await kernel.deleteNetns(join(folder, name) as NetnsPath);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
