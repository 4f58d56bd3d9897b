import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatAddress, formatPrefix, parseAddress } from "../ip/address.ts";
import { canonicalPrefix, familyOf, findAddressText, parseAddressText } from "./address-text.ts";

const ADDRESSES: readonly [text: string, canonical: string][] = [
  ["10.0.0.1", "10.0.0.1"],
  ["0.0.0.0", "0.0.0.0"],
  ["255.255.255.255", "255.255.255.255"],
  // CVE-2021-29923: decimal, not octal.
  ["010.0.0.1", "10.0.0.1"],
  ["010.010.010.010", "10.10.10.10"],
  ["10.00.000.0001", "10.0.0.1"],
  ["FD00:0:0::0001", "fd00::1"],
  ["2001:db8:0:0:0:0:0:1", "2001:db8::1"],
  ["::", "::"],
  ["::ffff:10.0.0.1", "10.0.0.1"],
  ["::ffff:010.0.0.01", "10.0.0.1"],
  ["::FFFF:0a00:0001", "10.0.0.1"],
  ["64:ff9b::192.0.2.033", "64:ff9b::c000:221"],
];

test("parseAddressText() and findAddressText() make sloppy addresses canonical", () => {
  for (const [sloppy, canonical] of ADDRESSES) {
    assert.equal(parseAddressText(sloppy), canonical, sloppy);
    assert.equal(findAddressText(sloppy), canonical, sloppy);
  }
});

const WRONG = [
  "",
  " 10.0.0.1",
  "10.0.0.1 ",
  "10.0.0",
  "10.0.0.256",
  "010.0.0.0256",
  "10.0.0.1.1",
  "10..0.1",
  ".10.0.1",
  "10.0.0.",
  "1e1.0.0.1",
  "0x0a.0.0.1",
  "10.0.0.1/32",
  "example.com",
  "fe80::1%eth0",
  "1::2::3",
  "None",
];

test("parseAddressText() throws RangeError for what is no address, findAddressText() finds nothing", () => {
  for (const text of WRONG) {
    assert.throws(() => parseAddressText(text), RangeError, text);
    assert.equal(findAddressText(text), undefined, text);
  }
});

test("parseAddressText() changes no canonical address, and finds its family", () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
      const address = parseAddress(text);
      fc.pre(address.family === 4 || address.value >> 32n !== 0xffffn);
      const canonical = parseAddressText(text);
      assert.equal(canonical, formatAddress(address));
      assert.equal(parseAddressText(canonical), canonical);
      assert.equal(familyOf(canonical), address.family);
    }),
  );
});

const PREFIXES: readonly [text: string, canonical: string][] = [
  ["10.0.0.0/8", "10.0.0.0/8"],
  ["  192.0.2.7/24 ", "192.0.2.0/24"],
  ["010.001.0.0/016", "10.1.0.0/16"],
  ["0.0.0.0/0", "0.0.0.0/0"],
  ["FD00::1/64", "fd00::/64"],
  ["::/0", "::/0"],
  ["::ffff:10.0.0.0/104", "10.0.0.0/8"],
  ["::ffff:0:0/95", "::fffe:0:0/95"],
];

test("canonicalPrefix() trims, clears host bits and unmaps", () => {
  for (const [text, canonical] of PREFIXES) {
    assert.equal(formatPrefix(canonicalPrefix(text)), canonical, text);
  }
});

test("canonicalPrefix() throws RangeError for anything else", () => {
  for (const text of ["", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "::/129", "a/8", "10.0.0.0/-1"]) {
    assert.throws(() => canonicalPrefix(text), RangeError, text);
  }
});
