import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** What the kernel has taken for itself and cannot give back, kB: unreclaimable slab, per-CPU memory, vmalloc. */
export interface KernelMemory {
  readonly slab: number;
  readonly percpu: number;
  readonly vmalloc: number;
}

const PAUSE_MS = 200;
const STILL_KIBIBYTES = 300;
const LONGEST_MS = 5000;

/**
 * Read when it has come to rest: tables and namespaces of before are freed in the background for
 * seconds, and would count as what was gained since.
 */
export async function readKernelMemory(): Promise<KernelMemory> {
  const startMs = performance.now();
  let last = readNow();
  let still = 0;
  while (still < 3 && performance.now() - startMs < LONGEST_MS) {
    await delay(PAUSE_MS);
    const next = readNow();
    still = Math.abs(kibibytesBetween(last, next)) < STILL_KIBIBYTES ? still + 1 : 0;
    last = next;
  }
  return last;
}

/** Difference in MB (10^6 bytes). */
export function megabytesBetween(before: KernelMemory, after: KernelMemory): number {
  return (kibibytesBetween(before, after) * 1024) / 1e6;
}

function kibibytesBetween(before: KernelMemory, after: KernelMemory): number {
  return after.slab - before.slab + after.percpu - before.percpu + after.vmalloc - before.vmalloc;
}

function readNow(): KernelMemory {
  const text = readFileSync("/proc/meminfo", "utf8");
  const kibibytes = (name: string): number => {
    const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1];
    if (found === undefined) throw new Error(`Cannot find ${name} in /proc/meminfo`);
    return Number(found);
  };
  return {
    slab: kibibytes("SUnreclaim"),
    percpu: kibibytes("Percpu"),
    vmalloc: kibibytes("VmallocUsed"),
  };
}
