import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { PatchbayError } from "../errors.ts";
import { FakeClock } from "../fake-clock.ts";
import { settled } from "../fake-host-world.ts";
import { CallGate } from "./call-gate.ts";

const limits = {
  pluginCallsMax: 2,
  pluginWaitingMax: 3,
  pluginWaitMs: 10_000,
  pluginStuckMs: 1_000,
};

describe("CallGate", () => {
  let clock: FakeClock;
  let gate: CallGate;
  let log: string[];

  /** A call that ends when told to. */
  function start(name: string): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    gate
      .run(() => {
        log.push(`${name} runs`);
        return promise;
      })
      .then(
        () => log.push(`${name} ended`),
        (error: unknown) => {
          assert.ok(error instanceof PatchbayError && error.code === "PLUGIN_UNAVAILABLE");
          log.push(`${name} refused: ${error.message}`);
        },
      );
    return resolve;
  }

  beforeEach(() => {
    clock = new FakeClock();
    gate = new CallGate("slow", { clock, limits });
    log = [];
  });

  it("run() lets a call wait for its turn, in order, while others end", async () => {
    const endA = start("a");
    start("b");
    start("c");
    start("d");
    await settled();
    assert.deepEqual(log, ["a runs", "b runs"]);
    clock.advance(900);
    assert.equal(gate.oldestMs, 900);
    endA();
    await settled();
    assert.deepEqual(log, ["a runs", "b runs", "c runs", "a ended"]);
    // Something ended a moment ago: d waits on.
    clock.advance(900);
    await settled();
    assert.equal(gate.waiting, 1);
    assert.equal(gate.trouble, "");
  });

  it("run() refuses who waits, and then everybody at once, when nothing ends", async () => {
    const endA = start("a");
    start("b");
    start("c");
    clock.advance(999);
    await settled();
    assert.deepEqual(log, ["a runs", "b runs"]);
    clock.advance(1);
    await settled();
    const reason = "Plugin slow: 2 calls are under way and it has ended none for 1000 ms";
    assert.deepEqual(log.splice(0), ["a runs", "b runs", `c refused: ${reason}`]);
    start("d");
    await settled();
    assert.deepEqual(log.splice(0), [`d refused: ${reason}`]);
    endA();
    await settled();
    start("e");
    await settled();
    assert.deepEqual(log, ["a ended", "e runs"]);
    assert.equal(clock.nextTimerMs(), undefined);
  });

  it("run() refuses one more than may wait", async () => {
    for (const name of ["a", "b", "c", "d", "e"]) start(name);
    assert.equal(gate.trouble, "3 calls wait for it");
    start("f");
    await settled();
    assert.deepEqual(log, ["a runs", "b runs", "f refused: Plugin slow: 3 calls wait for it"]);
  });

  it("run() refuses a call that waited too long although others end", async () => {
    const strict = { ...limits, pluginWaitMs: 1_500 };
    gate = new CallGate("slow", { clock, limits: strict });
    const ends = ["a", "b", "c", "d", "e"].map(start);
    for (const end of ends.slice(0, 2)) {
      clock.advance(800);
      end();
      await settled();
    }
    clock.advance(800);
    await settled();
    assert.equal(log.at(-1), "e refused: Plugin slow: the call waited 1500 ms for its turn");
    assert.equal(gate.running, 2);
  });

  it("run() frees the place of a call that fails", async () => {
    const failing = gate.run(() => Promise.reject(new Error("no")));
    await assert.rejects(failing, /^Error: no$/);
    clock.advance(1);
    assert.deepEqual([gate.running, gate.oldestMs], [0, 0]);
  });
});
