import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TokenBucket } from "./token-bucket.ts";

describe("TokenBucket", () => {
  it("gives a burst, then one in each pause, and says when", () => {
    const bucket = new TokenBucket({ burst: 2, refillMs: 1_000 });
    const taken: number[] = [];
    for (let nowMs = 5_000; nowMs <= 8_000; nowMs += 100) {
      while (bucket.readyMs(nowMs) === nowMs && bucket.take(nowMs)) taken.push(nowMs);
    }
    assert.deepEqual(taken, [5_000, 5_000, 6_000, 7_000, 8_000]);
    assert.equal(bucket.readyMs(8_300), 9_000);
  });

  it("holds no more than the burst, however long nobody takes", () => {
    const bucket = new TokenBucket({ burst: 3, refillMs: 1_000 });
    for (let count = 0; count < 3; count++) assert.equal(bucket.take(0), true);
    assert.equal(bucket.take(0), false);
    const taken = Array.from({ length: 10 }, () => bucket.take(1_000_000)).filter(Boolean);
    assert.equal(taken.length, 3);
  });
});
