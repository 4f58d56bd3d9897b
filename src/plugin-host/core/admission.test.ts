import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../fake-clock.ts";
import { Admission } from "./admission.ts";
import { settled } from "../fake-host-world.ts";

const LIMITS = { runningMax: 2, waitingMax: 2, waitMs: 1_000 };

function make() {
  const clock = new FakeClock();
  const admission = new Admission(clock, LIMITS);
  const finish: (() => void)[] = [];
  const order: number[] = [];
  const run = (number: number) =>
    admission.run(() => {
      order.push(number);
      return new Promise<void>((resolve) => finish.push(resolve));
    });
  return { clock, admission, finish, order, run };
}

test("run() admits up to the bound, the others in order of arrival", async () => {
  const { admission, finish, order, run } = make();
  const calls = [0, 1, 2, 3].map(run);
  assert.deepEqual([admission.running, admission.waiting], [2, 2]);
  finish[0]?.();
  await settled();
  assert.deepEqual(order, [0, 1, 2]);
  for (const each of finish) each();
  await settled();
  finish[3]?.();
  await Promise.all(calls);
  assert.deepEqual(order, [0, 1, 2, 3]);
  assert.deepEqual([admission.running, admission.waiting], [0, 0]);
});

test("run() refuses beyond the queue, and whoever waited too long", async () => {
  const { clock, admission, run } = make();
  const calls = [0, 1, 2, 3].map(run);
  await assert.rejects(run(4), { code: "QUEUE_FULL" });
  clock.advance(1_000);
  await assert.rejects(calls[2] ?? Promise.resolve(), { code: "QUEUE_FULL" });
  await assert.rejects(calls[3] ?? Promise.resolve(), { code: "QUEUE_FULL" });
  assert.deepEqual([admission.running, admission.waiting], [2, 0]);
});

test("close() refuses those that wait and resolves when the running ones are done", async () => {
  const { admission, finish, run } = make();
  const calls = [0, 1, 2].map(run);
  let isClosed = false;
  const closing = admission.close().then(() => {
    isClosed = true;
  });
  await assert.rejects(calls[2] ?? Promise.resolve(), { code: "HOST_NOT_READY" });
  await assert.rejects(run(3), { code: "HOST_NOT_READY" });
  assert.equal(isClosed, false);
  for (const each of finish) each();
  await closing;
  assert.equal(admission.running, 0);
});

test("run() gives its place back when the work throws", async () => {
  const { admission } = make();
  await assert.rejects(
    admission.run(() => Promise.reject(new Error("no"))),
    /no/,
  );
  assert.equal(admission.running, 0);
});
