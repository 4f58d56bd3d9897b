import { strict as assert } from "node:assert";
import { describe, it } from "node:test";
import {
  FIRST_STICKY_WAY,
  frontendValue,
  HASH_SIZES,
  hashSize,
  listNumber,
  listOf,
  PICK_SIZES,
  PORT_MASK,
  pickSizeOf,
  pickWay,
  SLOTS_MAX,
  STICKY_WAYS,
  seatNumber,
  seatOf,
  wayOf,
} from "./ways.ts";

describe("pickWay()", () => {
  it("is exact up to 16 slots", () => {
    for (let slots = 1; slots <= 16; slots++) assert.equal(pickSizeOf(pickWay(slots)), slots);
  });

  it("leads to a table that is at most half as large again", () => {
    for (let slots = 17; slots <= SLOTS_MAX; slots++) {
      const size = pickSizeOf(pickWay(slots)) ?? 0;
      assert(size >= slots && size <= slots * 1.5 + 1, `${slots} slots in ${size}`);
    }
  });

  it("leaves the next smaller table full, which the last draw relies on", () => {
    for (let slots = 17; slots <= SLOTS_MAX; slots++) {
      const at = PICK_SIZES.indexOf(pickSizeOf(pickWay(slots)) ?? 0);
      assert((PICK_SIZES[at - 1] ?? Infinity) < slots);
    }
  });
});

describe("frontendValue()", () => {
  it("keeps way and list apart, and stays a positive number", () => {
    const value = frontendValue(127, { list: 0xff_ffff, everyone: true });
    assert.equal(value, 0xffff_ffff);
    assert.equal(wayOf(value), 127);
    assert.equal(listOf(value), 0xff_ffff);
  });

  it("has room for every way", () => {
    assert(FIRST_STICKY_WAY + STICKY_WAYS === 128);
    assert(STICKY_WAYS >= 50, `${STICKY_WAYS} affinity timeouts`);
  });
});

describe("seatNumber()", () => {
  it("has the port's bits where a list has them, and is the inverse of seatOf()", () => {
    for (const [port, seat] of [
      [1, 64],
      [262_143, 16_383],
      [70_000, 4711],
    ] as const) {
      const number = seatNumber(port, seat);
      assert.deepEqual(seatOf(number), { port, seat });
      assert.equal((number & PORT_MASK) >>> 0, (listNumber(port, 63) & PORT_MASK) >>> 0);
    }
  });
});

describe("hashSize()", () => {
  it("is a hundred slots for each endpoint, a prime", () => {
    assert.deepEqual([1, 2, 3, 10, 40, 500].map(hashSize), [
      251,
      251,
      509,
      1021,
      4093,
      HASH_SIZES.at(-1),
    ]);
    for (const size of HASH_SIZES) {
      for (let factor = 2; factor * factor <= size; factor++)
        assert(size % factor !== 0, `${size}`);
    }
  });
});
