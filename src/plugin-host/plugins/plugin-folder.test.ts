/** PluginFolder, PluginRegistry and what is between them and a third party's plugin, on real sockets. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import {
  type AttachRequest,
  detachRequestOfId,
  NO_WISHES,
  PluginError,
} from "../../plugin-sdk/network-plugin.ts";
import { connectNetworkPlugin } from "../../rpc/network-plugin-client.ts";
import type { HostEvent } from "../core/ports.ts";
import { PatchbayError } from "../errors.ts";
import { FakeClock } from "../fake-clock.ts";
import { FakePlugin } from "../fake-host-world.ts";
import { LIMITS } from "../limits.ts";
import { PluginRegistry } from "../registry.ts";
import { FakeFailure, FakeNetworkPlugin, plainAnswer } from "./fake-network-plugin.ts";
import { PluginFolder } from "./plugin-folder.ts";

const deadlines = {
  greetingMs: 300,
  attachMs: 300,
  detachMs: 300,
  checkMs: 300,
  listMs: 300,
  statusMs: 300,
  repairNetworkMs: 300,
};

function requestFor(id: string): AttachRequest {
  return {
    attachmentId: id,
    pod: null,
    sandboxId: id,
    netns: `/run/netns/${id}`,
    ifname: "eth0",
    network: "blue",
    configJson: "{}",
    addresses: [{ address: "10.1.0.5/16", gateway: "10.1.0.1" }],
    routes: [],
    mac: "",
    mtu: 0,
    device: null,
    masquerade: null,
    ...NO_WISHES,
  };
}

/** As long as a schema may be. */
const DEEP = `${'{"not":'.repeat(8_000)}{}${"}".repeat(8_000)}`;

const never = () => new Promise<void>(() => {});

