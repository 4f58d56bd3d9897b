// Runs every test and ends with a line "N passed, N failed, N skipped". `npm test` sets up first.
import { parseArgs } from "node:util";
import {
  conformanceLane,
  e2eLane,
  type Lane,
  type LaneResult,
  runLane,
  servicesLane,
  shimLane,
  simulationLane,
  unitLane,
} from "./lanes.ts";

const lanes: readonly Lane[] = [
  unitLane(),
  shimLane(),
  simulationLane({ steps: 200_000 }),
  e2eLane(),
  servicesLane(),
  conformanceLane(),
];

const usage = `Usage: npm test [-- --only LANE]...

${lanes.map(({ name, about }) => `  ${name.padEnd(11)} ${about}`).join("\n")}

  --only LANE  run only this lane; may be repeated
  --help       this text`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { only: { type: "string", multiple: true }, help: { type: "boolean", short: "h" } },
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const unknown = values.only?.find((name) => !lanes.some((lane) => lane.name === name));
  if (unknown !== undefined) {
    console.error(`Unknown lane ${unknown}\n\n${usage}`);
    return 2;
  }
  const chosen = lanes.filter(({ name }) => values.only?.includes(name) ?? true);
  const results: { lane: Lane; result: LaneResult; seconds: number }[] = [];
  for (const lane of chosen) {
    console.log(`\n== ${lane.name}: ${lane.about}`);
    const startedMs = performance.now();
    const result = await runLane(lane);
    results.push({ lane, result, seconds: (performance.now() - startedMs) / 1000 });
  }
  return summarise(results);
}

function summarise(
  results: readonly { lane: Lane; result: LaneResult; seconds: number }[],
): number {
  console.log("");
  for (const { lane, result } of results) {
    for (const skip of result.skips) console.log(`skipped in ${lane.name}: ${skip}`);
  }
  for (const { lane, result, seconds } of results) {
    const { passed, failed, skipped } = result;
    const numbers = `${passed} passed, ${failed} failed, ${skipped} skipped`;
    console.log(`${lane.name.padEnd(11)} ${numbers} (${seconds.toFixed(1)} s)`);
  }
  const total = (key: "passed" | "failed" | "skipped") =>
    results.reduce((sum, { result }) => sum + result[key], 0);
  console.log(`${total("passed")} passed, ${total("failed")} failed, ${total("skipped")} skipped`);
  return total("failed") > 0 || total("passed") === 0 ? 1 : 0;
}

process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  return 2;
});
