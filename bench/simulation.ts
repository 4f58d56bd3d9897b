import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { BenchRow } from "./rows.ts";

const program: string = join(import.meta.dirname, "../test/simulation/main.ts");

/** Steps of the simulator in a second, invariants checked after each. */
export function benchSimulation(options: {
  readonly quick: boolean;
  readonly progress: (line: string) => void;
}): BenchRow[] {
  if (!existsSync(program)) throw new Error(`Cannot find ${program}`);
  const steps = options.quick ? 20_000 : 100_000;
  options.progress(`simulation, ${steps} steps`);
  const startMs = performance.now();
  const run = spawnSync(process.execPath, [program, "--seed", "1", "--steps", String(steps)], {
    encoding: "utf8",
  });
  const seconds = (performance.now() - startMs) / 1000;
  if (run.status !== 0) {
    throw new Error(`The simulation failed: ${(run.stderr + run.stdout).slice(-2000)}`);
  }
  return [
    {
      name: "simulation: steps",
      ours: Math.round(steps / seconds),
      unit: "steps/s",
      target: { kind: "above", value: 5000 },
      note: "start of the process included",
    },
  ];
}
