import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type CoolingLinks, CoolingQueue } from "./cooling-queue.ts";

interface Item extends CoolingLinks<Item> {
  readonly id: number;
}

function itemOf(id: number, releasedAtMs: number): Item {
  return { id, releasedAtMs, previous: undefined, next: undefined };
}

test("push() keeps the order of release, first come first among equals", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20), { maxLength: 40, size: "max" }), (times) => {
      const queue = new CoolingQueue<Item>();
      const items = times.map((time, id) => itemOf(id, time));
      for (const item of items) queue.push(item);
      const sorted = items.toSorted((one, other) => one.releasedAtMs - other.releasedAtMs);
      assert.deepEqual(
        [...queue].map(({ id }) => id),
        sorted.map(({ id }) => id),
      );
      assert.equal(queue.size, items.length);
      assert.equal(queue.head, sorted[0]);
    }),
  );
});

test("remove() takes an entry from anywhere and leaves no links behind", () => {
  const queue = new CoolingQueue<Item>();
  const items = [0, 1, 2, 3].map((id) => itemOf(id, id));
  for (const item of items) queue.push(item);
  for (const [id, left] of [
    [2, [0, 1, 3]],
    [0, [1, 3]],
    [3, [1]],
    [1, []],
  ] as const) {
    const item = items[id]!;
    queue.remove(item);
    assert.deepEqual(
      [...queue].map((each) => each.id),
      left,
    );
    assert.deepEqual([item.previous, item.next], [undefined, undefined]);
  }
  assert.equal(queue.size, 0);
  assert.equal(queue.head, undefined);
});
