import { spawn } from "node:child_process";
import { setImmediate as breathe } from "node:timers/promises";
import { percentile } from "../rows.ts";
import { chainChange, chainRuleset } from "./chain-layout.ts";
import { megabytesBetween, readKernelMemory } from "./kernel-memory.ts";
import { type LoadTimes, openNodeInProcess } from "./node-in-process.ts";
import { endpointAt, sampleServices, sliceObject } from "./sample-services.ts";

// What has to run in a process of its own: in a namespace that nothing else is in, with a heap that
// nothing else has filled. `node task.ts NAME JSON` prints one line of JSON. Started by run-task.ts.

export interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly samples: number;
}

export interface ChangeAnswer {
  readonly load: LoadTimes;
  readonly kernelMegabytes: number;
  /** Of each change, ms. */
  readonly changeMs: readonly number[];
}

/** Empty: it was stopped at the deadline. */
export interface ChainAnswer {
  readonly loadMs?: number;
  readonly kernelMegabytes?: number;
  /** Of each change, ms. */
  readonly changeMs?: readonly number[];
}

export interface RollingAnswer {
  readonly cpuMs: Spread;
  readonly wallMs: Spread;
  readonly elements: Spread;
}

const tasks = {
  /** One endpoint of three changes, again and again. */
  async change(how: {
    services: number;
    changes: number;
    isMemoryRead: boolean;
  }): Promise<ChangeAnswer> {
    await using node = await openNodeInProcess();
    await node.load([]);
    const memory = await watchKernelMemory(how.isMemoryRead);
    const services = sampleServices(how.services, 3);
    const load = await node.load(services);
    const kernelMegabytes = await memory();
    const changeMs: number[] = [];
    // The first changes are not counted: V8 compiles during them.
    for (let at = -200; at < how.changes; at++) {
      const { name, endpoints } = pick(services, at + 200);
      const fresh = endpointAt(1_000_000 + at + 200);
      const object = sliceObject(name, { endpoints: [...endpoints.slice(1), fresh] });
      const startMs = performance.now();
      await node.change({ kind: "put", object });
      if (at >= 0) changeMs.push(performance.now() - startMs);
      // As after an event: what it left behind is not the next one's to clear up.
      await breathe();
    }
    return { load, kernelMegabytes, changeMs };
  },

  /** The same for the chain layout. */
  async chains(how: {
    services: number;
    changes: number;
    deadlineMs: number;
    isMemoryRead: boolean;
  }): Promise<ChainAnswer> {
    await nft(chainRuleset([]), how.deadlineMs);
    const memory = await watchKernelMemory(how.isMemoryRead);
    const services = sampleServices(how.services, 3);
    const loadMs = await nft(chainRuleset(services), how.deadlineMs);
    if (loadMs === undefined) return {};
    const kernelMegabytes = await memory();
    const changeMs: number[] = [];
    for (let at = -2; at < how.changes; at++) {
      const service = pick(services, at + 2);
      const fresh = endpointAt(1_000_000 + at + 2);
      const change = chainChange(service, [...service.endpoints.slice(1), fresh]);
      const ms = await nft(change, how.deadlineMs);
      if (ms === undefined) return { loadMs, kernelMegabytes };
      if (at >= 0) changeMs.push(ms);
    }
    return { loadMs, kernelMegabytes, changeMs };
  },

  /** All endpoints of a Service are replaced, slice after slice, between `services` others. */
  async rolling(how: {
    services: number;
    slices: number;
    perSlice: number;
    rounds: number;
  }): Promise<RollingAnswer> {
    await using node = await openNodeInProcess();
    const services = sampleServices(how.services, 3);
    await node.load(services);
    const { name } = pick(services, 0);
    const put = (round: number, number: number) => {
      const first = 2_000_000 + (round * how.slices + number) * how.perSlice;
      const endpoints = Array.from({ length: how.perSlice }, (_, at) => endpointAt(first + at));
      return { kind: "put", object: sliceObject(name, { endpoints, number }) } as const;
    };
    for (let number = 0; number < how.slices; number++) await node.change(put(0, number));
    const cpuMs: number[] = [];
    const wallMs: number[] = [];
    const elements: number[] = [];
    for (let round = 1; round <= how.rounds; round++) {
      for (let number = 0; number < how.slices; number++) {
        const event = put(round, number);
        const elementsBefore = node.elements();
        const startMs = performance.now();
        const cpu = process.cpuUsage();
        await node.change(event);
        const { user, system } = process.cpuUsage(cpu);
        wallMs.push(performance.now() - startMs);
        cpuMs.push((user + system) / 1000);
        elements.push(node.elements() - elementsBefore);
        await breathe();
      }
    }
    return { cpuMs: spread(cpuMs), wallMs: spread(wallMs), elements: spread(elements) };
  },

  /** Holds Services until standard input ends. */
  async hold(how: { services: number; probe: string; targets: readonly string[] }) {
    await using node = await openNodeInProcess();
    const probe = {
      name: "probe",
      clusterIp: how.probe,
      endpoints: how.targets.map((address) => ({ address, node: "elsewhere" })),
    };
    await node.load([...sampleServices(how.services - 1, 3), probe]);
    console.log("ready");
    for await (const _ of process.stdin);
    return {};
  },
};

export type Tasks = typeof tasks;

/** Returns what says how many MB were taken since; 0 where nobody asks, for it takes a second. */
async function watchKernelMemory(isRead: boolean): Promise<() => Promise<number>> {
  if (!isRead) return async () => 0;
  const before = await readKernelMemory();
  return async () => megabytesBetween(before, await readKernelMemory());
}

function pick<T>(list: readonly T[], at: number): T {
  // Spread over all: the hash tables of the kernel are not walked in order.
  const found = list[(at * 7919) % list.length];
  if (found === undefined) throw new RangeError("No Services");
  return found;
}

function spread(samples: readonly number[]): Spread {
  return {
    p50: percentile(samples, 0.5),
    p99: percentile(samples, 0.99),
    samples: samples.length,
  };
}

/** `nft -f -` from start to exit, ms; undefined: it was killed at the deadline. Throws when it fails. */
function nft(text: string, deadlineMs: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const startMs = performance.now();
    const child = spawn("nft", ["-f", "-"], { stdio: ["pipe", "ignore", "pipe"] });
    let stderr = "";
    let isLate = false;
    // The kernel finishes a transaction before the process may die: nobody waits for that.
    const timer = setTimeout(() => {
      isLate = true;
      child.kill("SIGKILL");
      child.unref();
      child.stderr.destroy();
      resolve(undefined);
    }, deadlineMs);
    child.stderr.setEncoding("utf8").on("data", (part: string) => {
      stderr = (stderr + part).slice(0, 2000);
    });
    child.on("error", reject);
    child.on("exit", (code) => {
      clearTimeout(timer);
      if (isLate) return;
      if (code === 0) resolve(performance.now() - startMs);
      else reject(new Error(`nft failed (${code}): ${stderr}`));
    });
    child.stdin.on("error", () => {});
    child.stdin.end(text);
  });
}

const [name = "", json = "{}"] = process.argv.slice(2);
const task = tasks[name as keyof Tasks] as ((how: unknown) => Promise<unknown>) | undefined;
if (task === undefined) throw new Error(`There is no task ${name}`);
console.log(JSON.stringify(await task(JSON.parse(json))));
process.exit(0);
