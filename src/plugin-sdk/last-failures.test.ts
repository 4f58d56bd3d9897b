import assert from "node:assert/strict";
import { test } from "node:test";
import { LastFailures } from "./last-failures.ts";

const READY = { ready: true, reason: "" };
const request = { network: "net", configJson: '{"master":"eth1"}' };

async function fail(): Promise<never> {
  throw new Error("no link eth1");
}

test("status() is ready until something failed, and says what", async () => {
  const failures = new LastFailures();
  assert.deepEqual(failures.status(request, fail), READY);
  await assert.rejects(failures.watch(request, fail), /no link eth1/);
  assert.deepEqual(failures.status(request, fail), { ready: false, reason: "no link eth1" });
});

test("status() knows nothing against another network or another configuration", async () => {
  const failures = new LastFailures();
  await assert.rejects(failures.watch(request, fail));
  assert.deepEqual(failures.status({ ...request, network: "other" }, fail), READY);
  assert.deepEqual(failures.status({ ...request, configJson: "{}" }, fail), READY);
});

test("status() looks again beside, and is ready the next time when that went well", async () => {
  const failures = new LastFailures();
  await assert.rejects(failures.watch(request, fail));
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = async () => resolve();
  assert.equal(failures.status(request, look).ready, false);
  await promise;
  await new Promise(setImmediate);
  assert.deepEqual(failures.status(request, look), READY);
});

test("watch() that goes well forgets what failed before", async () => {
  const failures = new LastFailures();
  await assert.rejects(failures.watch(request, fail));
  assert.equal(await failures.watch(request, async () => 7), 7);
  assert.deepEqual(failures.status(request, fail), READY);
});
