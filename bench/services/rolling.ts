import type { BenchRow } from "../rows.ts";
import type { Options } from "./options.ts";
import { runTask } from "./run-task.ts";

const TASK_MS = 120_000;

/** A Service with 1,000 endpoints is rolled: 100 slices, all endpoints of each replaced. */
export async function benchRolling(options: Options): Promise<BenchRow[]> {
  const most = options.quick ? 1000 : 10_000;
  options.progress(`services: a rolling update between ${most} Services`);
  const shape = { slices: 100, perSlice: 10, rounds: options.quick ? 1 : 3, limitMs: TASK_MS };
  const alone = await runTask("rolling", { ...shape, services: 10 });
  const among = await runTask("rolling", { ...shape, services: most });
  const count = most.toLocaleString("en-US");
  return [
    {
      name: "services: rolling update of 1,000 endpoints, CPU per slice",
      ours: among.cpuMs.p50,
      unit: "ms",
      target: { kind: "below", value: 50 },
      note: `p50 of ${among.cpuMs.samples}, p99 ${among.cpuMs.p99.toFixed(1)} ms; 100 slices of 10 between ${count} Services; all threads, kernel included`,
    },
    {
      name: "services: the same, elements given to the kernel",
      ours: among.elements.p50,
      unit: "elements",
      target: { kind: "below", value: 100 },
      note: `p50 a slice event, p99 ${among.elements.p99}: those of the 10 endpoints, old and new`,
    },
    {
      name: `services: the same, ${count} Services against 10`,
      ours: among.cpuMs.p50,
      peer: { name: "10 Services", value: alone.cpuMs.p50 },
      unit: "ms",
      target: { kind: "within", times: 1.5 },
      note: "no full recomputation",
    },
  ];
}
