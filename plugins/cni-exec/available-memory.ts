import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";

/** What one delegate may need: the largest that is known well is cilium-cni (multus-cni PR 1510). */
const DELEGATE_BYTES = 55 << 20;
const RUNNING_MAX = 16;

/** How many delegates fit into memory, at most two for each processor and sixteen in all; at least one. */
export function defaultRunningMax(): number {
  const fitting = Math.floor(availableBytes() / DELEGATE_BYTES);
  return Math.max(1, Math.min(fitting, 2 * availableParallelism(), RUNNING_MAX));
}

/** Memory that new processes may take: the least of what the machine has and what each cgroup leaves. */
function availableBytes(): number {
  const machine = Number(/^MemAvailable:\s+(\d+) kB/m.exec(read("/proc/meminfo"))?.[1] ?? 0) * 1024;
  return Math.min(machine, ...cgroupRooms());
}

/** cgroup v2. Pages of files are given back when something else needs room, so they are no use of it. */
function cgroupRooms(): number[] {
  const own = /^0::(\/.*)$/m.exec(read("/proc/self/cgroup"))?.[1];
  if (own === undefined) return [];
  const rooms: number[] = [];
  for (let path = own; ; path = dirname(path)) {
    const folder = join("/sys/fs/cgroup", path);
    const max = Number.parseInt(read(join(folder, "memory.max")), 10);
    if (Number.isFinite(max)) {
      const current = Number.parseInt(read(join(folder, "memory.current")), 10) || 0;
      const files = Number(/^file (\d+)$/m.exec(read(join(folder, "memory.stat")))?.[1] ?? 0);
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
