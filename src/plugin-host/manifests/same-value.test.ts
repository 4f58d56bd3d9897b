import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { sameValue } from "./same-value.ts";

it("sameValue() is true of copies, in whatever order of keys", () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      assert.equal(sameValue(value, turned(value)), true);
    }),
  );
});

it("sameValue() is false of what differs", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (left, right) => {
      const expected =
        JSON.stringify(turned(turned(left))) === JSON.stringify(turned(turned(right)));
      if (sameValue(left, right)) assert.deepEqual(left, right);
      else assert.equal(expected, false);
    }),
  );
  assert.equal(sameValue({ a: 1 }, { a: 1, b: 2 }), false);
  assert.equal(sameValue({ a: 1, b: 2 }, { a: 1 }), false);
  assert.equal(sameValue([1], [1, 2]), false);
  assert.equal(sameValue([], {}), false);
  assert.equal(sameValue(null, {}), false);
});

it("sameValue() does not count undefined fields", () => {
  assert.equal(sameValue({ a: 1, b: undefined }, { a: 1 }), true);
  assert.equal(sameValue({ a: 1 }, { a: 1, b: undefined }), true);
});

/** A copy whose keys come in the other order. */
function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, each]) => [key, turned(each)]),
  );
}
