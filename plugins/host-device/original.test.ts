import assert from "node:assert/strict";
import { test } from "node:test";
import { findLinkOwner } from "../../src/plugin-sdk/link-names.ts";
import { formatDeviceAlias, parseDeviceAlias } from "./original.ts";

const owner = { plugin: "host-device@1234", network: "prod/fast", attachmentId: "id1" };
const original = {
  name: "eth3",
  mac: "52:54:00:00:00:01",
  mtu: 9000,
  up: true,
  alias: "rack 7: left",
};

test("formatDeviceAlias() says whose a device is and what it was", () => {
  const alias = formatDeviceAlias(owner, original);
  assert.deepEqual(findLinkOwner(alias), owner);
  assert.deepEqual(parseDeviceAlias(alias), original);
});

test("formatDeviceAlias() leaves out what does not fit 255 bytes, never the owner", () => {
  const long = { ...original, alias: "x".repeat(250) };
  const short = formatDeviceAlias(owner, long);
  assert.ok(Buffer.byteLength(short) <= 255);
  assert.deepEqual(parseDeviceAlias(short), { ...original, alias: "" });
  const wide = { ...owner, network: `prod/${"n".repeat(120)}`, attachmentId: "i".repeat(64) };
  const plain = formatDeviceAlias(wide, {
    ...original,
    name: "enp59s0f1np1v12",
    mac: `${"aa:".repeat(19)}aa`,
  });
  assert.ok(Buffer.byteLength(plain) <= 255);
  assert.deepEqual(findLinkOwner(plain), wide);
  assert.equal(parseDeviceAlias(plain), undefined);
});

for (const alias of [
  "",
  "the node's own",
  "patchbay:host-device:net:id1",
  "patchbay:host-device:net:id1:eth3:nonsense:1500:up:",
  "patchbay:host-device:net:id1:eth3:525400000001:many:up:",
]) {
  test(`parseDeviceAlias() makes nothing of ${JSON.stringify(alias)}`, () => {
    assert.equal(parseDeviceAlias(alias), undefined);
  });
}

test("parseDeviceAlias() takes nonsense of a pod for no alias", () => {
  const alias = "patchbay:host-device:net:id1:eth3:525400000001:1500:down:%zz";
  assert.equal(parseDeviceAlias(alias)?.alias, "");
});
