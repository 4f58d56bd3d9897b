import { strict as assert } from "node:assert";
import { it } from "node:test";
import { parsePrefix } from "../../src/ip/address.ts";
import { rangesOf } from "./ranges.ts";

it("rangesOf() joins what overlaps or touches, and takes one family", () => {
  const prefixes = ["10.0.1.7/24", "10.0.0.0/24", "10.0.0.128/25", "192.168.0.0/16", "fd00::/64"];
  assert.deepEqual(rangesOf(prefixes.map(parsePrefix), 4), [
    "10.0.0.0-10.0.1.255",
    "192.168.0.0-192.168.255.255",
  ]);
  assert.deepEqual(rangesOf(prefixes.map(parsePrefix), 6), ["fd00::-fd00::ffff:ffff:ffff:ffff"]);
  assert.deepEqual(rangesOf([parsePrefix("0.0.0.0/0"), parsePrefix("1.0.0.0/8")], 4), [
    "0.0.0.0-255.255.255.255",
  ]);
});
