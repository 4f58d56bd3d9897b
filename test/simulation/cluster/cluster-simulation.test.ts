import assert from "node:assert/strict";
import { test } from "node:test";
import { runEpisode } from "./episode.ts";

/** Fixed, so that a run takes the same time each time; PATCHBAY_CLUSTER_SEED replays one that failed. */
const SEEDS = process.env["PATCHBAY_CLUSTER_SEED"]
  ? [Number(process.env["PATCHBAY_CLUSTER_SEED"])]
  : [1, 20_261_121];
const EPISODES = 10;

/** Episodes that broke an invariant once. */
const REGRESSIONS = [
  { what: "a kind that the server does not have is written down as absent", seed: 1, episode: 0 },
  { what: "watches that begin with an error each time are no storm", seed: 1, episode: 22 },
  { what: "the own Node is as of the version that is known", seed: 4, episode: 4 },
];

for (const seed of SEEDS) {
  test(`runEpisode() of seed ${seed} breaks no invariant, and every kind of trouble comes up`, async () => {
    const counts = new Map<string, number>();
    for (let episode = 0; episode < EPISODES; episode++) {
      const result = await runEpisode({ seed, episode });
      const replay = `npm run simulate:cluster -- --seed ${seed} --episode ${episode} --trace`;
      assert.equal(result.failure, undefined, replay);
      for (const [what, count] of result.counts) {
        counts.set(what, (counts.get(what) ?? 0) + count);
      }
    }
    const missing = KINDS.filter((kind) => !counts.has(kind));
    assert.deepEqual(missing, []);
  });
}

const KINDS = [
  "put",
  "remove",
  "start",
  "close",
  "kill",
  "killed",
  "down:",
  "minute",
  "trouble",
  "weather",
  "lists",
  "served",
  "backup",
  "restore",
  "another",
  "rest",
];

for (const { what, seed, episode } of REGRESSIONS) {
  test(`${what}: seed ${seed}, episode ${episode}`, async () => {
    const { failure } = await runEpisode({ seed, episode });
    assert.equal(failure, undefined);
  });
}
