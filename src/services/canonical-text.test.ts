import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatAddress, parseAddress } from "../ip/address.ts";
import { isCanonicalIpv4, isCanonicalIpv6 } from "./canonical-text.ts";

/** Texts that are IPv6 addresses, or nearly: words, gaps and zeros at random. */
const almostIpv6 = fc
  .array(
    fc.constantFrom("0", "0", "1", "00", "01", "a", "F", "ffff", "fd01", "10000", "", "", "g"),
    { minLength: 1, maxLength: 9 },
  )
  .map((words) => words.join(":"));

const almostIpv4 = fc
  .array(fc.constantFrom("0", "1", "10", "255", "256", "01", "00", "", "a", "1000"), {
    minLength: 1,
    maxLength: 5,
  })
  .map((parts) => parts.join("."));

function isCanonical(text: string): boolean {
  try {
    return formatAddress(parseAddress(text)) === text;
  } catch {
    return false;
  }
}

test("isCanonicalIpv6() is never true for a text that would be printed otherwise", () => {
  fc.assert(
    fc.property(fc.oneof(almostIpv6, fc.ipV6(), fc.string()), (text) => {
      if (isCanonicalIpv6(text)) assert.ok(isCanonical(text), text);
    }),
    { numRuns: 20_000 },
  );
});

test("isCanonicalIpv6() is true for what clusters have", () => {
  for (const text of [
    "fd01::1",
    "fd00:10:244:1::5",
    "2001:db8:1:2:3:4:5:6",
    "fd96::",
    "fd01:0:1:2:3:4:5:6",
  ]) {
    assert.ok(isCanonicalIpv6(text) && isCanonical(text), text);
  }
  for (const text of [
    "::ffff:10.0.0.1",
    "::ffff:a00:1",
    "fd01:0:0:1:2:3:4:5",
    "FD01::1",
    "fd01:::1",
    "fd01::1:",
  ]) {
    assert.ok(!isCanonicalIpv6(text), text);
  }
});

test("isCanonicalIpv4() is true for canonical addresses and for nothing else", () => {
  fc.assert(
    fc.property(fc.oneof(almostIpv4, fc.ipV4(), fc.string()), (text) => {
      assert.equal(isCanonicalIpv4(text), isCanonical(text) && text.includes("."), text);
    }),
    { numRuns: 5000 },
  );
});
