import { strict as assert } from "node:assert";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { AddressText } from "../../src/services/model.ts";
import { fillSlots, slotWeights } from "./slots.ts";

describe("fillSlots()", () => {
  it("keeps who has a slot and puts the last into the hole", () => {
    const slots = fillSlots(
      [7, 8, 9, 10],
      new Map([
        [8, 1],
        [9, 1],
        [10, 1],
      ]),
    );
    assert.deepEqual(slots, [10, 8, 9]);
  });

  it("adds at the end", () => {
    assert.deepEqual(
      fillSlots(
        [7],
        new Map([
          [7, 1],
          [8, 2],
        ]),
      ),
      [7, 8, 8],
    );
  });

  it("gives everyone its weight, whatever was there, and changes no more than it must", () => {
    const seats = fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { maxLength: 20 });
    fc.assert(
      fc.property(
        seats,
        seats,
        fc.infiniteStream(fc.integer({ min: 1, max: 4 })),
        (a, b, stream) => {
          const weigh = (list: number[]) =>
            new Map(list.map((seat) => [seat, stream.next().value as number]));
          const before = weigh(a);
          const after = weigh(b);
          const old = fillSlots([], before);
          const slots = fillSlots(old, after);
          const counts = new Map<number, number>();
          for (const seat of slots) counts.set(seat, (counts.get(seat) ?? 0) + 1);
          assert.deepEqual([...counts].sort(byKey), [...after].sort(byKey));
          const changed = slots.filter(
            (seat, slot) => slot < old.length && old[slot] !== seat,
          ).length;
          let surplus = 0;
          for (const [seat, weight] of before)
            surplus += Math.max(0, weight - (after.get(seat) ?? 0));
          assert(changed <= surplus, `${changed} slots changed for ${surplus}`);
        },
      ),
    );
  });
});

describe("slotWeights()", () => {
  const endpoints = (weights: readonly number[]) =>
    weights.map((weight, index) => ({
      address: `10.0.0.${index}` as AddressText,
      port: 80,
      weight,
    }));

  it("divides by what all have in common", () => {
    assert.deepEqual(slotWeights(endpoints([100, 50, 200])), [2, 1, 4]);
    assert.deepEqual(slotWeights(endpoints([1, 1])), [1, 1]);
    assert.deepEqual(slotWeights(endpoints([256])), [1]);
  });

  it("keeps to what a list can hold", () => {
    const weights = slotWeights(endpoints([...Array<number>(1999).fill(256), 255]));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    assert(total <= 65_536 && Math.min(...weights) >= 1, `${total}`);
  });
});

function byKey([a]: [number, number], [b]: [number, number]): number {
  return a - b;
}
