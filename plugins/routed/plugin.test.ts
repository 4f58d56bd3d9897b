import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAddress, parsePrefix } from "../../src/ip/address.ts";
import { FakeKernel } from "../../src/kernel/fake-kernel.ts";
import { FakeNftables } from "../../src/kernel/fake-nftables.ts";
import type { NetnsPath } from "../../src/kernel/kernel.ts";
import { privateNodeSkip } from "../../src/kernel/private-node-skip.ts";
import { networkPluginSuite } from "../../src/plugin-sdk/plugin-suite.ts";
import { attachRequest, hostOf, inPod, onNode } from "../../src/plugin-sdk/sample-request.ts";
import { createRoutedPlugin } from "./plugin.ts";

networkPluginSuite(
  {
    name: "routed",
    create: createRoutedPlugin,
    configOf: () => ({}),
    damages: [
      {
        what: "a host route that is gone",
        kinds: ["route-missing"],
        batches: (request) =>
          onNode({
            kind: "delete-route",
            destination: parsePrefix("10.1.0.5/32"),
            link: hostOf(request),
          }),
      },
      {
        what: "neighbour entries that are gone",
        kinds: ["neighbour-missing"],
        batches: (request) => [
          ...onNode({
            kind: "delete-neighbour",
            link: hostOf(request),
            address: parseAddress("10.1.0.5"),
          }),
          ...inPod(request, {
            kind: "delete-neighbour",
            link: "eth0",
            address: parseAddress("fd00:1::1"),
          }),
        ],
      },
    ],
  },
  privateNodeSkip,
);

test("routed: gateways and forwarding are set once for each gateway, not for each pod", async () => {
  let nodeOperations = 0;
  const kernel = new FakeKernel({
    failOperation: (operation) => {
      if (operation.kind === "set-sysctl") nodeOperations++;
      return undefined;
    },
  });
  const plugin = createRoutedPlugin({ kernel, nftables: new FakeNftables() });
  const counts = [];
  for (const [name, gateway] of [
    ["a", "10.1.0.1"],
    ["b", "10.1.0.1"],
    ["c", "10.2.0.1"],
    ["d", "10.1.0.1"],
  ]) {
    const netns = `/run/netns/${name}`;
    await kernel.createNetns(netns as NetnsPath);
    const addresses = [{ address: `10.1.0.${counts.length + 9}/24`, gateway: gateway ?? "" }];
    await plugin.attach(attachRequest({ attachmentId: name ?? "", netns, addresses }));
    counts.push(nodeOperations);
  }
  assert.deepEqual(counts, [1, 1, 2, 2]);
  const onGatewayLink = (await kernel.addresses()).filter(
    ({ address }) => address.value >> 24n === 10n,
  );
  assert.equal(onGatewayLink.length, 2);
});

test("routed: a foreign link of the gateway's name gets no address of ours, and status() says why", async () => {
  const kernel = new FakeKernel();
  const plugin = createRoutedPlugin({ kernel, nftables: new FakeNftables() });
  const link = { type: "veth", peer: { name: "x" } } as const;
  await kernel.apply([{ operations: [{ kind: "add-link", name: "patchbay0", link }] }]);
  await kernel.createNetns("/run/netns/c1" as NetnsPath);
  const before = kernel.toString();
  await assert.rejects(plugin.attach(attachRequest()), /Cannot prepare the node for network net/);
  assert.equal(kernel.toString(), before);
  const query = attachRequest();
  assert.deepEqual(await plugin.status(query), {
    ready: false,
    reason: "Link patchbay0 exists and is no bridge but veth",
  });
  // status() has tried again beside: let that come to its end.
  await new Promise((resolve) => setImmediate(resolve));
  await kernel.removeLinks(["patchbay0"]);
  await plugin.attach(attachRequest());
  assert.equal((await plugin.status(query)).ready, true);
});

test("routed: pods get the MTU of the link with the default route", async () => {
  const kernel = new FakeKernel();
  const link = { type: "bridge" } as const;
  const gateway = { family: 4, value: 0xc0000201n } as const;
  const destination = { family: 4, value: 0n, prefixLength: 0 } as const;
  await kernel.apply([
    {
      operations: [
        { kind: "add-link", name: "uplink", mtu: 8900, link },
        { kind: "set-link", name: "uplink", up: true },
        { kind: "add-route", destination, gateway, link: "uplink", onlink: true },
      ],
    },
  ]);
  await kernel.createNetns("/run/netns/c1" as NetnsPath);
  const plugin = createRoutedPlugin({ kernel, nftables: new FakeNftables() });
  const answer = await plugin.attach(attachRequest());
  assert.deepEqual(
    answer.interfaces.map((entry) => entry.mtu),
    [8900, 8900],
  );
});
