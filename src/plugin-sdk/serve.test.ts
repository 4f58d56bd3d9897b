import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { connectNetworkPlugin } from "../rpc/network-plugin-client.ts";
import { definePlugin, type PluginDefinition } from "./define-plugin.ts";
import { type FakeHost, fakeHost } from "./fake-host.ts";
import { detachRequestOfId, type NetworkPlugin, PluginError } from "./network-plugin.ts";
import { serve, type ServeOptions } from "./serve.ts";

/** The least that a host takes for an answer. */
const attachNothing: PluginDefinition["attach"] = ({ ifname, netns, addresses }) => ({
  interfaces: [{ name: ifname, sandbox: netns }],
  addresses,
});

function pluginOf(change: Partial<PluginDefinition> = {}): NetworkPlugin {
  return definePlugin({
    name: "testing",
    version: "1.0.0",
    attach: attachNothing,
    detach: () => {},
    list: () => [],
    ...change,
  });
}

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "pb-sdk-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const quiet = { handlesSignals: false, log: () => {} } satisfies ServeOptions;

async function withHost(
  change: Partial<PluginDefinition>,
  work: (host: FakeHost) => Promise<void>,
): Promise<void> {
  await using host = await fakeHost(pluginOf(change));
  await work(host);
}

describe("serve()", () => {
  test("makes a socket of mode 0600 that appears when calls are answered, and removes it", async (t) => {
    const folder = makeFolder(t);
    const socket = join(folder, "plugins/testing.sock");
    const served = await serve(pluginOf(), { ...quiet, socket });
    assert.equal(served.socketPath, socket);
    assert.equal(lstatSync(join(folder, "plugins")).mode & 0o777, 0o700);
    assert.equal(lstatSync(socket).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(join(folder, "plugins")), ["testing.sock"]);
    await served.stop();
    await served.stopped;
    assert.deepEqual(readdirSync(join(folder, "plugins")), []);
  });

  test("leaves the mode of a folder that is there as it is", async (t) => {
    const folder = join(makeFolder(t), "there");
    mkdirSync(folder, { mode: 0o755 });
    await using served = await serve(pluginOf(), { ...quiet, socket: join(folder, "a.sock") });
    assert.equal(lstatSync(folder).mode & 0o777, 0o755);
    assert.ok(existsSync(served.socketPath));
  });

  test("serves on a path that no socket address holds", async (t) => {
    const folder = join(makeFolder(t), "x".repeat(120), "y".repeat(120));
    const served = await serve(pluginOf(), { ...quiet, socket: join(folder, "a.sock") });
    const host = await fakeHost(served.socketPath);
    assert.equal(host.info.name, "testing");
    await host[Symbol.asyncDispose]();
    await served.stop();
    assert.deepEqual(readdirSync(folder), []);
  });

  test("replaces the socket of a dead process, and what it could not rename", async (t) => {
    const folder = makeFolder(t);
    const socket = join(folder, "a.sock");
    const script = `require("net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))`;
    for (const path of [socket, join(folder, ".a.sock-0123abcd")]) {
      await once(spawn(process.execPath, ["-e", script, path]), "close");
    }
    assert.equal(readdirSync(folder).length, 2);
    await using served = await serve(pluginOf(), { ...quiet, socket });
    assert.deepEqual(readdirSync(folder), ["a.sock"]);
    await using host = await fakeHost(served.socketPath);
    assert.equal(host.info.name, "testing");
  });

  test("refuses the socket of a living process", async (t) => {
    const socket = join(makeFolder(t), "a.sock");
    const other = createServer().listen(socket);
    await once(other, "listening");
    t.after(() => other.close());
    await assert.rejects(serve(pluginOf(), { ...quiet, socket }), { code: "EADDRINUSE" });
    assert.ok(existsSync(socket));
  });

  test("leaves a socket alone that took the place of its own", async (t) => {
    const socket = join(makeFolder(t), "a.sock");
    const served = await serve(pluginOf(), { ...quiet, socket });
    rmSync(socket);
    writeFileSync(socket, "another's");
    await served.stop();
    assert.ok(existsSync(socket));
  });

  test("stop() lets running calls end, refuses new ones and tells of its health", async (t) => {
    const socket = join(makeFolder(t), "a.sock");
    const entered = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const attach: PluginDefinition["attach"] = async (order, call) => {
      entered.resolve();
      await gate.promise;
      return attachNothing(order, call);
    };
    let closed = 0;
    const onStop = () => void closed++;
    const served = await serve(pluginOf({ attach }), { ...quiet, socket, onStop });
    await using host = await fakeHost(socket);
    assert.equal(await host.health(), "serving");
    const attaching = host.attach();
    await entered.promise;
    const stopping = served.stop();
    assert.ok(!existsSync(socket));
    assert.equal(await host.health(), "not-serving");
    await assert.rejects(host.list(), /being stopped/);
    assert.equal(closed, 0);
    gate.resolve();
    assert.equal((await attaching).interfaces[0]?.name, "eth0");
    await stopping;
    await served.stop();
    assert.equal(closed, 1);
  });

  test("stop() gives up what does not end, and tells it by its signal", async (t) => {
    const socket = join(makeFolder(t), "a.sock");
    const entered = Promise.withResolvers<AbortSignal>();
    const attach: PluginDefinition["attach"] = (_request, { signal }) => {
      entered.resolve(signal);
      return new Promise(() => {});
    };
    const served = await serve(pluginOf({ attach }), { ...quiet, socket, graceMs: 1 });
    await using host = await fakeHost(socket);
    const attaching = host.attach();
    attaching.catch(() => {});
    const signal = await entered.promise;
    await served.stop();
    assert.match(String(signal.reason), /being stopped/);
    await assert.rejects(attaching, PluginError);
  });

  test("setHealthy() is what grpc.health.v1 says, and calls are answered all the same", async (t) => {
    const socket = join(makeFolder(t), "a.sock");
    await using served = await serve(pluginOf(), { ...quiet, socket });
    await using host = await fakeHost(socket);
    served.setHealthy(false);
    assert.equal(await host.health(), "not-serving");
    await host.attach();
    served.setHealthy(true);
    assert.equal(await host.health(), "serving");
  });

  test("ends its process on SIGTERM, with the socket removed", async (t) => {
    const folder = makeFolder(t);
    const script = join(folder, "plugin.ts");
    const sdk = join(import.meta.dirname, "index.ts");
    writeFileSync(
      script,
      `import { definePlugin, serve } from ${JSON.stringify(sdk)};
await serve(definePlugin({ name: "child", version: "1.0.0",
  attach: () => ({ interfaces: [{ name: "eth0" }] }), detach() {}, list: () => [] }));
// What a plugin forgets to close keeps its process for a second, not for ever.
setInterval(() => {}, 1000);`,
    );
    const env = { ...process.env, PATCHBAY_ROOT: folder };
    delete (env as NodeJS.ProcessEnv)["NODE_TEST_CONTEXT"];
    const child = spawn(process.execPath, [script], { env, stdio: ["ignore", "ignore", "pipe"] });
    t.after(() => child.kill("SIGKILL"));
    child.stderr.setEncoding("utf8");
    const [line] = (await once(child.stderr, "data")) as [string];
    const socket = join(folder, "run/patchbay/plugins/child.sock");
    assert.equal(line, `child 1.0.0 listens on ${socket}\n`);
    assert.equal(lstatSync(join(folder, "run/patchbay/plugins")).mode & 0o777, 0o700);
    await using host = await fakeHost(socket);
    assert.equal(host.info.name, "child");
    child.kill("SIGTERM");
    const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
    assert.deepEqual([code, signal], [0, null]);
    assert.ok(!existsSync(socket));
  });
});

