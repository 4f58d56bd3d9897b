import assert from "node:assert/strict";
import { test } from "node:test";
import { settled } from "../fake-host-world.ts";
import { KeyedLock } from "./keyed-lock.ts";

test("run() lets one work for each key at a time, in order of arrival", async () => {
  const lock = new KeyedLock();
  const finish: (() => void)[] = [];
  const order: string[] = [];
  const run = (key: string, name: string) =>
    lock.run(key, () => {
      order.push(name);
      return new Promise<void>((resolve) => finish.push(resolve));
    });
  const calls = [run("a", "a1"), run("a", "a2"), run("b", "b1")];
  await settled();
  assert.deepEqual(order, ["a1", "b1"]);
  assert.equal(lock.isHeld("a"), true);
  finish[0]?.();
  await settled();
  assert.deepEqual(order, ["a1", "b1", "a2"]);
  for (const each of finish) each();
  await Promise.all(calls);
  assert.equal(lock.isHeld("a"), false);
  assert.equal(lock.isHeld("b"), false);
});

test("run() goes on after work that throws", async () => {
  const lock = new KeyedLock();
  await assert.rejects(
    lock.run("a", () => Promise.reject(new Error("no"))),
    /no/,
  );
  assert.equal(await lock.run("a", async () => 1), 1);
});
