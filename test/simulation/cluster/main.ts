// Runs hosts on clusters in memory, with faults by seed: npm run simulate:cluster -- --help
import { randomInt } from "node:crypto";
import { Command } from "commander";
import { runEpisode } from "./episode.ts";

const program = new Command("simulate:cluster")
  .description(
    "Follows clusters in memory, with faults by seed, and checks what hosts know of them.",
  )
  .option("--seed <number>", "seed to replay", Number)
  .option("--steps <number>", "steps", Number, 100_000)
  .option("--episode <number>", "only this episode of the seed", Number)
  .option("--trace", "print everything that happens", false)
  .parse();

const options = program.opts<{ seed?: number; steps: number; episode?: number; trace: boolean }>();
const seed = options.seed ?? randomInt(2 ** 32);
const counts = new Map<string, number>();
let steps = 0;
let episode = options.episode ?? 0;
for (; steps < options.steps; episode++) {
  const result = await runEpisode({
    seed,
    episode,
    ...(options.trace && { trace: (line: string) => console.log(line) }),
  });
  steps += result.steps;
  for (const [what, count] of result.counts) counts.set(what, (counts.get(what) ?? 0) + count);
  if (result.failure) {
    console.log(`BROKEN at step ${result.failure.step}: ${result.failure.message}`);
    console.log("Replay with:");
    console.log(`  npm run simulate:cluster -- --seed ${seed} --episode ${episode} --trace`);
    process.exitCode = 1;
    break;
  }
  if (options.episode !== undefined) break;
}
const verdict = process.exitCode ? "FAILED" : "ok";
console.log(`clusters ${verdict}: ${steps.toLocaleString("en")} steps, seed ${seed}`);
if (!process.exitCode) {
  console.log(
    [...counts]
      .map(([what, count]) => `${what} ${count}`)
      .sort()
      .join(", "),
  );
}