describe("a served plugin", () => {
  test("says what it is", async () => {
    const configSchema = { type: "object", properties: { bridge: { type: "string" } } };
    await withHost({ configSchema, repairNetwork: () => [] }, async ({ info }) => {
      assert.deepEqual(info, {
        name: "testing",
        version: "1.0.0",
        contractVersions: ["patchbay.plugin.v1"],
        roles: ["ROLE_NETWORK"],
        capabilities: ["CAPABILITY_REPAIR_NETWORK"],
        configSchemaJson: JSON.stringify(configSchema),
      });
    });
  });

  for (const [kind, status] of [
    ["invalid-config", "INVALID_ARGUMENT"],
    ["interface-exists", "ALREADY_EXISTS"],
    ["transient", "UNAVAILABLE"],
  ] as const) {
    test(`answers a PluginError "${kind}" as ${status}, with its causes`, async () => {
      const attach = () => {
        throw new PluginError(kind, "No bridge", { cause: new Error("it is Sunday") });
      };
      await withHost({ attach }, async (host) => {
        const message = "Attach: No bridge: it is Sunday";
        await assert.rejects(host.attach(), { kind, status, message });
      });
    });
  }

  test("answers what its author did not foresee as UNKNOWN, and logs the stack instead of sending it", async (t) => {
    const socket = join(makeFolder(t), "a.sock");
    const logged: string[] = [];
    const attach = async () => {
      await Promise.resolve();
      throw new RangeError(`half of a pair: \ud800 ${"ü".repeat(5000)}`);
    };
    const plugin = pluginOf({ attach, detach: () => Promise.reject("no error") });
    await using _ = await serve(plugin, { ...quiet, socket, log: (text) => logged.push(text) });
    await using host = await fakeHost(socket);
    const error: unknown = await host.attach().then(
      () => undefined,
      (error: unknown) => error,
    );
    assert.ok(error instanceof PluginError);
    assert.equal(error.kind, "transient");
    assert.match(error.message, /^Attach: half of a pair: \ufffd ü{900,}…$/);
    assert.match(logged.at(-1) ?? "", /^testing: RangeError: half[^]*\n {4}at .*serve\.test\.ts/);
    await assert.rejects(host.detach(), { status: "UNKNOWN", message: /The plugin threw string/ });
  });

  test("refuses orders that nobody can carry out, field by field", async () => {
    let calls = 0;
    const attach = () => {
      calls++;
      return { interfaces: [{ name: "eth0" }] };
    };
    await withHost({ attach }, async (host) => {
      for (const [change, message] of [
        [{ attachmentId: "" }, /attachment_id must be printable/],
        [{ attachmentId: "x".repeat(65) }, /attachment_id must be .* 64/],
        [{ netns: "pod1" }, /netns must be an absolute path: "pod1"/],
        [{ ifname: "a/b" }, /ifname must be a link name/],
        [{ ifname: "sixteen-letters!" }, /ifname must be .* 15 bytes/],
        [{ network: "" }, /network must be a name/],
        [{ configJson: "{" }, /config_json is no JSON/],
        [{ configJson: "[]" }, /config_json is no JSON object/],
      ] as const) {
        await assert.rejects(host.attach(change), { kind: "invalid-config", message });
      }
      await assert.rejects(host.detach({ attachmentId: "" }), { kind: "invalid-config" });
      const nothing = { attachment: null, attached: null, repair: false };
      await assert.rejects(host.client.check(nothing), { message: /attachment is missing/ });
      assert.equal(calls, 0);
    });
  });

  test("answers RepairNetwork with UNIMPLEMENTED where it has none", async () => {
    await withHost({}, async (host) => {
      await assert.rejects(host.repairNetwork(), { status: "UNIMPLEMENTED" });
    });
  });

  test("says of an answer that is none what it must be", async () => {
    await withHost(
      { attach: () => undefined as never, list: () => ({}) as never },
      async (host) => {
        await assert.rejects(
          host.attach(),
          /attach\(\) of plugin testing must answer \{ interfaces/,
        );
        await assert.rejects(host.list(), /list\(\) of plugin testing must answer an array/);
      },
    );
  });

  test("tells attach() by its signal that the deadline has passed; Detach waits for its end", async (t) => {
    const socket = join(makeFolder(t), "a.sock");
    const steps: string[] = [];
    const gate = Promise.withResolvers<void>();
    const attach: PluginDefinition["attach"] = async (_request, { signal }) => {
      await once(signal, "abort");
      steps.push("given up");
      await gate.promise;
      steps.push("attached");
      return { interfaces: [{ name: "eth0" }] };
    };
    const detach: PluginDefinition["detach"] = () => void steps.push("detached");
    await using _ = await serve(pluginOf({ attach, detach }), { ...quiet, socket });
    await using host = await fakeHost(socket, { deadlineMs: 500 });
    await assert.rejects(host.attach(), { status: "DEADLINE_EXCEEDED" });
    await using patient = await fakeHost(socket);
    const detaching = patient.detach();
    // Another attachment does not wait.
    await patient.detach({ attachmentId: "another" });
    assert.deepEqual(steps, ["given up", "detached"]);
    gate.resolve();
    await detaching;
    assert.deepEqual(steps, ["given up", "detached", "attached", "detached"]);
  });

  test("refuses the eighteenth call of one attachment", async (t) => {
    const socket = join(makeFolder(t), "a.sock");
    const gate = Promise.withResolvers<void>();
    await using _ = await serve(pluginOf({ detach: () => gate.promise }), { ...quiet, socket });
    const client = connectNetworkPlugin(socket, {
      hostVersion: "1.0.0",
      deadlines: {
        greetingMs: 5000,
        attachMs: 5000,
        detachMs: 5000,
        checkMs: 5000,
        listMs: 5000,
        statusMs: 5000,
        repairNetworkMs: 5000,
      },
    });
    const calls = Array.from({ length: 18 }, () => client.detach(detachRequestOfId("a")));
    const settled = Promise.allSettled(calls);
    await assert.rejects(calls.at(-1) ?? Promise.resolve(), /17 calls of a are before it/);
    gate.resolve();
    const outcomes = (await settled).map(({ status }) => status);
    assert.equal(outcomes.filter((status) => status === "fulfilled").length, 17);
    client.close();
  });
});
