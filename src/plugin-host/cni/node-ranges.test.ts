import assert from "node:assert/strict";
import { test } from "node:test";
import { parseNetworkConfig } from "./network-config.ts";

const OF_NODE = { name: "net", ipam: { ranges: "node" } };

test('parseNetworkConfig() puts the node\'s ranges in the place of "node"', () => {
  const podCidrs = ["10.244.3.0/24", "fd00:3::/64"];
  const config = parseNetworkConfig(OF_NODE, "1.1.0", { podCidrs });
  const ranges = podCidrs.map((subnet) => [{ subnet }]);
  assert.deepEqual(config, parseNetworkConfig({ name: "net", ipam: { ranges } }, "1.1.0"));
  assert.equal(config.ipam.policy, "RequireDual");
});

test("parseNetworkConfig() takes the first range of each family, and Single where there is one family", () => {
  const podCidrs = ["fd00:3::/64", "10.244.3.0/24", "fd00:4::/64", "10.244.4.0/24"];
  const dual = parseNetworkConfig(OF_NODE, "1.1.0", { podCidrs });
  assert.deepEqual(JSON.parse(dual.configJson).ipam.ranges, [
    [{ subnet: "fd00:3::/64" }],
    [{ subnet: "10.244.3.0/24" }],
  ]);
  const single = parseNetworkConfig(OF_NODE, "1.1.0", { podCidrs: ["10.244.3.0/24"] });
  assert.equal(single.ipam.policy, "Single");
});

test("parseNetworkConfig() reads the other keys of ipam while the node's ranges are not known", () => {
  const ipam = { ranges: "node", policy: "RequireDual", cooldownSeconds: 3 };
  const config = parseNetworkConfig({ name: "net", ipam }, "1.1.0");
  assert.equal(config.awaitsNodeRanges, true);
  assert.deepEqual([config.ipam.ranges, config.ipam.families], [[], []]);
  assert.equal(config.ipam.cooldownMs, 3000);
  assert.deepEqual(JSON.parse(config.configJson).ipam, ipam);
});

const wrong = [
  { ipam: { ranges: "nodes" }, field: 'ipam.ranges is "nodes", expected a list or "node"' },
  { ipam: { ranges: "node", subnet: "10.1.0.0/24" }, field: "ipam.subnet is given" },
  { ipam: { ranges: "node", polcy: "Single" }, field: "ipam.polcy" },
  { ipam: { ranges: "node", routes: [{ dst: "x" }] }, field: "ipam.routes[0].dst" },
];

for (const { ipam, field } of wrong) {
  test(`parseNetworkConfig() refuses ipam ${JSON.stringify(ipam)}`, () => {
    for (const podCidrs of [[], ["10.244.3.0/24"]]) {
      assert.throws(
        () => parseNetworkConfig({ name: "net", ipam }, "1.1.0", { podCidrs }),
        (error: Error) => error.message.includes(field),
      );
    }
  });
}

test("parseNetworkConfig() refuses the node's ranges for a network beside the default one", () => {
  assert.throws(
    () => parseNetworkConfig(OF_NODE, "1.1.0", { isExtra: true, podCidrs: ["10.244.3.0/24"] }),
    /only the node's default network/,
  );
});
