import assert from "node:assert/strict";
import { test } from "node:test";
import { finding } from "./findings.ts";
import type { Finding } from "./network-plugin.ts";
import { checkAndRepair } from "./repair.ts";

const down = finding("link-down", "eth0", "up", "down");
const route = finding("route-missing", "0.0.0.0/0", "by link 7", "");

/** What the looks find, one after the other. */
function looks(...found: (readonly Finding[])[]) {
  return async () => found.shift() ?? assert.fail("one look too many");
}

test("checkAndRepair() without mend() looks once", async () => {
  assert.deepEqual(await checkAndRepair(looks([down])), [down]);
});

test("checkAndRepair() mends nothing where nothing differs", async () => {
  const mend = () => assert.fail("nothing to mend");
  assert.deepEqual(await checkAndRepair(looks([]), mend), []);
});

test("checkAndRepair() says what was gone after mend(), by kind and object", async () => {
  const again = { ...route, expected: "by link 8" };
  assert.deepEqual(await checkAndRepair(looks([down, route], [again]), async () => {}), [
    { ...down, repaired: true },
    route,
  ]);
});

test("checkAndRepair() tells of what shows up only after mend()", async () => {
  const missing = finding("link-missing", "eth0", "present", "");
  assert.deepEqual(await checkAndRepair(looks([missing], [route]), async () => {}), [
    { ...missing, repaired: true },
    route,
  ]);
});

test("checkAndRepair() fails as mend() does", async () => {
  const mend = () => Promise.reject(new Error("no memory"));
  await assert.rejects(checkAndRepair(looks([down]), mend), /no memory/);
});
