import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMITS } from "../../src/plugin-host/limits.ts";
import { type EpisodeOptions, type EpisodeResult, runEpisode } from "./episode.ts";
import { REGRESSIONS } from "./regressions.ts";
import { shrink } from "./shrink.ts";

const FIXED_SEEDS = [1, 20_260_101, 4_294_967_295];

test("runEpisode() of fixed seeds breaks no invariant, and every kind of trouble comes up", async () => {
  const counts = new Map<string, number>();
  for (const seed of FIXED_SEEDS) {
    for (let episode = 0; episode < 5; episode++) {
      const { failure, eventCounts } = await runEpisode({ seed, episode });
      assert.equal(failure, undefined, `seed ${seed}, episode ${episode}`);
      for (const [kind, count] of eventCounts) counts.set(kind, (counts.get(kind) ?? 0) + count);
    }
  }
  const missing = [
    "started",
    "rebooted",
    "attached",
    "attach-failed",
    "detached",
    "detach-failed",
    "leak-candidate",
    "leak-freed",
    "orphan-removed",
    "journal-replayed",
    "flush-failed",
    "reconcile-failed",
    "plugin-misbehaved",
    "claim-released",
  ].filter((kind) => !counts.has(kind));
  assert.deepEqual(missing, []);
});

for (const { seed, episode, invariant } of REGRESSIONS) {
  test(`seed ${seed}, episode ${episode} no longer breaks "${invariant}"`, async () => {
    const { failure } = await runEpisode({ seed, episode });
    assert.equal(failure, undefined);
  });
}

test("the same seed gives the same trace, another seed another", async () => {
  for (let episode = 0; episode < 3; episode++) {
    const lines: string[] = [];
    const first = await runEpisode({ seed: 7, episode });
    const again = await runEpisode({ seed: 7, episode, trace: (line) => lines.push(line) });
    const other = await runEpisode({ seed: 8, episode });
    assert.equal(again.hash, first.hash);
    assert.notEqual(other.hash, first.hash);
    assert.ok(lines.length > 100);
  }
});

test("a store that forgets a commit is found", async () => {
  await mustFind({ bugs: { dropsCommit: 61 } });
});

test("a plugin that detaches somebody else is found", async () => {
  const { failure } = await mustFind({ bugs: { detachesWrong: true } });
  assert.match(failure?.invariant ?? "", /living pod|without/);
});

test("a flush that writes nothing is found", async () => {
  const { failure } = await mustFind({ bugs: { flushesNothing: true } });
  assert.equal(failure?.invariant, "a cooldown survives power loss");
});

test("a leak watch without grace is found", async (context) => {
  const limits: { leakGraceMs: number } = LIMITS;
  const { leakGraceMs } = LIMITS;
  context.after(() => {
    limits.leakGraceMs = leakGraceMs;
  });
  limits.leakGraceMs = 0;
  // A seed that shows it early.
  const { failure } = await mustFind({ seed: 98 });
  assert.match(failure?.invariant ?? "", /living pod|one witness/);
});

test("a host that believes what a runtime leaves out that has just come back is found", async () => {
  // A seed that shows it early.
  const { failure } = await mustFind({ seed: 109, bugs: { believesUnsettled: true } });
  assert.equal(failure?.invariant, "a living pod is never freed");
});

test("a host that misses in lists what is too young to be listed is found", async (context) => {
  const limits: { podListedMs: number } = LIMITS;
  const { podListedMs } = LIMITS;
  context.after(() => {
    limits.podListedMs = podListedMs;
  });
  limits.podListedMs = 0;
  const { failure } = await mustFind({});
  assert.equal(failure?.invariant, "a living pod is never freed");
});

test("shrink() leaves few steps, which still break the same invariant", async () => {
  const options = { bugs: { detachesWrong: true } };
  const { found, ...failed } = await mustFind(options);
  const short = await shrink({ ...options, ...found }, failed, { stepsMax: 60_000 });
  assert.equal(short.result.failure?.invariant, failed.failure?.invariant);
  assert.ok(short.kept.length < failed.lastStep / 2, `${short.kept.length} of ${failed.lastStep}`);
});

/** Runs nodes with a mistake until one breaks; not finding it means that the invariants are blind. */
async function mustFind(
  options: Pick<EpisodeOptions, "bugs"> & { readonly seed?: number },
): Promise<EpisodeResult & { found: { seed: number; episode: number } }> {
  const { seed = 99 } = options;
  for (let episode = 0; episode < 60; episode++) {
    const result = await runEpisode({ ...options, seed, episode });
    if (result.failure) return { ...result, found: { seed, episode } };
  }
  assert.fail("Nothing was found in 60 nodes");
}
