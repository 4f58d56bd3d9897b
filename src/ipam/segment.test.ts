import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { PAGE_SLOTS, Segment, type Spot } from "./segment.ts";

const START: Spot = { page: 0, slot: 0 };

test("findSpot() and addressAt() are each other's inverse over a whole /64", () => {
  const first = 0xfd00n << 112n;
  const last = first + (1n << 64n) - 1n;
  const segment = new Segment<string>({ first, last });
  const offset = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
  fc.assert(
    fc.property(offset, (each) => {
      const spot = segment.findSpot(first + each)!;
      assert.ok(Number.isSafeInteger(spot.page) && spot.slot < PAGE_SLOTS);
      assert.equal(segment.addressAt(spot), first + each);
    }),
  );
  assert.equal(segment.findSpot(first - 1n), undefined);
  assert.equal(segment.findSpot(last + 1n), undefined);
});

test("findFree() ends at the last address of a /64", () => {
  const first = 0xfd00n << 112n;
  const last = first + (1n << 64n) - 1n;
  const segment = new Segment<string>({ first, last });
  const spot = segment.findSpot(last)!;
  assert.deepEqual(segment.findFree(spot), spot);
  segment.set(spot, "last");
  assert.equal(segment.findFree(spot), undefined);
  assert.equal(segment.findFree({ page: spot.page, slot: spot.slot + 1 }), undefined);
  const before = segment.findSpot(last - BigInt(PAGE_SLOTS))!;
  assert.deepEqual(segment.findFree(before), before);
});

test("findFree() skips a million addresses in use", () => {
  const segment = new Segment<number>({ first: 0n, last: 0xff_ffffn });
  const count = 1_000_000;
  for (let index = 0; index < count; index++) {
    segment.set({ page: Math.floor(index / PAGE_SLOTS), slot: index % PAGE_SLOTS }, index);
  }
  assert.equal(segment.addressAt(segment.findFree(START)!), BigInt(count));
  assert.equal(segment.used, count);
});

test("delete() drops pages that are empty", () => {
  const segment = new Segment<number>({ first: 0n, last: (1n << 64n) - 1n });
  const spots = Array.from({ length: 100 }, (_, page) => ({ page: page * 1e12, slot: page }));
  for (const spot of spots) segment.set(spot, spot.page);
  assert.equal(segment.pagesInMemory, 100);
  for (const spot of spots) assert.equal(segment.get(spot), spot.page);
  for (const spot of spots) segment.delete(spot);
  for (const spot of spots) segment.delete(spot);
  assert.equal(segment.pagesInMemory, 0);
  assert.equal(segment.used, 0);
});

/** Sizes around the bounds of rows and pages. */
const SIZES = [1, 2, 31, 32, 33, 64, 2047, 2048, 2049, 4096, 5000];

test("Segment does what an array does over random changes", () => {
  const change = fc.record({ isSet: fc.boolean(), from: fc.nat(), length: fc.nat(3000) });
  fc.assert(
    fc.property(
      fc.constantFrom(...SIZES),
      fc.array(change, { maxLength: 12, size: "max" }),
      fc.array(fc.nat(), { maxLength: 20, size: "max" }),
      (size, changes, queries) => {
        const first = 1000n;
        const segment = new Segment<number>({ first, last: first + BigInt(size) - 1n });
        const model = new Array<number | undefined>(size).fill(undefined);
        for (const { isSet, from, length } of changes) {
          for (let step = 0; step < length; step++) {
            const index = (from + step) % size;
            const spot = segment.findSpot(first + BigInt(index))!;
            model[index] = isSet ? from : undefined;
            if (isSet) segment.set(spot, from);
            else segment.delete(spot);
          }
        }
        assert.equal(segment.used, model.filter((value) => value !== undefined).length);
        assert.equal(segment.isFull, !model.includes(undefined));
        for (const query of [0, size - 1, ...queries]) {
          const from = query % size;
          const spot = segment.findSpot(first + BigInt(from))!;
          assert.equal(segment.get(spot), model[from]);
          const expected = model.indexOf(undefined, from);
          const free = segment.findFree(spot);
          assert.equal(free === undefined ? -1 : Number(segment.addressAt(free) - first), expected);
        }
      },
    ),
    { numRuns: 500 },
  );
});
