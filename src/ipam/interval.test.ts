import assert from "node:assert/strict";
import { test } from "node:test";
import { intervalsOverlap, subtractIntervals } from "./interval.ts";

const CASES: readonly [name: string, holes: [bigint, bigint][], parts: [bigint, bigint][]][] = [
  ["no hole", [], [[10n, 20n]]],
  [
    "a hole in the middle",
    [[12n, 14n]],
    [
      [10n, 11n],
      [15n, 20n],
    ],
  ],
  ["the first address", [[10n, 10n]], [[11n, 20n]]],
  ["the last address", [[20n, 20n]], [[10n, 19n]]],
  ["everything", [[0n, 30n]], []],
  [
    "holes outside",
    [
      [0n, 9n],
      [21n, 30n],
    ],
    [[10n, 20n]],
  ],
  [
    "holes over both ends",
    [
      [15n, 30n],
      [0n, 12n],
    ],
    [[13n, 14n]],
  ],
  [
    "holes in each other",
    [
      [12n, 18n],
      [13n, 14n],
      [17n, 19n],
    ],
    [
      [10n, 11n],
      [20n, 20n],
    ],
  ],
  [
    "holes next to each other",
    [
      [12n, 13n],
      [14n, 15n],
    ],
    [
      [10n, 11n],
      [16n, 20n],
    ],
  ],
];

test("subtractIntervals() gives the parts between the holes", () => {
  for (const [name, holes, parts] of CASES) {
    const intervals = holes.map(([first, last]) => ({ first, last }));
    assert.deepEqual(
      subtractIntervals({ first: 10n, last: 20n }, intervals),
      parts.map(([first, last]) => ({ first, last })),
      name,
    );
  }
});

test("intervalsOverlap() is true from one shared address on", () => {
  const whole = { first: 10n, last: 20n };
  assert.ok(intervalsOverlap(whole, { first: 20n, last: 30n }));
  assert.ok(intervalsOverlap(whole, { first: 0n, last: 10n }));
  assert.ok(intervalsOverlap(whole, { first: 0n, last: 30n }));
  assert.ok(!intervalsOverlap(whole, { first: 21n, last: 30n }));
  assert.ok(!intervalsOverlap(whole, { first: 0n, last: 9n }));
});
