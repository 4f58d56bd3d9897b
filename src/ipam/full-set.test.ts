import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FullSet } from "./full-set.ts";

test("firstNotFull() is the place itself while nothing is full", () => {
  const set = new FullSet();
  for (const place of [0, 31, 32, 1023, 2 ** 31, 2 ** 53 - 1]) {
    assert.equal(set.firstNotFull(place), place);
  }
});

test("firstNotFull() skips runs of any length, across words and levels", () => {
  for (const length of [1, 31, 32, 33, 1024, 1025, 32_768, 100_000]) {
    for (const start of [0, 5, 32, 2 ** 40, 2 ** 53 - 1 - length]) {
      const set = new FullSet();
      for (let place = start; place < start + length; place++) set.add(place);
      assert.equal(set.firstNotFull(start), start + length, `${start} + ${length}`);
      assert.equal(set.firstNotFull(start + length - 1), start + length);
      if (start > 0) assert.equal(set.firstNotFull(start - 1), start - 1);
      const hole = start + Math.floor(length / 2);
      set.delete(hole);
      assert.equal(set.firstNotFull(start), hole);
      for (let place = start; place < start + length; place++) set.delete(place);
      assert.equal(set.firstNotFull(start), start);
    }
  }
});

test("FullSet does what a plain Set does over random places", () => {
  const place = fc.oneof(fc.nat(70), fc.integer({ min: 1000, max: 1100 }));
  const steps = fc.array(fc.record({ isAdd: fc.boolean(), from: place, length: fc.nat(40) }), {
    maxLength: 60,
    size: "max",
  });
  fc.assert(
    fc.property(steps, fc.array(place), (changes, queries) => {
      const set = new FullSet();
      const model = new Set<number>();
      for (const { isAdd, from, length } of changes) {
        for (let each = from; each < from + length; each++) {
          if (isAdd) set.add(each);
          else set.delete(each);
          if (isAdd) model.add(each);
          else model.delete(each);
        }
      }
      for (const from of queries) {
        let expected = from;
        while (model.has(expected)) expected++;
        assert.equal(set.firstNotFull(from), expected);
      }
    }),
    { numRuns: 500 },
  );
});
