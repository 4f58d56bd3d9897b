import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type AttachAnswer, definePlugin, type PluginDefinition } from "./define-plugin.ts";
import { fakeHost } from "./fake-host.ts";
import { type AttachRequest, can, PluginError } from "./network-plugin.ts";

const least = {
  name: "least",
  version: "1.0.0",
  attach: () => ({ interfaces: [{ name: "eth0" }] }),
  detach: () => {},
  list: () => [],
} satisfies PluginDefinition;

const order = {} as AttachRequest;

/** The least that a host takes for an answer. */
const attachNothing: PluginDefinition["attach"] = ({ ifname, netns, addresses }) => ({
  interfaces: [{ name: ifname, sandbox: netns }],
  addresses,
});

describe("definePlugin()", () => {
  test("fills in what a plugin leaves out", async () => {
    const plugin = definePlugin(least);
    assert.deepEqual(plugin.info, {
      name: "least",
      version: "1.0.0",
      contractVersions: ["patchbay.plugin.v1"],
      roles: ["ROLE_NETWORK"],
      capabilities: [],
      configSchemaJson: "",
    });
    const attached = await plugin.attach(order);
    assert.deepEqual(attached, {
      interfaces: [{ name: "eth0", mac: "", mtu: 0, sandbox: "", pciId: "", socketPath: "" }],
      addresses: [],
      routes: [],
      dns: null,
      deviceInfoJson: "",
    });
    assert.deepEqual(await plugin.check({ attachment: order, attached, repair: false }), []);
    assert.deepEqual(await plugin.status({ network: "n", configJson: "{}" }), {
      ready: true,
      reason: "",
    });
    assert.ok(!("repairNetwork" in plugin));
  });

  test("fills in the fields of what a plugin answers", async () => {
    const plugin = definePlugin({
      ...least,
      attach: () => ({
        interfaces: [{ name: "eth0", mtu: 1400 }],
        addresses: [{ address: "10.0.0.2/24" }],
        routes: [{ destination: "0.0.0.0/0", gateway: "10.0.0.1" }],
        dns: { nameservers: ["10.0.0.53"] },
      }),
      check: () => [{ kind: "link-missing" }],
      status: () => "no uplink",
      repairNetwork: () => [{ kind: "bridge-missing", object: "br0", repaired: true }],
    });
    const { addresses, routes, dns } = await plugin.attach(order);
    assert.deepEqual(addresses, [{ address: "10.0.0.2/24", gateway: "", interfaceIndex: 0 }]);
    const numbers = { mtu: 0, advmss: 0, priority: 0, table: 0, scope: 0 };
    assert.deepEqual(routes, [{ destination: "0.0.0.0/0", gateway: "10.0.0.1", ...numbers }]);
    assert.deepEqual(dns, { nameservers: ["10.0.0.53"], domain: "", search: [], options: [] });
    const texts = { expected: "", found: "" };
    assert.deepEqual(await plugin.check({ attachment: order, attached: null, repair: false }), [
      { kind: "link-missing", object: "", ...texts, repaired: false },
    ]);
    assert.deepEqual(await plugin.status({ network: "n", configJson: "{}" }), {
      ready: false,
      reason: "no uplink",
    });
    assert.ok(can(plugin, "CAPABILITY_REPAIR_NETWORK"));
    assert.deepEqual(
      await plugin.repairNetwork?.({ network: "n", configJson: "", attachments: [] }),
      [{ kind: "bridge-missing", object: "br0", ...texts, repaired: true }],
    );
  });

  test("keeps methods on their object", async () => {
    class Counting implements PluginDefinition {
      readonly name = "counting";
      readonly version = "0.1.0-rc.1+build.5";
      #count = 0;
      attach() {
        return { interfaces: [{ name: `eth${this.#count++}` }] };
      }
      detach() {
        this.#count--;
      }
      list() {
        return [{ attachmentId: "a", object: String(this.#count) }];
      }
    }
    const plugin = definePlugin(new Counting());
    await plugin.attach(order);
    assert.deepEqual(await plugin.list({ network: "" }), [{ attachmentId: "a", object: "1" }]);
  });

  test("refuses a check without an attachment", async () => {
    const plugin = definePlugin(least);
    await assert.rejects(
      plugin.check({ attachment: null, attached: null, repair: false }),
      (error) => error instanceof PluginError && error.kind === "invalid-config",
    );
  });

  const loop: Record<string, unknown> = {};
  loop["loop"] = loop;
  for (const [what, definition, message] of [
    ["nothing", undefined, /its argument must be an object/],
    ["a misspelt key", { ...least, atach: () => {} }, /"atach" is none of name, version/],
    ["no name", { ...least, name: undefined }, /name must be .*; it is missing/],
    ["a name with a slash", { ...least, name: "a/b" }, /name must be .*; it is "a\/b"/],
    ["a name of 64 letters", { ...least, name: "x".repeat(64) }, /name must be 1 to 63/],
    ["a version of two numbers", { ...least, version: "1.0" }, /version must be .* "1\.0"/],
    [
      "a schema that is text",
      { ...least, configSchema: "{}" },
      /configSchema must be a JSON schema/,
    ],
    ["a schema of an array", { ...least, configSchema: { type: "array" } }, /configSchema\.type/],
    ["a schema with a loop", { ...least, configSchema: loop }, /cannot be written as JSON/],
    ["capabilities that are text", { ...least, capabilities: "x" }, /must be an array/],
    [
      "an unknown capability",
      { ...least, capabilities: ["REPAIR"] },
      /"REPAIR" is none of CAPABILITY_ATTACH_IN_PARALLEL/,
    ],
    [
      "CAPABILITY_UNSPECIFIED",
      { ...least, capabilities: ["CAPABILITY_UNSPECIFIED"] },
      /"CAPABILITY_UNSPECIFIED" is none/,
    ],
    ["no attach", { ...least, attach: undefined }, /attach must be a function/],
    ["no detach", { ...least, detach: 5 }, /detach must be a function/],
    ["no list", { ...least, list: null }, /list must be a function/],
    ["a status that is text", { ...least, status: "ready" }, /status must be a function where/],
    [
      "repair without check",
      { ...least, capabilities: ["CAPABILITY_REPAIR"] },
      /CAPABILITY_REPAIR needs check\(\)/,
    ],
    [
      "network repair without repairNetwork",
      { ...least, capabilities: ["CAPABILITY_REPAIR_NETWORK"] },
      /CAPABILITY_REPAIR_NETWORK needs repairNetwork\(\)/,
    ],
  ] as const) {
    test(`refuses ${what}`, () => {
      assert.throws(() => definePlugin(definition as never), { name: "TypeError", message });
    });
  }
});

describe("fakeHost()", () => {
  test("refuses what is no network plugin, as a host does", async () => {
    const { info, ...calls } = definePlugin(least);
    const other = { ...calls, info: { ...info, contractVersions: ["patchbay.plugin.v9"] } };
    await assert.rejects(fakeHost(other), /does not speak patchbay\.plugin\.v1/);
    const ipam = { ...calls, info: { ...info, roles: ["ROLE_IPAM" as const] } };
    await assert.rejects(fakeHost(ipam), /is no network plugin: ROLE_IPAM/);
  });

  test("keeps wishes to itself that only plugins with a capability get", async () => {
    const seen: AttachRequest[] = [];
    const wishes: Partial<AttachRequest> = {
      bandwidth: { ingressRate: 1, ingressBurst: 1, egressRate: 1, egressBurst: 1 },
      infinibandGuid: "02:00:00:00:00:00:00:01",
      portMappings: [{ hostPort: 80, containerPort: 80, protocol: "TCP", hostIp: "" }],
    };
    const attach: PluginDefinition["attach"] = (request, call) => {
      seen.push(request);
      return attachNothing(request, call);
    };
    const all = [
      "CAPABILITY_BANDWIDTH",
      "CAPABILITY_INFINIBAND_GUID",
      "CAPABILITY_PORT_MAPPINGS",
    ] as const;
    for (const capabilities of [[], all]) {
      await using host = await fakeHost(definePlugin({ ...least, attach, capabilities }));
      await host.attach(wishes);
    }
    const [without, having] = seen.map(({ bandwidth, infinibandGuid, portMappings }) => ({
      bandwidth,
      infinibandGuid,
      portMappings,
    }));
    assert.deepEqual(without, { bandwidth: null, infinibandGuid: "", portMappings: [] });
    assert.deepEqual(having, wishes);
  });

  test("hands check, repairNetwork and detach what attach gave", async () => {
    const seen: unknown[] = [];
    const plugin = definePlugin({
      ...least,
      attach: attachNothing,
      detach: ({ attachmentId, netns }) => seen.push(["detach", attachmentId, netns]),
      check: ({ attachment, attached, repair }) => {
        seen.push(["check", attachment.attachmentId, attached.interfaces[0]?.name, repair]);
        return [{ kind: "mtu" }];
      },
      repairNetwork: ({ network, configJson, attachments }) => {
        const ids = attachments.map(({ attachmentId }) => attachmentId);
        seen.push(["repair", network, configJson, ids]);
        return [];
      },
    });
    const configJson = '{"name":"fake","bridge":"br0"}';
    await using host = await fakeHost(plugin, { order: { configJson } });
    await assert.rejects(host.check(), /Nothing was attached as fake-1/);
    await host.attach();
    await host.attach({ attachmentId: "b" });
    await host.attach({ attachmentId: "c", network: "another" });
    assert.equal((await host.check({ attachmentId: "b", repair: true }))[0]?.kind, "mtu");
    await host.repairNetwork();
    await host.detach();
    await host.detach({ attachmentId: "orphan" });
    assert.deepEqual(seen, [
      ["check", "b", "eth0", true],
      ["repair", "fake", configJson, ["b", "fake-1"]],
      ["detach", "fake-1", "/run/netns/fake-pod"],
      ["detach", "orphan", ""],
    ]);
    assert.deepEqual(await host.status(), { ready: true, reason: "" });
  });

  const wrongAnswers: readonly (readonly [string, Partial<AttachAnswer>, RegExp])[] = [
    ["no interface in the pod", { interfaces: [{ name: "veth0" }] }, /eth0 with sandbox \/run/],
    ["no address", { addresses: [] }, /addresses must have 10\.88\.0\.2\/24 among them/],
    [
      "an address of no interface",
      { addresses: [{ address: "10.88.0.2/24", interfaceIndex: 1 }] },
      /addresses\[0\]\.interface_index must be less than 1/,
    ],
    [
      "a bare address",
      { addresses: [{ address: "10.88.0.2" }] },
      /addresses\[0\]\.address must be/,
    ],
    ["a route to nowhere", { routes: [{ destination: "all" }] }, /routes\[0\]\.destination must/],
  ];
  for (const [what, change, message] of wrongAnswers) {
    test(`refuses ${what} in an answer, as a host does`, async () => {
      const attach: PluginDefinition["attach"] = ({ ifname, netns, addresses }) => ({
        interfaces: [{ name: ifname, sandbox: netns }],
        addresses,
        ...change,
      });
      await using host = await fakeHost(definePlugin({ ...least, attach }));
      await assert.rejects(host.attach(), message);
    });
  }

  test("refuses a finding whose kind is no word, as a host does", async () => {
    const check = () => [{ kind: "Link Missing" }];
    await using host = await fakeHost(definePlugin({ ...least, attach: attachNothing, check }));
    await host.attach();
    await assert.rejects(host.check(), /findings\[0\]\.kind must be a word/);
  });
});
