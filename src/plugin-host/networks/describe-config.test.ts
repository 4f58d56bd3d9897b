import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseNetworkConfig } from "../cni/network-config.ts";
import { describeConfig } from "./describe-config.ts";

const describeJson = (json: Record<string, unknown>) =>
  describeConfig(parseNetworkConfig({ name: "blue", ...json }, "1.1.0", { isExtra: true }));

describe("describeConfig()", () => {
  it("shows subnets of both families and the plugin's own keys, sorted", () => {
    const ranges = [[{ subnet: "10.1.0.0/24" }], [{ subnet: "fd00:1::/64" }]];
    const config = {
      plugin: "vxlan",
      root: "/r",
      vni: 42,
      bridge: "br1",
      ipMasq: true,
      ipam: { ranges },
    };
    assert.deepEqual(describeJson({ ...config, peers: ["192.0.2.1"] }), {
      subnets: ["10.1.0.0/24", "fd00:1::/64"],
      settings: { bridge: "br1", vni: "42" },
    });
  });

  it("shows the first plugin of a CNI chain, with host-local's subnets", () => {
    const ipam = { type: "host-local", ranges: [[{ subnet: "10.2.0.0/24" }]] };
    const plugins = [
      { type: "macvlan", master: "eth1", ipam },
      { type: "tuning", mtu: 9000 },
    ];
    const one = { type: "ptp", mtu: 1400, ipam: { subnet: "10.3.0.0/24" } };
    assert.deepEqual(
      [{ name: "x", plugins }, one].map((delegate) =>
        describeJson({ plugin: "cni-exec", delegate }),
      ),
      [
        { subnets: ["10.2.0.0/24"], settings: { master: "eth1" } },
        { subnets: ["10.3.0.0/24"], settings: { mtu: "1400" } },
      ],
    );
  });

  it("keeps secrets and long values back, and is bounded", () => {
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`x${index}`, index]));
    const secrets = { password: "a", apiToken: "b", wgPrivateKey: "c", presharedKey: "d" };
    const long = "t".repeat(65);
    const { settings } = describeJson({ ...many, ...secrets, text: long, [long]: 1 });
    assert.equal(Object.keys(settings).length, 16);
    assert.ok(Object.keys(settings).every((key) => key.startsWith("x")));
  });

  it("shows nothing of what it cannot read", () => {
    const { ipam } = parseNetworkConfig({ name: "blue" }, "1.1.0", { isExtra: true });
    const nothing = { subnets: [], settings: {} };
    assert.deepEqual(describeConfig({ ipam, configJson: "{" }), nothing);
    assert.deepEqual(describeConfig({ ipam, configJson: '{"delegate":{"plugins":[1]}}' }), nothing);
  });
});
