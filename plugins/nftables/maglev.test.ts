import { strict as assert } from "node:assert";
import { describe, it } from "node:test";
import { maglevTable } from "./maglev.ts";

const names = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    name: `10.1.${index >> 8}.${index & 255}|80`,
    weight: 1,
  }));

function shares(table: Uint32Array, count: number): number[] {
  const result = Array<number>(count).fill(0);
  for (const index of table) result[index] = (result[index] ?? 0) + 1;
  return result;
}

describe("maglevTable()", () => {
  it("fills every slot and gives equal shares within a slot or so", () => {
    const counts = shares(maglevTable(names(10), 1021), 10);
    assert.equal(
      counts.reduce((sum, count) => sum + count),
      1021,
    );
    assert(Math.max(...counts) - Math.min(...counts) <= 1, `${counts}`);
  });

  it("moves few of the others' slots when one endpoint goes", () => {
    const before = maglevTable(names(10), 1021);
    const after = maglevTable(
      names(10).filter((_, index) => index !== 3),
      1021,
    );
    let moved = 0;
    for (const [slot, index] of before.entries()) {
      const now = after[slot] ?? 0;
      if (index !== 3 && (now >= 3 ? now + 1 : now) !== index) moved++;
    }
    assert(moved < 1021 * 0.06, `${moved} of ${1021 - 102} slots moved`);
  });

  it("follows weights", () => {
    const [light = 0, heavy = 0] = shares(
      maglevTable(
        [
          { name: "a", weight: 1 },
          { name: "b", weight: 3 },
        ],
        251,
      ),
      2,
    );
    assert(Math.abs(heavy / light - 3) < 0.1, `${light} to ${heavy}`);
  });

  it("is the same in every version: the nodes of a cluster are not upgraded at once", () => {
    const table = maglevTable(names(3), 251);
    assert.deepEqual([...table.subarray(0, 16)], FIRST_SLOTS);
  });
});

const FIRST_SLOTS = [2, 2, 2, 0, 2, 2, 0, 0, 2, 2, 1, 2, 2, 1, 1, 2];