describe("PluginFolder with PluginRegistry", () => {
  let root: string;
  let folder: string;
  let clock: FakeClock;
  let events: HostEvent[];
  let plugins: PluginFolder;
  let registry: PluginRegistry;
  const servers: FakeNetworkPlugin[] = [];
  const children: ChildProcess[] = [];

  /** Waits for a condition while the host's time passes, fast; the limit is for a test that fails. */
  const until = async (what: string, ask: () => boolean) => {
    for (const start = performance.now(); performance.now() - start < 20_000; await pause(2)) {
      if (ask()) return;
      clock.advance(20);
    }
    const told = events.map(({ kind, message }) => `${kind}: ${message}`).join("\n");
    assert.fail(`Waited in vain for ${what}; events:\n${told}`);
  };
  const has = (kind: HostEvent["kind"], pattern: RegExp) =>
    events.some((event) => event.kind === kind && pattern.test(event.message));
  const isThere = (name: string) => registry.find(name) !== undefined;
  const socketOf = (name: string) => join(folder, `${name}.sock`);
  const attach = (name: string, id = "a1") => {
    const plugin = registry.find(name);
    assert.ok(plugin, `no plugin ${name}`);
    return plugin.attach(requestFor(id));
  };

  const serve = async (
    name: string,
    change: Partial<FakeNetworkPlugin> = {},
    options: { readonly socket?: string; readonly health?: boolean } = {},
  ) => {
    const plugin = new FakeNetworkPlugin();
    plugin.info.name = name;
    Object.assign(plugin, change);
    servers.push(plugin);
    await plugin.serve(options.socket ?? socketOf(name), options);
    return plugin;
  };
  const spawnPlugin = async (name: string, ...rest: string[]) => {
    const script = join(import.meta.dirname, "fake-network-plugin.ts");
    const child = spawn(process.execPath, [script, socketOf(name), name, ...rest], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(child);
    await once(child.stdout, "data");
    return child;
  };
  const withInfo = (fields: Partial<FakeNetworkPlugin["info"]>) => ({
    info: { ...new FakeNetworkPlugin().info, ...fields },
  });

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "pb-plugins-"));
    folder = join(root, "plugins");
    mkdirSync(folder, { mode: 0o700 });
    clock = new FakeClock();
    events = [];
    const sink = { emit: (event: HostEvent) => void events.push(event) };
    registry = new PluginRegistry({ clock, events: sink, builtIn: [new FakePlugin("routed")] });
    plugins = new PluginFolder({
      clock,
      events: sink,
      folder,
      connect: async (path) => connectNetworkPlugin(path, { hostVersion: "0.0.0", deadlines }),
    });
    plugins.addRole(registry);
  });

  afterEach(async () => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
    await plugins.close();
    await Promise.all(servers.splice(0).map((server) => server.stop()));
    rmSync(root, { recursive: true, force: true });
  });

  it("makes a plugin of what listens there, with all its calls, until its socket goes", async () => {
    plugins.start();
    const fake = await serve("fake", withInfo({ capabilities: ["CAPABILITY_REPAIR_NETWORK"] }));
    await until("the plugin", () => isThere("fake"));
    assert.ok(
      has("plugin-joined", /^Plugin fake 1\.0\.0 serves networks \(patchbay\.plugin\.v1\)$/),
    );
    assert.deepEqual(registry.names(), ["routed", "fake"]);
    const plugin = registry.find("fake");
    assert.ok(plugin);
    const request = requestFor("a1");
    assert.deepEqual(await plugin.attach(request), plainAnswer(request));
    assert.deepEqual(await plugin.list({ network: "" }), [{ attachmentId: "a1", object: "" }]);
    assert.deepEqual(
      await plugin.check({ attachment: request, attached: null, repair: false }),
      [],
    );
    assert.deepEqual(await plugin.status({ network: "blue", configJson: "{}" }), {
      ready: true,
      reason: "",
    });
    await plugin.repairNetwork?.({ network: "blue", configJson: "{}", attachments: [request] });
    await plugin.detach(detachRequestOfId("a1"));
    assert.equal(fake.held.size, 0);
    assert.deepEqual(fake.calls, ["Attach", "List", "Check", "Status", "RepairNetwork", "Detach"]);
    await fake.stop();
    await until("its end", () => !isThere("fake"));
    assert.ok(has("plugin-left", /its socket is gone/));
    // Whoever has it in hand is told at once.
    await assert.rejects(plugin.attach(request), /Plugin fake: its socket is gone/);
  });

  it("firstAnswers() waits for plugins whose sockets are there, and not for one that is slow", async () => {
    await serve("quick");
    const answering = Promise.withResolvers<void>();
    await serve("slow", { before: (call) => (call === "GetInfo" ? answering.promise : never()) });
    plugins.start();
    let isDone = false;
    const done = plugins.firstAnswers(1_000).then(() => {
      isDone = true;
    });
    await until("the quick one", () => isThere("quick"));
    clock.advance(1_000);
    await done;
    assert.equal(isDone, true);
    assert.equal(isThere("slow"), false);
    answering.resolve();
    await until("the slow one", () => isThere("slow"));
  });

  it("firstAnswers() waits for nobody where no socket is", async () => {
    plugins.start();
    await plugins.firstAnswers(1_000_000);
  });

  it("asks again who did not answer in time", async () => {
    let isSlow = true;
    plugins.start();
    await serve("fake", { before: () => (isSlow ? never() : Promise.resolve()) });
    await until("the report", () => has("plugin-failed", /fake\.sock: nobody answers: .*eadline/i));
    isSlow = false;
    await until("the plugin", () => isThere("fake"));
  });

  for (const [what, fields, pattern] of [
    [
      "no contract in common",
      { contractVersions: ["patchbay.plugin.v7", "patchbay.plugin.v9"] as string[] },
      /it speaks patchbay\.plugin\.v7, patchbay\.plugin\.v9, the host patchbay\.plugin\.v1/,
    ],
    ["no contract", { contractVersions: [] as string[] }, /it speaks none, the host/],
    ["a name that could be anything", { name: "../x\u001b" }, /its name is "\.\.\/x\\u001b"/],
    ["the name of a built-in plugin", { name: "routed" }, /routed is taken by a built-in plugin/],
    ["a schema that is no JSON", { configSchemaJson: "{" }, /config_schema_json is no JSON schema/],
    ["a schema of nonsense", { configSchemaJson: '{"type":"horse"}' }, /config_schema_json/],
    ["a schema of nothing", { configSchemaJson: "true" }, /config_schema_json.*no object/],
    ["a schema elsewhere", { configSchemaJson: '{"$ref":"http://x/y"}' }, /config_schema_json/],
    ["a schema of promises", { configSchemaJson: '{"$async":true}' }, /\$async is not supported/],
    [
      "a long schema",
      { configSchemaJson: JSON.stringify({ description: "x".repeat(70_000) }) },
      /has 700\d\d bytes, expected at most 65536/,
    ],
    [
      "a deep schema",
      { configSchemaJson: DEEP },
      /config_schema_json is no JSON schema: RangeError/,
    ],
  ] as const) {
    it(`leaves a plugin alone that has ${what}`, async () => {
      plugins.start();
      await serve("odd", { info: { ...new FakeNetworkPlugin().info, name: "odd", ...fields } });
      await until("the reason", () => has("plugin-failed", pattern));
      assert.deepEqual(registry.names(), ["routed"]);
      await serve("fake");
      await until("another one", () => isThere("fake"));
    });
  }

  it("takes a plugin with strange roles and capabilities for what it can do", async () => {
    plugins.start();
    await serve(
      "fake",
      withInfo({ roles: [99, "ROLE_NETWORK"], capabilities: [77, "CAPABILITY_REPAIR"] } as never),
    );
    await until("the plugin", () => isThere("fake"));
    const { roles, capabilities } = registry.find("fake")?.info ?? {};
    assert.deepEqual(
      { roles, capabilities },
      { roles: ["ROLE_NETWORK"], capabilities: ["CAPABILITY_REPAIR"] },
    );
  });

  it("makes schemas comparable: without the names that they give themselves", async () => {
    const schema = {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      $id: "x:y",
      type: "object",
    };
    plugins.start();
    await serve("fake", withInfo({ configSchemaJson: JSON.stringify(schema) }));
    await until("the plugin", () => isThere("fake"));
    assert.equal(registry.find("fake")?.info.configSchemaJson, '{"type":"object"}');
  });

  it("lets a plugin have its name when the one that has it goes", async () => {
    plugins.start();
    const first = await serve("fake");
    await until("the first", () => isThere("fake"));
    const second = await serve("fake", {}, { socket: socketOf("second") });
    await until("the refusal", () =>
      has("plugin-failed", /second\.sock: its name fake is taken by/),
    );
    await first.stop();
    await until("the second", () =>
      registry.list().some(({ socketPath }) => socketPath === socketOf("second")),
    );
    await attach("fake");
    assert.deepEqual(second.calls, ["Attach"]);
  });

  it("keeps its answers apart: what kind of failure it is", async () => {
    plugins.start();
    const fake = await serve("fake");
    await until("the plugin", () => isThere("fake"));
    for (const [status, kind] of [
      ["INVALID_ARGUMENT", "invalid-config"],
      ["ALREADY_EXISTS", "interface-exists"],
      ["RESOURCE_EXHAUSTED", "transient"],
      ["UNAVAILABLE", "transient"],
    ] as const) {
      fake.before = async (call) => {
        if (call === "Attach") throw new FakeFailure(status, "the fabric says no");
      };
      await assert.rejects(attach("fake"), (error: unknown) => {
        assert.ok(error instanceof PluginError, String(error));
        assert.deepEqual([error.kind, error.message], [kind, "Attach: the fabric says no"]);
        return true;
      });
    }
    // It said so itself: nobody takes it for one that is down.
    fake.before = async () => {};
    await attach("fake");
    assert.equal(registry.troubleOf("fake"), "");
  });

  it("refuses calls at once while a plugin hangs, tries it by one, and has it back when it answers", async () => {
    plugins.start();
    const fake = await serve("fake");
    await until("the plugin", () => isThere("fake"));
    fake.before = (call) => (call === "Attach" ? never() : Promise.resolve());
    const late = ["a1", "a2", "a3"].map((id) => attach("fake", id));
    for (const failure of await Promise.allSettled(late)) assert.equal(failure.status, "rejected");
    assert.match(
      registry.troubleOf("fake"),
      /it hangs: 3 calls of Attach in a row passed their deadlines/,
    );
    assert.ok(has("plugin-failed", /Plugin fake: it hangs/));
    await assert.rejects(attach("fake", "a4"), (error: unknown) => {
      assert.ok(error instanceof PatchbayError && error.code === "PLUGIN_UNAVAILABLE");
      return true;
    });
    assert.equal(fake.calls.length, 3);
    // Its health answers: one call tries it, and hangs again.
    await until("the trial", () => registry.troubleOf("fake") === "");
    const noteOf = () => registry.list().find(({ info }) => info.name === "fake")?.note;
    assert.match(
      noteOf() ?? "",
      /^Attach hung at \d\d:\d\d:\d\d UTC, on trial until such a call ends$/,
    );
    const trial = attach("fake", "a5");
    await assert.rejects(
      attach("fake", "a6"),
      /Attach hung, and one call tries whether it still does/,
    );
    await assert.rejects(trial, /Attach: .*[dD]eadline/);
    assert.match(registry.troubleOf("fake"), /it hangs: 4 calls of Attach/);
    assert.equal(fake.calls.length, 4);
    // Another call that answers says nothing of those that hang.
    await until("the next trial", () => registry.troubleOf("fake") === "");
    await registry.find("fake")?.list({ network: "" });
    assert.equal(has("plugin-recovered", /./), false);
    const next = attach("fake", "a6");
    await assert.rejects(registry.find("fake")?.list({ network: "" }) ?? next, /one call tries/);
    await assert.rejects(next, /Attach: .*[dD]eadline/);
    fake.before = async () => {};
    await until("the last trial", () => registry.troubleOf("fake") === "");
    assert.equal(has("plugin-recovered", /./), false);
    await attach("fake", "a7");
    assert.ok(has("plugin-recovered", /Plugin fake can be called again/));
    assert.equal(noteOf(), "");
    assert.equal(events.filter(({ kind }) => kind === "plugin-failed").length, 1);
  });

  it("refuses calls to a plugin that says that it is not serving, from its first moment on", async () => {
    plugins.start();
    const fake = await serve("fake", { isServing: false });
    await until(
      "the trouble",
      () => registry.troubleOf("fake") === "it says that it is not serving",
    );
    await assert.rejects(attach("fake"), /Plugin fake: it says that it is not serving/);
    fake.isServing = true;
    await until("the recovery", () => has("plugin-recovered", /fake/));
    await attach("fake");
    fake.isServing = false;
    await until("the next trouble", () => registry.troubleOf("fake") !== "");
    assert.equal(registry.find("fake")?.info.version, "1.0.0");
  });

  it("sees by its health that a plugin hangs that nobody calls", async () => {
    plugins.start();
    const fake = await serve("fake");
    await until("the plugin", () => isThere("fake"));
    fake.before = never;
    await until("the trouble", () => /Health: .*eadline/.test(registry.troubleOf("fake")));
    fake.before = async () => {};
    await until("the recovery", () => has("plugin-recovered", /fake/));
  });

  it("takes a plugin without grpc.health.v1 for a healthy one", async () => {
    plugins.start();
    await serve("fake", {}, { health: false });
    await until("the plugin", () => isThere("fake"));
    clock.advance(10 * LIMITS.pluginHealthMs);
    await attach("fake");
    assert.equal(registry.troubleOf("fake"), "");
  });

  it("fails the call under way of a plugin that dies, remembers it, and has its next life back", async () => {
    plugins.start();
    const child = await spawnPlugin("fake", "1.0.0", "hang");
    await until("the plugin", () => isThere("fake"));
    const dying = attach("fake");
    dying.catch(() => {});
    // The List comes after the Attach on the same connection.
    await registry.find("fake")?.list({ network: "" });
    child.kill("SIGKILL");
    await assert.rejects(dying, (error: unknown) => {
      assert.ok(error instanceof PluginError && error.kind === "transient");
      return true;
    });
    await until("the trouble", () => /ECONNREFUSED/.test(registry.troubleOf("fake")));
    await assert.rejects(attach("fake"), /Plugin fake: .*ECONNREFUSED/);
    assert.ok(existsSync(socketOf("fake")));
    assert.equal(registry.find("fake")?.info.version, "1.0.0");
    await spawnPlugin("fake", "1.1.0");
    await until("the next life", () => registry.find("fake")?.info.version === "1.1.0");
    await attach("fake");
  });

  it("hands over to a new plugin on the same path while calls of the old one are under way", async () => {
    plugins.start();
    const old = await serve("fake");
    await until("the plugin", () => isThere("fake"));
    const { promise, resolve } = Promise.withResolvers<void>();
    old.before = (call) => (call === "Attach" ? promise : Promise.resolve());
    const underWay = attach("fake", "a1");
    await until("the call", () => old.calls.length === 1);
    const next = await serve("fake", withInfo({ version: "2.0.0" }), {
      socket: join(root, "next.sock"),
    });
    renameSync(join(root, "next.sock"), socketOf("fake"));
    await until("the new one", () => {
      // At no moment is there none.
      assert.ok(isThere("fake"));
      return registry.find("fake")?.info.version === "2.0.0";
    });
    await attach("fake", "a2");
    assert.deepEqual(next.calls, ["Attach"]);
    resolve();
    assert.deepEqual(await underWay, plainAnswer(requestFor("a1")));
  });

  it("lets a plugin go whose successor on its path is none", async () => {
    plugins.start();
    await serve("fake");
    await until("the plugin", () => isThere("fake"));
    await serve("fake", withInfo({ contractVersions: ["x"] }), { socket: join(root, "next.sock") });
    renameSync(join(root, "next.sock"), socketOf("fake"));
    await until("its end", () => !isThere("fake"));
    assert.ok(has("plugin-failed", /no contract in common/));
  });

  it("asks anew who is there when another plugin answers on the same socket", async () => {
    plugins.start();
    const fake = await serve("fake");
    await until("the plugin", () => isThere("fake"));
    fake.isServing = false;
    await until("the trouble", () => registry.troubleOf("fake") !== "");
    fake.info = { ...fake.info, version: "3.0.0" };
    fake.isServing = true;
    await until("the new version", () => registry.find("fake")?.info.version === "3.0.0");
    assert.equal(registry.troubleOf("fake"), "");
    await attach("fake");
  });

  it("bounds the calls of a plugin that ends none, and leaves others alone", async () => {
    plugins.start();
    const fake = await serve("fake");
    await until("the plugin", () => isThere("fake"));
    fake.before = (call) => (call === "Attach" ? never() : Promise.resolve());
    const ids = Array.from({ length: LIMITS.pluginCallsMax + 50 }, (_, index) => `a${index}`);
    const all = Promise.allSettled(ids.map((id) => attach("fake", id)));
    clock.advance(LIMITS.pluginStuckMs);
    assert.match(registry.troubleOf("fake"), /100 calls are under way and it has ended none/);
    await assert.rejects(attach("fake", "late"), /Plugin fake: 100 calls are under way/);
    const reasons = (await all).map((outcome) =>
      String(outcome.status === "rejected" && outcome.reason),
    );
    assert.equal(reasons.filter((reason) => /100 calls are under way/.test(reason)).length, 50);
    assert.equal(fake.calls.length, LIMITS.pluginCallsMax);
  });
});
