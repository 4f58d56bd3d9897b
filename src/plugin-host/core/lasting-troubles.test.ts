import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMITS } from "../limits.ts";
import { LastingTroubles } from "./lasting-troubles.ts";
import type { EventKind } from "./ports.ts";

const ROUND_MS = 10_000;

class World {
  nowMs = 0;
  readonly told: string[] = [];
  readonly troubles = new LastingTroubles({
    clock: { monotonicMs: () => this.nowMs, wallMs: () => 0, after: () => () => {} },
    events: {
      emit: ({ subject, message }) => this.told.push(`${this.nowMs} ${subject}: ${message}`),
    },
  });

  fail(message: string, subject = "a", kind: EventKind = "detach-failed"): void {
    this.troubles.emit({ kind, subject, message });
  }
}

test("emit() tells what lasts at once and then after pauses that double up to an hour", () => {
  const world = new World();
  const toldMs: number[] = [];
  for (let round = 0; round <= 2_000; round++) {
    world.nowMs = round * ROUND_MS;
    const before = world.told.length;
    world.fail(`Waited ${round} ms for it`);
    if (world.told.length > before) toldMs.push(world.nowMs);
  }
  const pauses = toldMs.slice(1).map((ms, at) => ms - (toldMs[at] ?? 0));
  assert.deepEqual(pauses.slice(0, 4), [20_000, 40_000, 80_000, 160_000]);
  assert.equal(Math.max(...pauses), LIMITS.troublePauseMaxMs);
  assert.ok(toldMs.length < 15, String(toldMs.length));
});

test("emit() tells another reason, another subject and another kind at once", () => {
  const world = new World();
  world.fail("no program");
  world.fail("no program");
  world.fail("link is busy");
  world.fail("no program", "b");
  world.fail("no program", "b", "reconcile-failed");
  assert.deepEqual(world.told, [
    "0 a: no program",
    "0 a: link is busy",
    "0 b: no program",
    "0 b: no program",
  ]);
});

test("emit() tells at once what comes again after it was over", () => {
  const world = new World();
  world.fail("no program");
  for (const ms of [20_000, 60_000]) {
    world.nowMs = ms;
    world.fail("no program");
  }
  world.nowMs = 60_000 + 600_000;
  world.fail("no program");
  world.nowMs += ROUND_MS;
  world.fail("no program");
  assert.deepEqual(
    world.told.map((line) => line.split(" ")[0]),
    ["0", "20000", "60000", "660000"],
  );
});
