import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  addressBits,
  addressBytes,
  addressFromBytes,
  type Family,
  formatAddress,
  formatPrefix,
  type IpAddress,
  lastOf,
  networkOf,
  parseAddress,
  parsePrefix,
  prefixContains,
} from "./address.ts";

const anyAddress: fc.Arbitrary<IpAddress> = fc
  .constantFrom<Family>(4, 6)
  .chain((family) =>
    fc
      .bigInt({ min: 0n, max: (1n << BigInt(addressBits(family))) - 1n })
      .map((value) => ({ family, value })),
  );

const PARSED: readonly [text: string, family: Family, value: bigint][] = [
  ["0.0.0.0", 4, 0n],
  ["10.0.0.1", 4, 0x0a00_0001n],
  ["255.255.255.255", 4, 0xffff_ffffn],
  ["::", 6, 0n],
  ["::1", 6, 1n],
  ["1::", 6, 1n << 112n],
  ["fd00:88::1", 6, (0xfd00_0088n << 96n) | 1n],
  ["FD00:0088:0000:0000:0000:0000:0000:0001", 6, (0xfd00_0088n << 96n) | 1n],
  ["::ffff:10.0.0.1", 6, 0xffff_0a00_0001n],
  ["64:ff9b::192.0.2.33", 6, (0x64_ff9bn << 96n) | 0xc000_0221n],
  ["1:2:3:4:5:6:1.2.3.4", 6, 0x0001_0002_0003_0004_0005_0006_0102_0304n],
  ["ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 6, (1n << 128n) - 1n],
];

test("parseAddress() reads both families", () => {
  for (const [text, family, value] of PARSED) {
    assert.deepEqual(parseAddress(text), { family, value }, text);
  }
});

const BAD_ADDRESSES = [
  "",
  " ",
  "10.0.0",
  "10.0.0.0.1",
  "10.0.0.256",
  "10.0.0.-1",
  "010.0.0.1",
  "0x0a.0.0.1",
  "10.0.0.1 ",
  "10.0.0.1/24",
  "167772161",
  ":",
  ":::",
  "1::2::3",
  "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:8:9",
  "1:2:3:4:5:6:7:1.2.3.4",
  "fd00::12345",
  "fd00::g",
  "::1.2.3",
  "::1.2.3.256",
  "1.2.3.4::",
  "fe80::1%eth0",
  "[::1]",
  "::1/64",
  "localhost",
];

test("parseAddress() throws RangeError for anything else", () => {
  for (const text of BAD_ADDRESSES) {
    assert.throws(() => parseAddress(text), RangeError, text);
  }
});

/** RFC 5952: each rule of section 4 with its own example, then corners of the longest run of zeros. */
const CANONICAL: readonly [text: string, canonical: string][] = [
  ["2001:0db8::0001", "2001:db8::1"],
  ["2001:db8:0:0:0:0:2:1", "2001:db8::2:1"],
  ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
  ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["2001:DB8::ABCD", "2001:db8::abcd"],
  ["0:0:0:0:0:0:0:0", "::"],
  ["0:0:0:0:0:0:0:1", "::1"],
  ["1:0:0:0:0:0:0:0", "1::"],
  ["0:1:0:0:0:0:0:0", "0:1::"],
  ["1:0:2:0:3:0:4:0", "1:0:2:0:3:0:4:0"],
  ["::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"],
  ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
  ["0:0:1:0:0:0:1:0", "0:0:1::1:0"],
  ["1:0:0:2:0:0:0:0", "1:0:0:2::"],
  ["100:0:10:0:0:1000:0:0", "100:0:10::1000:0:0"],
];

test("formatAddress() prints IPv6 as RFC 5952 wants it", () => {
  for (const [text, canonical] of CANONICAL) {
    assert.equal(formatAddress(parseAddress(text)), canonical, text);
  }
});

test("formatAddress() and parseAddress() are each other's inverse", () => {
  fc.assert(
    fc.property(anyAddress, (address) => {
      const text = formatAddress(address);
      assert.deepEqual(parseAddress(text), address);
      if (address.family === 6)
        assert.equal(text, new URL(`http://[${text}]/`).hostname.slice(1, -1));
    }),
    { numRuns: 2000 },
  );
});

test("addressFromBytes() and addressBytes() are each other's inverse", () => {
  assert.deepEqual([...addressBytes(parseAddress("10.1.2.3"))], [10, 1, 2, 3]);
  fc.assert(
    fc.property(anyAddress, (address) => {
      const bytes = addressBytes(address);
      assert.equal(bytes.length, address.family === 4 ? 4 : 16);
      assert.deepEqual(addressFromBytes(bytes), address);
    }),
  );
});

test("addressFromBytes() throws RangeError for another length", () => {
  for (const length of [0, 3, 5, 15, 17]) {
    assert.throws(() => addressFromBytes(new Uint8Array(length)), RangeError);
  }
});

const BAD_PREFIXES = [
  "",
  "/",
  "10.0.0.0",
  "10.0.0.0/",
  "10.0.0.0/33",
  "10.0.0.0/-1",
  "10.0.0.0/08",
  "10.0.0.0/8.0",
  "10.0.0.0/ 8",
  "10.0.0.0/8/8",
  "10.0.0.0/255.0.0.0",
  "/8",
  "::/129",
  "::/1e1",
  "::",
  "fe80::%eth0/64",
];

test("parsePrefix() throws RangeError for what is no address with a prefix length", () => {
  for (const text of BAD_PREFIXES) assert.throws(() => parsePrefix(text), RangeError, text);
});

test("formatPrefix() prints what parsePrefix() reads, host bits kept", () => {
  for (const text of ["0.0.0.0/0", "10.0.0.1/16", "10.0.0.1/32", "::/0", "fd00::1/64", "::1/128"]) {
    assert.equal(formatPrefix(parsePrefix(text)), text);
  }
});

const BOUNDS: readonly [prefix: string, network: string, last: string][] = [
  ["0.0.0.0/0", "0.0.0.0/0", "255.255.255.255"],
  ["10.1.2.3/8", "10.0.0.0/8", "10.255.255.255"],
  ["10.1.2.3/31", "10.1.2.2/31", "10.1.2.3"],
  ["10.1.2.3/32", "10.1.2.3/32", "10.1.2.3"],
  ["fd00::1/0", "::/0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["fd00:1:2:3::4/64", "fd00:1:2:3::/64", "fd00:1:2:3:ffff:ffff:ffff:ffff"],
  ["fd00::5/127", "fd00::4/127", "fd00::5"],
  ["fd00::5/128", "fd00::5/128", "fd00::5"],
];

test("networkOf() and lastOf() give the bounds of the subnet", () => {
  for (const [text, network, last] of BOUNDS) {
    const prefix = parsePrefix(text);
    assert.equal(formatPrefix(networkOf(prefix)), network, text);
    assert.equal(formatAddress(lastOf(prefix)), last, text);
  }
});

test("prefixContains() holds from the first to the last address and for one family only", () => {
  for (const [text] of BOUNDS) {
    const prefix = parsePrefix(text);
    const first = networkOf(prefix);
    const last = lastOf(prefix);
    assert.ok(prefixContains(prefix, first) && prefixContains(prefix, last), text);
    const max = (1n << BigInt(addressBits(prefix.family))) - 1n;
    const { family } = prefix;
    if (first.value > 0n)
      assert.ok(!prefixContains(prefix, { family, value: first.value - 1n }), text);
    if (last.value < max)
      assert.ok(!prefixContains(prefix, { family, value: last.value + 1n }), text);
  }
  assert.ok(!prefixContains(parsePrefix("0.0.0.0/0"), parseAddress("::1")));
  assert.ok(!prefixContains(parsePrefix("::/0"), parseAddress("10.0.0.1")));
});
