import { randomInt } from "node:crypto";
import { styleText } from "node:util";
import { Command } from "commander";
import { type EpisodeResult, runEpisode } from "./episode.ts";
import { shrink } from "./shrink.ts";

/** Steps that making a failure shorter may cost: some seconds. */
const SHRINK_STEPS = 600_000;
const TRACE_LINES_MAX = 200;

interface Totals {
  steps: number;
  episodes: number;
  pods: number;
  answers: number;
}

const program = new Command("simulate")
  .description(
    "Runs the plugin host's core on fakes, with faults by seed, and checks that nothing is lost.",
  )
  .option("--seed <number>", "seed to replay", parseNumber)
  .option("--steps <number>", "scheduler actions for each seed", parseNumber, 100_000)
  .option("--seeds <count>", '"fresh" for one new seed, or a number of new seeds')
  .option("--episode <number>", "only this episode of the seed", parseNumber)
  .option("--trace", "print everything that happens", false)
  .parse();

const options = program.opts<{
  seed?: number;
  steps: number;
  seeds?: string;
  episode?: number;
  trace: boolean;
}>();
const startedMs = performance.now();
let failedMs: number | undefined;
const totals: Totals = { steps: 0, episodes: 0, pods: 0, answers: 0 };
const seeds = pickSeeds();
for (const seed of seeds) {
  if (await runSeed(seed)) continue;
  process.exitCode = 1;
  break;
}
const seconds = ((failedMs ?? performance.now()) - startedMs) / 1000;
const speed = Math.round(totals.steps / seconds).toLocaleString("en");
const verdict = process.exitCode ? styleText("red", "FAILED") : styleText("green", "ok");
console.log(
  `simulation ${verdict}: ${totals.steps.toLocaleString("en")} steps, ${totals.episodes} nodes, ` +
    `${totals.pods.toLocaleString("en")} pods, ${totals.answers.toLocaleString("en")} answers, ` +
    `${speed} steps/s, seed${seeds.length > 1 ? "s" : ""} ${seeds.slice(0, 4).join(" ")}`,
);

function pickSeeds(): number[] {
  if (options.seed !== undefined) return [options.seed];
  const count =
    options.seeds === undefined || options.seeds === "fresh" ? 1 : parseNumber(options.seeds);
  return Array.from({ length: count }, () => randomInt(2 ** 32));
}

/** Episodes one after the other until the steps are spent. False: an invariant broke. */
async function runSeed(seed: number): Promise<boolean> {
  const only = options.episode;
  let steps = 0;
  for (let episode = only ?? 0; steps < options.steps; episode++) {
    const result = await runEpisode({
      seed,
      episode,
      ...(options.trace ? { trace: (line) => console.log(line) } : {}),
    });
    steps += result.steps;
    totals.steps += result.steps;
    totals.pods += result.pods;
    totals.answers += result.answers;
    totals.episodes++;
    if (result.failure) {
      failedMs = performance.now();
      await report(seed, episode, result);
      return false;
    }
    if (only !== undefined) break;
  }
  return true;
}

async function report(seed: number, episode: number, failed: EpisodeResult): Promise<void> {
  const { invariant, message } = failed.failure ?? { invariant: "", message: "" };
  console.log(styleText("red", `BROKEN ${invariant}: ${message}`));
  console.log(`seed ${seed}, episode ${episode}, step ${failed.lastStep} of it`);
  console.log("Making it shorter ...");
  const shrunk = await shrink({ seed, episode }, failed, { stepsMax: SHRINK_STEPS });
  const lines: string[] = [];
  const kept = new Set(shrunk.kept);
  await runEpisode({
    seed,
    episode,
    stepsMax: failed.lastStep + 1,
    isSkipped: (step) => !kept.has(step),
    trace: (line) => lines.push(line),
  });
  const broken = lines.findIndex((line) => line.includes("BROKEN"));
  const shown = lines.slice(0, broken + 1);
  console.log(
    `${shrunk.kept.length} of ${failed.lastStep + 1} steps are needed (${shrunk.tries} tries):`,
  );
  if (shown.length > TRACE_LINES_MAX)
    console.log(`... ${shown.length - TRACE_LINES_MAX} lines before`);
  for (const line of shown.slice(-TRACE_LINES_MAX)) console.log(line.slice(0, 240));
  console.log("Replay all of it with:");
  console.log(`  npm run simulate -- --seed ${seed} --episode ${episode} --trace`);
  if (options.episode === undefined) {
    console.log(`  npm run simulate -- --seed ${seed} --steps ${options.steps}`);
  }
}

function parseNumber(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  console.error(`simulate: ${JSON.stringify(text)} is no whole number`);
  process.exit(2);
}
