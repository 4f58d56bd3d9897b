import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { PatchbayError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { NetworkDefinition } from "./network-definition.ts";
import { type DefinitionInput, readDefinition } from "./read-definition.ts";

function read(config: unknown, more: Partial<DefinitionInput> = {}): NetworkDefinition {
  return readDefinition({
    namespace: "prod",
    name: "storage",
    configText: typeof config === "string" ? config : JSON.stringify(config),
    resourceName: "",
    findConflist: () => undefined,
    ...more,
  });
}

function refusalOf(config: unknown, more: Partial<DefinitionInput> = {}): string {
  try {
    return `accepted: ${read(config, more).config.name}`;
  } catch (error) {
    assert.ok(error instanceof PatchbayError, String(error));
    assert.equal(error.code, "INVALID_NETWORK_CONFIG");
    return error.message;
  }
}

describe("readDefinition() of type patchbay", () => {
  it("refuses the ranges of the node, which are the default network's", () => {
    const member = { type: "patchbay", ipam: { ranges: "node" } };
    const refused = /ipam\.ranges is "node", expected a list: only the node's default network/;
    assert.match(refusalOf({ cniVersion: "1.0.0", ...member }), refused);
    const conflist = { cniVersion: "1.0.0", name: "storage", plugins: [member] };
    assert.match(refusalOf("", { findConflist: () => JSON.stringify(conflist) }), refused);
  });

  it("gives the plugin the configuration, by the definition's identity and the CNI name", () => {
    const { config, ...definition } = read(
      {
        cniVersion: "1.0.0",
        name: "fast",
        type: "patchbay",
        plugin: "macvlan",
        master: "eth1",
        mtu: 9000,
        ipam: { ranges: [[{ subnet: "10.5.0.0/16" }]] },
      },
      { resourceName: "example.com/nic" },
    );
    assert.deepEqual(definition, {
      namespace: "prod",
      name: "storage",
      resourceName: "example.com/nic",
      cniTypes: [],
    });
    assert.equal(config.name, "prod/storage");
    assert.deepEqual(JSON.parse(config.configJson), {
      name: "fast",
      type: "patchbay",
      plugin: "macvlan",
      master: "eth1",
      mtu: 9000,
      ipam: { ranges: [[{ subnet: "10.5.0.0/16" }]] },
    });
    assert.deepEqual(
      [config.plugin, config.cniVersion, config.mtu, config.ipam.families],
      ["macvlan", "1.0.0", 9000, [4]],
    );
  });

  it("fills in name, version and plugin, and gives no addresses where nobody asked for them", () => {
    const { config } = read({ type: "patchbay" });
    assert.deepEqual(JSON.parse(config.configJson), { name: "storage", type: "patchbay" });
    assert.deepEqual(
      [config.name, config.plugin, config.cniVersion, config.ipam.ranges],
      ["prod/storage", "routed", "1.1.0", []],
    );
  });

  it("takes the newest version that it knows of a list with one plugin", () => {
    const { config } = read({
      cniVersion: "0.4.0",
      cniVersions: ["1.1.0", "9.0.0", "1.0.0"],
      name: "",
      plugins: [{ type: "patchbay", plugin: "bridge", bridge: "br7" }],
    });
    assert.deepEqual(
      [config.cniVersion, config.plugin, JSON.parse(config.configJson)],
      ["1.1.0", "bridge", { type: "patchbay", plugin: "bridge", bridge: "br7", name: "storage" }],
    );
  });
});

describe("readDefinition() of other types", () => {
  it("hands the configuration on as it was written", () => {
    const written = {
      cniVersion: "0.3.1",
      name: "fast",
      type: "macvlan",
      master: "eth1",
      capabilities: { ips: true },
      runtimeConfig: { mac: "x" },
      ipam: { type: "static", addresses: [{ address: "10.1.1.5/24" }] },
    };
    const { config, cniTypes } = read(written);
    assert.deepEqual(JSON.parse(config.configJson), {
      cniVersion: "0.3.1",
      name: "fast",
      plugin: "cni-exec",
      delegate: written,
    });
    assert.deepEqual(
      [config.name, config.plugin, config.cniVersion, config.ipam.ranges, cniTypes],
      ["prod/storage", "cni-exec", "0.3.1", [], ["macvlan"]],
    );
    assert.deepEqual([config.dns, config.mtu, config.requestedAddresses], [undefined, 0, []]);
  });

  it("keeps a list a list, and names its types", () => {
    const written = { cniVersion: "1.0.0", plugins: [{ type: "bridge" }, { type: "tuning" }] };
    const { config, cniTypes } = read(written);
    assert.deepEqual(cniTypes, ["bridge", "tuning"]);
    assert.deepEqual(JSON.parse(config.configJson), {
      cniVersion: "1.0.0",
      name: "storage",
      plugin: "cni-exec",
      delegate: written,
    });
  });

  it("depends on interfaces of the pod that plugins stand on", () => {
    const vlan = { type: "vlan", master: "net1", vlanId: 5 };
    assert.deepEqual(read({ ...vlan, linkInContainer: true }).config.dependsOn, ["net1"]);
    assert.deepEqual(read({ ...vlan, linkInContainer: false }).config.dependsOn, []);
    assert.deepEqual(read({ plugins: [{ ...vlan, linkInContainer: true }] }).config.dependsOn, [
      "net1",
    ]);
  });
});

describe("readDefinition() without a configuration", () => {
  it("takes the node's own of the same name", () => {
    const asked: string[] = [];
    const findConflist = (name: string) => {
      asked.push(name);
      return '{"name":"storage","plugins":[{"type":"ptp"}]}';
    };
    assert.deepEqual(read(" \n", { findConflist }).cniTypes, ["ptp"]);
    assert.deepEqual(asked, ["storage"]);
  });

  it("says that there is none, or what is wrong with it", () => {
    assert.equal(
      refusalOf(""),
      "spec.config is missing, and the node has no CNI configuration named storage",
    );
    assert.equal(
      refusalOf("", { findConflist: () => "{}" }),
      "CNI configuration storage of the node: type is missing, expected the name of a CNI plugin, or patchbay",
    );
  });
});

describe("readDefinition()", () => {
  const cases: readonly (readonly [unknown, string])[] = [
    ["{", "spec.config is not JSON"],
    ["[]", "spec.config is not a JSON object"],
    ["null", "spec.config is not a JSON object"],
    [{}, "spec.config: type is missing, expected the name of a CNI plugin, or patchbay"],
    [{ type: 5 }, "spec.config: type is 5, expected the file name of a CNI plugin"],
    [{ type: "../sh" }, 'spec.config: type is "../sh", expected the file name of a CNI plugin'],
    [{ type: ".." }, 'spec.config: type is "..", expected the file name of a CNI plugin'],
    [{ plugins: [] }, "spec.config: plugins is empty, expected at least one plugin"],
    [{ plugins: {} }, "spec.config: plugins is a mapping, expected a list"],
    [{ plugins: ["a"] }, 'spec.config: plugins[0] is "a", expected a mapping'],
    [
      { plugins: Array.from({ length: 33 }, () => ({ type: "x" })) },
      "spec.config: plugins has 33 items, expected at most 32",
    ],
    [
      { plugins: [{ type: "bridge" }, {}] },
      "spec.config: plugins[1].type is missing, expected the name of a CNI plugin, or patchbay",
    ],
    [
      { plugins: [{ type: "patchbay" }, { type: "tuning" }] },
      'spec.config: plugins[1].type is "tuning", expected nothing beside plugins[0].type patchbay: mtu, mac, sysctls, txqlen and bandwidth are keys of the network itself',
    ],
    [
      { plugins: [{ type: "portmap" }, { type: "patchbay" }] },
      'spec.config: plugins[0].type is "portmap", expected nothing beside plugins[1].type patchbay: mtu, mac, sysctls, txqlen and bandwidth are keys of the network itself',
    ],
    [
      { type: "ptp", cniVersion: "0.2.0" },
      'spec.config: cniVersion is "0.2.0", expected one of 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0',
    ],
    [
      { type: "ptp", name: "a/b" },
      "spec.config: name is \"a/b\", expected letters, digits, '_', '.' and '-', a letter or digit first",
    ],
    [{ type: "ptp", name: 7 }, "spec.config: name is 7, expected text"],
    [{ type: "patchbay", mtu: 1 }, "spec.config: mtu is 1, expected at least 68"],
    [
      { type: "patchbay", ipam: { ranges: [[{ subnet: "x" }]] } },
      'spec.config: ipam.ranges[0][0].subnet: expected a subnet such as 10.1.0.0/16 or fd00:1::/64, got "x"',
    ],
    [{ type: "vlan", master: 5, linkInContainer: true }, "spec.config: master is 5, expected text"],
  ];
  for (const [config, message] of cases) {
    it(`refuses ${JSON.stringify(config).slice(0, 60)}`, () => {
      assert.equal(refusalOf(config), message);
    });
  }

  it("has bounds", () => {
    const deep = `{"type":"ptp","deep":${"[".repeat(500_000)}${"]".repeat(500_000)}}`;
    assert.equal(refusalOf(deep), "spec.config is nested too deep, expected at most 64 levels");
    const long = " ".repeat(LIMITS.configBytesMax) + "{}";
    assert.equal(refusalOf(long), "spec.config has 1048578 bytes, expected at most 1048576");
    assert.equal(
      refusalOf({ type: "ptp" }, { namespace: "n".repeat(63), name: "x".repeat(65) }),
      "metadata.name has 129 characters together with its namespace, expected at most 128",
    );
  });

  it("throws nothing but PatchbayError", () => {
    const key = fc.constantFrom("type", "plugins", "name", "cniVersion", "ipam", "linkInContainer");
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom("patchbay", "ptp", "1.0.0", true));
    const object = fc.dictionary(fc.oneof(key, fc.string()), value);
    const list = fc.record({ plugins: fc.array(object) });
    fc.assert(
      fc.property(fc.oneof(object, list, fc.string()), (config) => {
        refusalOf(config);
      }),
    );
  });
});
