/** Cgroups of tests' own. They are the machine's, also in a private node. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";

const root = "/sys/fs/cgroup";

/** The folders of a cgroup in every hierarchy that has it; "patchbay-e2e-1" is one at the top. */
export function findCgroups(name: string): string[] {
  return hierarchies()
    .map((hierarchy) => join(hierarchy, name))
    .filter((folder) => existsSync(folder));
}

/** Folders of all cgroups at the top whose names begin so. */
export function listCgroups(prefix: string): string[] {
  const folders = hierarchies().flatMap(listFolders);
  return folders.filter((folder) => basename(folder).startsWith(prefix));
}

/** Makes a cgroup at the top of every hierarchy. */
export function createCgroups(name: string): void {
  for (const hierarchy of hierarchies()) {
    const isOne = existsSync(join(hierarchy, "cgroup.procs"));
    if (isOne) mkdirSync(join(hierarchy, name), { recursive: true });
  }
}

/** Removes a cgroup and those below it; they must be empty of processes. */
export function removeCgroups(folder: string): void {
  for (const inner of listFolders(folder)) removeCgroups(inner);
  rmdirSync(folder);
}

/** Removes what a run that was killed has left: cgroups whose names begin so, and which are that old. */
export function removeStaleCgroups(prefix: string, options: { staleMs: number }): void {
  const now = Date.now();
  for (const folder of listCgroups(prefix)) {
    try {
      if (now - statSync(folder).mtimeMs >= options.staleMs) removeCgroups(folder);
    } catch (error) {
      // Somebody lives in it after all, or removes it too.
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "EBUSY" && code !== "ENOENT") throw error;
    }
  }
}

/** Folders in a folder, as paths. */
export function listFolders(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(folder, entry.name));
}

/** Where cgroups can be: version 2 has one tree, version 1 one for each controller. */
function hierarchies(): string[] {
  return [root, ...listFolders(root)];
}

/** Processes of this pid namespace in the cgroup or below it. */
export function listProcesses(name: string): number[] {
  return findCgroups(name).flatMap(processesBelow);
}

function processesBelow(folder: string): number[] {
  const own = readFileSync(join(folder, "cgroup.procs"), "utf8").split("\n").filter(Boolean);
  return [...own.map(Number), ...listFolders(folder).flatMap(processesBelow)];
}
