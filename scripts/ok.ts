// The quick gate: format, lint, types, generated code, unit and kernel tests, a short simulation.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { type Lane, runLane, simulationLane, unitLane } from "./lanes.ts";

const repository = join(import.meta.dirname, "..");
const bin = (name: string) => join(repository, "node_modules/.bin", name);

/** Programs that must succeed, each with what to do when one does not. */
const programs: readonly {
  name: string;
  command: string;
  args: readonly string[];
  remedy: string;
}[] = [
  { name: "format", command: bin("biome"), args: ["format", "."], remedy: "npm run format" },
  { name: "lint", command: bin("oxlint"), args: [], remedy: "mend what it names" },
  { name: "types", command: bin("tsc"), args: ["--noEmit"], remedy: "mend what it names" },
  {
    name: "generated code",
    command: process.execPath,
    args: ["scripts/generate-types.ts", "--check"],
    remedy: "npm run generate",
  },
];

const lanes: readonly Lane[] = [unitLane(), simulationLane({ steps: 20_000 })];

async function main(): Promise<number> {
  const failures: string[] = [];
  for (const { name, command, args, remedy } of programs) {
    const startedMs = performance.now();
    const { status } = spawnSync(command, args, { cwd: repository, stdio: "inherit" });
    report(name, status === 0, startedMs);
    if (status !== 0) failures.push(`${name} (${remedy})`);
  }
  for (const lane of lanes) {
    const startedMs = performance.now();
    const { failed } = await runLane(lane);
    report(lane.name, failed === 0, startedMs);
    if (failed > 0) failures.push(lane.name);
  }
  if (failures.length === 0) return 0;
  console.error(`\nNot ok: ${failures.join(", ")}`);
  return 1;
}

function report(name: string, succeeded: boolean, startedMs: number): void {
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  console.log(`${succeeded ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
}

process.exitCode = await main();
