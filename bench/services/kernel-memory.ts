import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/**
 * What the kernel has allocated for its own data, bytes. Objects and not slabs: what was freed before leaves
 * slabs half empty, and who comes next would seem to need nothing.
 */
export interface KernelMemory {
  /** Objects of all kmalloc caches. */
  readonly objects: number;
  /** Allocations too large for a cache: the buckets of large hash tables. */
  readonly large: number;
  readonly percpu: number;
  readonly vmalloc: number;
}

const PAUSE_MS = 250;
const STILL_BYTES = 300_000;
const STILL_ROUNDS = 4;
const LONGEST_MS = 8000;

/**
 * Read when it has come to rest: tables and namespaces of before are freed in the background for
 * seconds, and would count as what was gained since. Needs root, as /proc/slabinfo does.
 */
export async function readKernelMemory(): Promise<KernelMemory> {
  const startMs = performance.now();
  let last = readNow();
  let still = 0;
  while (still < STILL_ROUNDS && performance.now() - startMs < LONGEST_MS) {
    await delay(PAUSE_MS);
    const next = readNow();
    still = Math.abs(bytesBetween(last, next)) < STILL_BYTES ? still + 1 : 0;
    last = next;
  }
  return last;
}

/** Difference in MB (10^6 bytes). */
export function megabytesBetween(before: KernelMemory, after: KernelMemory): number {
  return bytesBetween(before, after) / 1e6;
}

function bytesBetween(before: KernelMemory, after: KernelMemory): number {
  return sum(after) - sum(before);
}

function sum({ objects, large, percpu, vmalloc }: KernelMemory): number {
  return objects + large + percpu + vmalloc;
}

function readNow(): KernelMemory {
  const text = readFileSync("/proc/meminfo", "utf8");
  const bytes = (name: string): number => {
    const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1];
    if (found === undefined) throw new Error(`Cannot find ${name} in /proc/meminfo`);
    return Number(found) * 1024;
  };
  const { objects, slabs } = readSlabs();
  return {
    objects,
    large: bytes("Slab") - slabs,
    percpu: bytes("Percpu"),
    vmalloc: bytes("VmallocUsed"),
  };
}

const PAGE_BYTES = 4096;

/** Bytes of objects in kmalloc caches, and of the slabs of all caches (Documentation/mm/slab.rst; slabinfo 2.1). */
function readSlabs(): { objects: number; slabs: number } {
  let objects = 0;
  let slabs = 0;
  for (const line of readFileSync("/proc/slabinfo", "utf8").split("\n").slice(2)) {
    const fields = line.split(/\s+/);
    const [name = "", active, , objectBytes, , pagesASlab] = fields;
    if (name === "") continue;
    // After "slabdata": active slabs, all slabs.
    slabs += Number(fields[14]) * Number(pagesASlab) * PAGE_BYTES;
    if (name.startsWith("kmalloc-")) objects += Number(active) * Number(objectBytes);
  }
  return { objects, slabs };
}
