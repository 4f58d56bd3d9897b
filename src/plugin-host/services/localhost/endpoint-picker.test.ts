import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { PlannedList } from "../../../services/plan-types.ts";
import { FakeClock } from "../../fake-clock.ts";
import { EndpointPicker } from "./endpoint-picker.ts";
import { makeEndpoint, makeList } from "./fake-plan.ts";

const A = makeEndpoint("10.1.0.1", 80, 1);
const B = makeEndpoint("10.1.0.2", 80, 3);

function setUp(share = 0) {
  const clock = new FakeClock();
  const random = { share };
  const picker = new EndpointPicker({ clock, random: () => random.share });
  return { clock, random, picker };
}

function sticky(endpoints: PlannedList["endpoints"]): PlannedList {
  return makeList(endpoints, { affinity: { seconds: 10, key: "web" } });
}

function hashed(endpoints: PlannedList["endpoints"]): PlannedList {
  return makeList(endpoints, { pick: "consistent-hash" });
}

describe("EndpointPicker", () => {
  for (const [share, expected] of [
    [0, A],
    [0.2499, A],
    [0.25, B],
    [0.9999, B],
    [1 - Number.EPSILON / 2, B],
  ] as const) {
    it(`pick() takes ${expected.address} of weights 1 and 3 for ${share}`, () => {
      const { picker } = setUp(share);
      assert.equal(picker.pick(makeList([A, B])), expected);
    });
  }

  it("pick() keeps the endpoint within the affinity, counted from the last use", () => {
    const { clock, random, picker } = setUp();
    assert.equal(picker.pick(sticky([A, B])), A);
    random.share = 0.9;
    clock.advance(9_999);
    assert.equal(picker.pick(sticky([A, B])), A);
    clock.advance(9_999);
    assert.equal(picker.pick(sticky([A, B])), A);
    clock.advance(10_000);
    assert.equal(picker.pick(sticky([A, B])), B);
  });

  it("pick() leaves an endpoint that the list lost, whatever the affinity", () => {
    const { random, picker } = setUp();
    assert.equal(picker.pick(sticky([A, B])), A);
    assert.equal(picker.pick(sticky([B])), B);
    random.share = 0;
    assert.equal(picker.pick(sticky([A, B])), B);
  });

  it("forget() frees a client of an endpoint that does not answer", () => {
    const { random, picker } = setUp();
    assert.equal(picker.pick(sticky([A, B])), A);
    random.share = 0.9;
    picker.forget(sticky([A, B]));
    assert.equal(picker.pick(sticky([A, B])), B);
  });

  it("pick() by hash is the same always, and moves only with its own endpoint", () => {
    const { random, picker } = setUp();
    const all = Array.from({ length: 20 }, (_, index) => makeEndpoint(`10.1.0.${index}`, 80));
    const picked = picker.pick(hashed(all));
    random.share = 0.9;
    assert.equal(picker.pick(hashed(all.toReversed())), picked);
    for (const gone of all) {
      const others = all.filter((endpoint) => endpoint !== gone);
      const next = picker.pick(hashed(others));
      assert.equal(next === picked, gone !== picked);
    }
  });

  it("pick() by hash follows weights over many lists", () => {
    const { picker } = setUp();
    let heavy = 0;
    for (let net = 0; net < 1_000; net++) {
      const light = makeEndpoint(`10.${net >> 8}.${net & 255}.1`, 80, 1);
      const other = makeEndpoint(`10.${net >> 8}.${net & 255}.2`, 80, 3);
      if (picker.pick(hashed([light, other])) === other) heavy += 1;
    }
    assert.ok(heavy > 700 && heavy < 800, `${heavy} of 1000 where 750 are due`);
  });
});
