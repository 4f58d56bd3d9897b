import { strict as assert } from "node:assert";
import { describe, it } from "node:test";
import { StickyWays } from "./sticky-ways.ts";
import { FIRST_STICKY_WAY, STICKY_WAYS } from "./ways.ts";

describe("StickyWays", () => {
  it("gives the API's default the first way, whoever comes first", () => {
    const ways = new StickyWays();
    ways.ensure(60);
    assert.deepEqual(ways.ensure(10_800), { way: FIRST_STICKY_WAY, isNew: true });
    assert.deepEqual(ways.ensure(10_800), { way: FIRST_STICKY_WAY, isNew: false });
  });

  it("gives the same ways in another order", () => {
    const seconds = [10_800, 1, 60, 300, 3600, 86_400];
    const forward = new StickyWays();
    for (const each of seconds) forward.ensure(each);
    const backward = new StickyWays();
    for (const each of [...seconds].reverse()) backward.ensure(each);
    for (const each of seconds) assert.equal(forward.find(each), backward.find(each));
  });

  it("shares the nearest longer way when all are taken", () => {
    const ways = new StickyWays();
    for (let index = 1; index <= STICKY_WAYS; index++) ways.ensure(index * 10);
    assert.equal(ways.ensure(15).isNew, false);
    assert.equal(ways.find(15), ways.find(20));
    assert.equal(ways.find(86_400), ways.find(STICKY_WAYS * 10));
  });
});
