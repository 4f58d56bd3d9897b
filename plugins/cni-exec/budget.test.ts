import assert from "node:assert/strict";
import { test } from "node:test";
import { PluginError } from "../../src/plugin-sdk/network-plugin.ts";
import { ExecBudget } from "./budget.ts";

/** Work that ends when it is told to. */
function begin(budget: ExecBudget, network: string, limitMs = 60_000) {
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const { promise: started, resolve: start } = Promise.withResolvers<void>();
  const done = budget.run(network, limitMs, () => {
    start();
    return ended;
  });
  return { started, end, done };
}

test("a hundred at once run two by two, in the order in which they came", async () => {
  const budget = new ExecBudget({ capacity: () => 2 });
  let running = 0;
  let most = 0;
  const order: number[] = [];
  await Promise.all(
    Array.from({ length: 100 }, (_, index) =>
      budget.run("a", 60_000, async () => {
        most = Math.max(most, ++running);
        order.push(index);
        await new Promise((resolve) => setImmediate(resolve));
        running--;
      }),
    ),
  );
  assert.equal(most, 2);
  assert.deepEqual(
    order,
    Array.from({ length: 100 }, (_, index) => index),
  );
  assert.deepEqual([budget.running, budget.waiting], [0, 0]);
});

test("capacity is asked when nobody runs, and is never less than one", async () => {
  const capacities = [0, 3];
  const budget = new ExecBudget({ capacity: () => capacities.shift() ?? 1 });
  const first = begin(budget, "a");
  await first.started;
  const second = begin(budget, "a");
  assert.deepEqual([budget.running, budget.waiting], [1, 1]);
  first.end();
  await second.started;
  second.end();
  await Promise.all([first.done, second.done]);
  const three = ["a", "b", "c"].map((network) => begin(budget, network));
  await Promise.all(three.map(({ started }) => started));
  assert.equal(budget.running, 3);
  for (const { end } of three) end();
});

test("who waits too long is told, and takes nobody's place", async () => {
  const budget = new ExecBudget({ capacity: () => 1 });
  const first = begin(budget, "a");
  await assert.rejects(
    begin(budget, "a", 5).done,
    (error) =>
      error instanceof PluginError && /Waited 5 ms for one of 1 places/.test(error.message),
  );
  assert.equal(budget.waiting, 0);
  first.end();
  await first.done;
  assert.equal(budget.running, 0);
});

test("work that throws gives its place back", async () => {
  const budget = new ExecBudget({ capacity: () => 1 });
  await assert.rejects(
    budget.run("a", 1_000, async () => {
      throw new Error("boom");
    }),
    /boom/,
  );
  assert.equal(budget.running, 0);
});

test("a network that hangs keeps the others waiting for a moment only", async () => {
  const budget = new ExecBudget({ capacity: () => 2, stuckMs: 5 });
  const hanging = [begin(budget, "a"), begin(budget, "a")];
  const more = begin(budget, "a");
  const other = begin(budget, "b");
  await other.started;
  assert.deepEqual([budget.running, budget.waiting], [3, 1]);
  other.end();
  await other.done;
  // The place beside is nobody's: its own network still waits.
  assert.deepEqual([budget.running, budget.waiting], [2, 1]);
  for (const { end } of hanging) end();
  await more.started;
  more.end();
  await more.done;
});
