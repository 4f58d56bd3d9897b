import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type AttachRequest,
  type AttachResponse,
  NO_WISHES,
  PluginError,
} from "../../plugin-sdk/network-plugin.ts";
import { FakeClock } from "../fake-clock.ts";
import { FakePlugin } from "../fake-host-world.ts";
import { CallGate } from "./call-gate.ts";
import { plainAnswer } from "./fake-network-plugin.ts";
import { guardPlugin } from "./guard.ts";

const limits = { pluginCallsMax: 4, pluginWaitingMax: 4, pluginWaitMs: 1, pluginStuckMs: 1 };

const request: AttachRequest = {
  attachmentId: "0123456789abcdef0123456789abcdef",
  pod: null,
  sandboxId: "c1",
  netns: "/run/netns/c1",
  ifname: "net1",
  network: "blue",
  configJson: "{}",
  addresses: [
    { address: "10.1.0.5/16", gateway: "10.1.0.1" },
    { address: "fd00::5/64", gateway: "" },
  ],
  routes: [],
  mac: "",
  mtu: 0,
  device: null,
  masquerade: null,
  ...NO_WISHES,
};

const right = plainAnswer(request);
const link = right.interfaces[0]!;
const route = { destination: "0.0.0.0/0", gateway: "10.1.0.1", mtu: 0, advmss: 0, priority: 0 };
const wholeRoute = { ...route, table: 0, scope: 0 };
const [first, second] = right.addresses as [
  AttachResponse["addresses"][number],
  AttachResponse["addresses"][number],
];
const dns = { nameservers: ["10.1.0.1"], domain: "example", search: ["a"], options: [] };

function many<T>(length: number, make: () => T): T[] {
  return Array.from({ length }, make);
}

function guarded(plugin: FakePlugin) {
  const gate = new CallGate("fake", { clock: new FakeClock(), limits });
  return guardPlugin(plugin, gate);
}

function answering(answer: unknown): ReturnType<typeof guarded> {
  const plugin = new FakePlugin("fake");
  plugin.attach = async () => answer as AttachResponse;
  return guarded(plugin);
}

const GARBAGE: readonly (readonly [string, object, RegExp])[] = [
  ["no interfaces", { interfaces: [] }, /field interfaces: expected net1 in sandbox/],
  ["another interface", { interfaces: [{ ...link, name: "net2" }] }, /expected net1 in sandbox/],
  ["an interface outside", { interfaces: [{ ...link, sandbox: "" }] }, /expected net1 in sandbox/],
  [
    "a name with a slash",
    { interfaces: [link, { ...link, name: "a/b" }] },
    /interfaces\[1\]\.name: expected the name of a link/,
  ],
  ["a long name", { interfaces: [link, { ...link, name: "x".repeat(16) }] }, /\[1\]\.name/],
  ["no name", { interfaces: [link, { ...link, name: "" }] }, /\[1\]\.name/],
  ["a strange MAC", { interfaces: [{ ...link, mac: "02:00" }] }, /interfaces\[0\]\.mac/],
  [
    "an interface of another pod",
    { interfaces: [link, { ...link, name: "eth1", sandbox: "/run/netns/other" }] },
    /\[1\]\.sandbox/,
  ],
  ["a strange path", { interfaces: [link, { ...link, sandbox: "x" }] }, /\[1\]\.sandbox/],
  ["a strange device", { interfaces: [{ ...link, pciId: "eth0" }] }, /interfaces\[0\]\.pci_id/],
  ["a strange socket", { interfaces: [{ ...link, socketPath: "a" }] }, /\.socket_path/],
  [
    "too many interfaces",
    { interfaces: many(65, () => link) },
    /interfaces: expected at most 64 entries, found 65/,
  ],
  ["no CIDR", { addresses: [{ ...first, address: "10.1.0.5" }, second] }, /\[0\]\.address/],
  [
    "an index of no interface",
    { addresses: [{ ...first, interfaceIndex: 1 }, second] },
    /addresses\[0\]\.interface_index: expected less than 1/,
  ],
  [
    "a gateway of the other family",
    { addresses: [{ ...first, gateway: "fd00::1" }, second] },
    /v4/,
  ],
  ["a gateway that is none", { addresses: [{ ...first, gateway: "x" }, second] }, /\[0\]\.gateway/],
  [
    "not all addresses",
    { addresses: [first] },
    /field addresses: expected fd00::5\/64, as allocated, among them/,
  ],
  [
    "an address outside of the pod",
    {
      interfaces: [link, { ...link, sandbox: "" }],
      addresses: [{ ...first, interfaceIndex: 1 }, second],
    },
    /expected 10\.1\.0\.5\/16, as allocated, among them/,
  ],
  ["a route to nowhere", { routes: [{ ...wholeRoute, destination: "all" }] }, /routes\[0\]\.dest/],
  ["a strange next hop", { routes: [{ ...wholeRoute, gateway: "x" }] }, /routes\[0\]\.gateway/],
  ["a strange metric", { routes: [{ ...wholeRoute, priority: -1 }] }, /routes\[0\]/],
  ["too many routes", { routes: many(1_025, () => wholeRoute) }, /routes: expected at most/],
  ["too many resolvers", { dns: { ...dns, nameservers: many(65, () => "a") } }, /dns\.nameserv/],
  ["a domain of two lines", { dns: { ...dns, domain: "a\nb" } }, /dns\.domain/],
  ["a long search domain", { dns: { ...dns, search: ["x".repeat(256)] } }, /dns\.search\[0\]/],
  ["device information that is no JSON", { deviceInfoJson: "{" }, /device_info_json/],
  ["device information that is no object", { deviceInfoJson: "[]" }, /device_info_json/],
  ["much device information", { deviceInfoJson: `"${"x".repeat(70_000)}"` }, /at most 65536 bytes/],
  ["a field that is missing", { interfaces: undefined }, /interfaces/],
  ["a field of another type", { interfaces: [{ ...link, sandbox: 7 }] }, /answered garbage/],
];

