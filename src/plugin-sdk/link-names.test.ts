import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress } from "../ip/address.ts";
import {
  aliasNetworkOf,
  findLinkOwner,
  findSegmentNetwork,
  formatAlias,
  formatSegmentAlias,
  linkLocalOfMac,
  linkNamesOf,
  macOfName,
} from "./link-names.ts";

test("linkNamesOf() is the same for ever: a host finds by it what another made", () => {
  assert.deepEqual(linkNamesOf("0123456789abcdef0123456789abcdef"), {
    hostIfname: "pb3eb1bd439947e",
    hostMac: "02:29:98:e5:66:cc",
    podMac: "02:c2:e0:99:c7:91",
  });
});

test("linkNamesOf() differs for different attachments, and fits IFNAMSIZ", () => {
  const all = Array.from({ length: 1000 }, (_, index) => linkNamesOf(`attachment ${index}`));
  for (const key of ["hostIfname", "hostMac", "podMac"] as const) {
    assert.equal(new Set(all.map((names) => names[key])).size, 1000, key);
  }
  for (const { hostIfname, hostMac, podMac } of all) {
    assert.match(hostIfname, /^pb[0-9a-f]{13}$/);
    for (const mac of [hostMac, podMac]) assert.match(mac, /^02(:[0-9a-f]{2}){5}$/);
    assert.notEqual(hostMac, podMac);
  }
});

test("macOfName() is stable, local and unicast", () => {
  assert.match(macOfName("cni0"), /^02(:[0-9a-f]{2}){5}$/);
  assert.equal(macOfName("cni0"), macOfName("cni0"));
  assert.notEqual(macOfName("cni0"), macOfName("cni1"));
});

test("findLinkOwner() reads what formatAlias() wrote", () => {
  const owner = { plugin: "routed", network: "net.1-a", attachmentId: "0123" };
  assert.equal(formatAlias(owner), "patchbay:routed:net.1-a:0123");
  assert.deepEqual(findLinkOwner(formatAlias(owner)), owner);
});

test("findLinkOwner() knows nothing of the links of others", () => {
  for (const alias of [
    "",
    "uplink",
    "patchbay",
    "patchbay:routed",
    "patchbay:routed:net",
    "other:a:b:c",
    "patchbay:::",
  ]) {
    assert.equal(findLinkOwner(alias), undefined, alias);
  }
});

const MACS: readonly [mac: string, address: string][] = [
  ["00:00:00:00:00:00", "fe80::200:ff:fe00:0"],
  ["02:00:00:00:00:01", "fe80::ff:fe00:1"],
  ["52:54:00:12:34:56", "fe80::5054:ff:fe12:3456"],
  ["ff:ff:ff:ff:ff:ff", "fe80::fdff:ffff:feff:ffff"],
];

test("linkLocalOfMac() is EUI-64 (RFC 4291, appendix A)", () => {
  for (const [mac, address] of MACS) {
    assert.equal(formatAddress({ family: 6, value: linkLocalOfMac(mac) }), address);
  }
});

test("findSegmentNetwork() reads what formatSegmentAlias() wrote, which names no attachment", () => {
  const alias = formatSegmentAlias({ plugin: "vxlan@1", network: "prod/overlay" });
  assert.equal(findSegmentNetwork(alias), "prod/overlay");
  assert.equal(findLinkOwner(alias), undefined);
  assert.equal(findSegmentNetwork("patchbay:vxlan:net:id"), undefined);
  assert.equal(findSegmentNetwork(""), undefined);
});

test("formatAlias() of the longest network there is fits, and is told from its like", () => {
  const [one, two] = ["a", "b"].map((last) => `${"n".repeat(63)}/${"m".repeat(252)}${last}`);
  const aliasOf = (network = "") =>
    formatAlias({ plugin: "host-device@12345678", network, attachmentId: "i".repeat(64) });
  assert.ok(Buffer.byteLength(aliasOf(one)) <= 255);
  assert.notEqual(aliasOf(one), aliasOf(two));
  assert.equal(findLinkOwner(aliasOf(one))?.network, aliasNetworkOf(one ?? ""));
  assert.equal(aliasNetworkOf("prod/lan"), "prod/lan");
});
