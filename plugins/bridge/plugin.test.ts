import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePrefix } from "../../src/ip/address.ts";
import { FakeKernel } from "../../src/kernel/fake-kernel.ts";
import { FakeNftables } from "../../src/kernel/fake-nftables.ts";
import type { NetnsPath } from "../../src/kernel/kernel.ts";
import { privateNodeSkip } from "../../src/kernel/private-node-skip.ts";
import { detachRequestOf, PluginError } from "../../src/plugin-sdk/network-plugin.ts";
import { networkPluginSuite } from "../../src/plugin-sdk/plugin-suite.ts";
import { attachRequest, hostOf, onNode } from "../../src/plugin-sdk/sample-request.ts";
import { readBridgeConfig } from "./config.ts";
import { createBridgePlugin } from "./plugin.ts";

networkPluginSuite(
  {
    name: "bridge",
    create: createBridgePlugin,
    configOf: (network) => ({ bridge: `br${hash(network)}` }),
    setsRequestedAddresses: true,
    damages: [
      {
        what: "an end that left the bridge",
        kinds: ["master"],
        batches: (request) => onNode({ kind: "set-link", name: hostOf(request), master: null }),
      },
      {
        what: "a gateway address that is gone",
        kinds: ["address-missing"],
        batches: ({ configJson }) =>
          onNode({
            kind: "delete-address",
            link: readBridgeConfig(configJson).bridge,
            address: parsePrefix("10.1.0.1/24"),
          }),
      },
    ],
  },
  privateNodeSkip,
);

const CONFIG = JSON.stringify({
  name: "net",
  bridge: "br0",
  hairpinMode: true,
  portIsolation: true,
});

test("bridge: a bridge that somebody deleted is made anew", async () => {
  const kernel = new FakeKernel();
  const plugin = createBridgePlugin({ kernel, nftables: new FakeNftables() });
  await kernel.createNetns("/run/netns/c1" as NetnsPath);
  const request = attachRequest({ configJson: CONFIG });
  await plugin.attach(request);
  await plugin.detach(detachRequestOf(request));
  const before = kernel.toString();
  await kernel.removeLinks(["br0"]);
  const attached = await plugin.attach(request);
  assert.deepEqual(await plugin.check({ attachment: request, attached, repair: false }), []);
  await plugin.detach(detachRequestOf(request));
  assert.equal(withoutIndexes(kernel.toString()), withoutIndexes(before));
});

test("bridge: a link of that name that is no bridge is refused and left alone", async () => {
  const kernel = new FakeKernel();
  const plugin = createBridgePlugin({ kernel, nftables: new FakeNftables() });
  const link = { type: "veth", peer: { name: "x" } } as const;
  await kernel.apply([{ operations: [{ kind: "add-link", name: "br0", link }] }]);
  await kernel.createNetns("/run/netns/c1" as NetnsPath);
  const before = kernel.toString();
  await assert.rejects(
    plugin.attach(attachRequest({ configJson: CONFIG })),
    (error) =>
      error instanceof PluginError &&
      error.kind === "transient" &&
      /br0 exists and is no bridge but veth/.test(String(error.cause)),
  );
  assert.equal(kernel.toString(), before);
});

test("bridge: a VLAN on a kernel that cannot filter them is a wrong configuration", async () => {
  const kernel = new FakeKernel({ hasVlanFiltering: false });
  const plugin = createBridgePlugin({ kernel, nftables: new FakeNftables() });
  await kernel.createNetns("/run/netns/c1" as NetnsPath);
  const configJson = JSON.stringify({ name: "net", bridge: "br0", vlan: 7 });
  await assert.rejects(
    plugin.attach(attachRequest({ configJson })),
    (error) =>
      error instanceof PluginError &&
      error.kind === "invalid-config" &&
      /vlan is 7, but this kernel cannot filter VLANs on bridge br0/.test(error.message),
  );
});

/** A short name for a bridge, different for different networks. */
function hash(text: string): string {
  let value = 0;
  for (const char of text) value = (value * 31 + char.charCodeAt(0)) % 2 ** 32;
  return value.toString(36);
}

/** A bridge that comes again has another index. */
function withoutIndexes(text: string): string {
  return text.replaceAll(/\b(ifindex |#)?\d+:/g, "").replaceAll(/ifindex \d+/g, "");
}