describe("guardPlugin", () => {
  for (const [what, change, message] of GARBAGE) {
    it(`attach() refuses an answer with ${what}`, async () => {
      const failure = answering({ ...right, ...change }).attach(request);
      await assert.rejects(failure, (error: unknown) => {
        assert.ok(error instanceof PluginError);
        assert.equal(error.kind, "transient");
        assert.match(error.message, /^answered garbage: /);
        assert.match(error.message, message);
        return true;
      });
    });
  }

  it("attach() refuses no answer at all", async () => {
    await assert.rejects(answering(undefined).attach(request), /answered garbage/);
  });

  it("attach() lets an answer pass that says all there is to say", async () => {
    const answer: AttachResponse = {
      interfaces: [
        { ...link, mac: "80:00:02:08:fe:80:00:00:00:00:00:00:00:00:00:00:00:00:00:01" },
        { ...link, name: "veth1234", sandbox: "", pciId: "0000:3b:00.2", socketPath: "/run/x" },
      ],
      // With another prefix length than allocated, and one more.
      addresses: [
        { ...first, address: "10.1.0.5/32" },
        second,
        { ...first, address: "10.9.0.1/8" },
      ],
      routes: [wholeRoute],
      dns,
      deviceInfoJson: '{"type":"pci"}',
    };
    assert.deepEqual(await answering(answer).attach(request), answer);
  });

  it("list() refuses ids that cannot be, and makes readable what is for people", async () => {
    const plugin = new FakePlugin("fake");
    plugin.list = async () => [{ attachmentId: "abc", object: "a\u001b[2Jb\n" }];
    assert.deepEqual(await guarded(plugin).list({ network: "" }), [
      { attachmentId: "abc", object: "a [2Jb" },
    ]);
    for (const attachmentId of ["", "a b", "x".repeat(65)]) {
      plugin.list = async () => [{ attachmentId, object: "" }];
      await assert.rejects(
        guarded(plugin).list({ network: "" }),
        /attachments\[0\]\.attachment_id/,
      );
    }
    plugin.list = async () => many(20_001, () => ({ attachmentId: "a", object: "" }));
    await assert.rejects(guarded(plugin).list({ network: "" }), /at most 20000 entries/);
  });

  it("check() and repairNetwork() refuse findings that cannot be", async () => {
    const plugin = new FakePlugin("fake");
    const finding = { kind: "mtu", object: "eth0", expected: "", found: "", repaired: false };
    for (const [findings, message] of [
      [[{ ...finding, kind: "Not a word" }], /findings\[0\]\.kind/],
      [[{ ...finding, found: "x".repeat(1_025) }], /findings\[0\]\.found/],
      [many(1_001, () => finding), /at most 1000 entries/],
    ] as const) {
      plugin.findings = findings;
      plugin.missing = findings;
      const asked = { attachment: null, attached: null, repair: false };
      await assert.rejects(guarded(plugin).check(asked), message);
      const network = { network: "", configJson: "", attachments: [] };
      await assert.rejects(guarded(plugin).repairNetwork?.(network) ?? Promise.resolve(), message);
    }
    plugin.findings = [finding];
    const asked = { attachment: null, attached: null, repair: false };
    assert.deepEqual(await guarded(plugin).check(asked), [finding]);
  });

  it("keeps what kind of failure it is, and makes its sentence readable", async () => {
    const plugin = new FakePlugin("fake");
    plugin.before = async () => {
      throw new PluginError("invalid-config", `no\u0000such\nbridge ${"x".repeat(2_000)}`);
    };
    await assert.rejects(guarded(plugin).attach(request), (error: unknown) => {
      assert.ok(error instanceof PluginError && error.kind === "invalid-config");
      assert.match(error.message, /^no such bridge x+\.\.\.$/);
      assert.ok(error.message.length < 1_010);
      return true;
    });
  });

  it("has repairNetwork() only where the plugin has it", () => {
    const plugin = new FakePlugin("fake");
    assert.equal(typeof guarded(plugin).repairNetwork, "function");
    Object.defineProperty(plugin, "repairNetwork", { value: undefined });
    assert.equal("repairNetwork" in guarded(plugin), false);
  });
});
