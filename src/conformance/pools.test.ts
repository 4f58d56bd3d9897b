import assert from "node:assert/strict";
import { test } from "node:test";
import { allocate, parsePools } from "./pools.ts";

const BOTH = parsePools("10.251.0.9/24, fd00:251::/64");

const PODS: readonly [podNumber: number, addresses: readonly string[]][] = [
  [0, ["10.251.0.2/24", "fd00:251::2/64"]],
  [252, ["10.251.0.254/24", "fd00:251::fe/64"]],
  [253, ["10.251.0.2/24", "fd00:251::ff/64"]],
];

for (const [podNumber, addresses] of PODS) {
  test(`allocate() gives pod ${podNumber} ${addresses.join(" and ")}, by the first address`, () => {
    const gateways = ["10.251.0.1", "fd00:251::1"];
    assert.deepEqual(
      allocate(BOTH, podNumber),
      addresses.map((address, index) => ({ address, gateway: gateways[index] })),
    );
  });
}

test("parsePools() knows none, and gives no addresses then", () => {
  assert.deepEqual(allocate(parsePools("none"), 0), []);
});

const WRONG: readonly [text: string, message: RegExp][] = [
  ["10.251.0.0", /prefix length/],
  ["10.251.0.0/27", /10\.251\.0\.0\/27 is too small/],
  ["10.251.0.0/24,10.252.0.0/24", /two subnets of one family/],
  ["", /Not an address/],
];

for (const [text, message] of WRONG) {
  test(`parsePools() refuses ${JSON.stringify(text)}`, () => {
    assert.throws(() => parsePools(text), { name: "RangeError", message });
  });
}
