import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAddressText } from "./address-text.ts";
import { specialAddress } from "./special-address.ts";

const SPECIAL: readonly [address: string, what: string | undefined][] = [
  ["0.0.0.0", "unspecified"],
  ["::", "unspecified"],
  ["127.0.0.1", "a loopback address"],
  ["127.255.255.254", "a loopback address"],
  ["0127.000.0.1", "a loopback address"],
  ["::1", "a loopback address"],
  ["0:0:0:0:0:0:0:1", "a loopback address"],
  ["::ffff:127.0.0.1", "a loopback address"],
  ["::ffff:7f00:1", "a loopback address"],
  ["169.254.20.10", "a link-local address"],
  ["fe80::1", "a link-local address"],
  ["FEBF::1", "a link-local address"],
  ["224.0.0.1", "a multicast address"],
  ["239.255.255.255", "a multicast address"],
  ["ff02::1", "a multicast address"],
  ["ffff::", "a multicast address"],
  ["255.255.255.255", "the broadcast address"],
  ["126.0.0.1", undefined],
  ["12.7.0.1", undefined],
  ["128.0.0.1", undefined],
  ["169.253.0.1", undefined],
  ["223.255.255.255", undefined],
  ["22.4.0.1", undefined],
  // Reserved, and served all the same: clusters that run out of addresses use it.
  ["240.0.0.1", undefined],
  ["::2", undefined],
  ["fe8::1", undefined],
  ["fec0::1", undefined],
  ["fe7f::1", undefined],
  ["ff::1", undefined],
  ["ff0::1", undefined],
  ["ff:1::2", undefined],
  ["fd00::1", undefined],
  ["2001:db8::1", undefined],
];

test("specialAddress() names what no machine of a network can be reached by", () => {
  for (const [text, what] of SPECIAL) {
    assert.equal(specialAddress(parseAddressText(text)), what, text);
  }
});
