import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";

/** What one delegate may need: the largest that is known well is cilium-cni (multus-cni PR 1510). */
const DELEGATE_BYTES = 55 << 20;
const RUNNING_MAX = 16;

type ReadFile = (file: string) => string;

/** How many delegates fit into memory, at most two for each processor and sixteen in all; at least one. */
export function defaultRunningMax(): number {
  return runningMaxOf(read, availableParallelism());
}

/** The same of the files that are given; what is not there reads as "". */
export function runningMaxOf(readFile: ReadFile, processors: number): number {
  const fitting = Math.floor(availableBytes(readFile) / DELEGATE_BYTES);
  return Math.max(1, Math.min(fitting, 2 * processors, RUNNING_MAX));
}

/** Memory that new processes may take: the least of what the machine has and what each cgroup leaves. */
function availableBytes(readFile: ReadFile): number {
  const meminfo = readFile("/proc/meminfo");
  const machine = Number(/^MemAvailable:\s+(\d+) kB/m.exec(meminfo)?.[1] ?? 0) * 1024;
  return Math.min(machine, ...cgroupRooms(readFile));
}

interface CgroupVersion {
  /** The process's own group in /proc/self/cgroup. */
  readonly own: RegExp;
  readonly folder: string;
  readonly max: string;
  readonly current: string;
  /** Pages of files in memory.stat: given back when something else needs room, so they are no use of it. */
  readonly files: RegExp;
}

/** Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst of the kernel. */
const CGROUPS: readonly CgroupVersion[] = [
  {
    own: /^0::(\/.*)$/m,
    folder: "/sys/fs/cgroup",
    max: "memory.max",
    current: "memory.current",
    files: /^file (\d+)$/m,
  },
  {
    own: /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(\/.*)$/m,
    folder: "/sys/fs/cgroup/memory",
    max: "memory.limit_in_bytes",
    current: "memory.usage_in_bytes",
    files: /^total_cache (\d+)$/m,
  },
];

function cgroupRooms(readFile: ReadFile): number[] {
  const groups = readFile("/proc/self/cgroup");
  return CGROUPS.flatMap((version) => {
    const own = version.own.exec(groups)?.[1];
    return own === undefined ? [] : roomsAbove(own, { version, readFile });
  });
}

function roomsAbove(
  own: string,
  { version, readFile }: { readonly version: CgroupVersion; readonly readFile: ReadFile },
): number[] {
  const rooms: number[] = [];
  for (let path = own; ; path = dirname(path)) {
    const folder = join(version.folder, path);
    const max = Number.parseInt(readFile(join(folder, version.max)), 10);
    if (Number.isFinite(max)) {
      const current = Number.parseInt(readFile(join(folder, version.current)), 10) || 0;
      const files = Number(version.files.exec(readFile(join(folder, "memory.stat")))?.[1] ?? 0);
      rooms.push(Math.max(0, max - Math.max(0, current - files)));
    }
    if (path === "/" || path === ".") return rooms;
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
