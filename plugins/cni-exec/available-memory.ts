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

/** cgroup v2. Pages of files are given back when something else needs room, so they are no use of it. */
function cgroupRooms(readFile: ReadFile): number[] {
  const own = /^0::(\/.*)$/m.exec(readFile("/proc/self/cgroup"))?.[1];
  if (own === undefined) return [];
  const rooms: number[] = [];
  for (let path = own; ; path = dirname(path)) {
    const folder = join("/sys/fs/cgroup", path);
    const max = Number.parseInt(readFile(join(folder, "memory.max")), 10);
    if (Number.isFinite(max)) {
      const current = Number.parseInt(readFile(join(folder, "memory.current")), 10) || 0;
      const files = Number(/^file (\d+)$/m.exec(readFile(join(folder, "memory.stat")))?.[1] ?? 0);
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
