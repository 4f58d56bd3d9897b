import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { openKernel } from "../src/kernel/rtnetlink-kernel.ts";
import { type ExecCall, execPlugins } from "./exec-driver.ts";
import { readRssMegabytes, startHost } from "./host-process.ts";
import { createPods, deletePods } from "./pods.ts";
import type { BenchRow } from "./rows.ts";

const shim: string = join(import.meta.dirname, "../build/cni/patchbay");
const podsAtOnce = 100;
/** Flat: after 10,000 no more than a tenth above what it is after 1,000. */
const flatWithin = 1.1;

/** Memory of the host at rest, and after pods came and went by the thousand. */
export async function benchHostMemory(options: {
  readonly folder: string;
  readonly quick: boolean;
  readonly progress: (line: string) => void;
}): Promise<BenchRow[]> {
  const stops = options.quick ? [200, 400, 600] : [1000, 5000, 10_000];
  await using host = await startHost(join(options.folder, "memory-node"));
  await using kernel = await openKernel();
  const stdinFile = join(options.folder, "memory.json");
  writeFileSync(
    stdinFile,
    JSON.stringify({ cniVersion: "1.1.0", name: "bench", type: "patchbay", root: host.root }),
  );
  await delay(2000);
  const idle = readRssMegabytes(host.pid);
  const pods = await createPods(kernel, "memory", podsAtOnce);
  const readings: number[] = [];
  let made = 0;
  for (const stop of stops) {
    for (; made < stop; made += podsAtOnce) {
      if (made % 500 === 0) options.progress(`memory of the host, ${made} of ${stops.at(-1)} pods`);
      churn(pods, made, stdinFile);
    }
    await delay(1000);
    readings.push(readRssMegabytes(host.pid));
  }
  await deletePods(kernel, pods);
  const [first = 0, second = 0, last = 0] = readings;
  const [firstStop, secondStop, lastStop] = stops;
  return [
    {
      name: "host: resident memory, idle",
      ours: idle,
      unit: "MB",
      target: { kind: "below", value: 100 },
      note: "Rss of the whole process, after start",
    },
    { name: `host: resident memory after ${firstStop} ADD+DEL`, ours: first, unit: "MB" },
    { name: `host: resident memory after ${secondStop} ADD+DEL`, ours: second, unit: "MB" },
    {
      name: `host: resident memory after ${lastStop} ADD+DEL`,
      ours: last,
      peer: { name: `after ${firstStop}`, value: first },
      unit: "MB",
      target: { kind: "within", times: flatWithin },
      note: "flat",
    },
  ];
}

/** New containers in the same namespaces, all of them at once. */
function churn(pods: readonly ExecCall[], from: number, stdinFile: string): void {
  const calls = pods.map((pod, index) => ({ ...pod, containerId: `memory-${from + index}` }));
  const common = { binary: shim, calls, stdinFile, concurrency: podsAtOnce };
  execPlugins({ ...common, command: "ADD" });
  execPlugins({ ...common, command: "DEL" });
}
