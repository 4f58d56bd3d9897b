import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { servicePluginProto } from "../../rpc/service-plugin-proto.ts";
import { connectNetworkPlugin } from "../../rpc/network-plugin-client.ts";
import { connectPlugin } from "../../rpc/service-plugin-client.ts";
import { createServiceTable } from "../../services/service-table.ts";
import type { HostEvent } from "../core/ports.ts";
import { systemClock } from "../system-clock.ts";
import { FakeServicePlane } from "./fake-service-plane.ts";
import {
  type FakeServicePlugin,
  PluginState,
  serveFakeServicePlugin,
} from "./fake-service-plugin.ts";
import { PluginFolder } from "../plugins/plugin-folder.ts";
import { PluginPlanes } from "./plugin-planes.ts";
import { toSnapshot } from "./program-request.ts";
import { ServicesCore } from "./services-core.ts";
import { plainFacts, serviceChange, serviceRemoval, silentMetrics } from "./services-fixture.ts";

const hostVersion = "0.0.0";
const deadlines = {
  greetingMs: 500,
  attachMs: 500,
  detachMs: 500,
  checkMs: 500,
  listMs: 500,
  statusMs: 500,
  repairNetworkMs: 500,
};

/** A condition that comes true some time; the limit is for a test that fails. */
async function until(what: string, ask: () => boolean): Promise<void> {
  for (const start = performance.now(); performance.now() - start < 20_000; await pause(2)) {
    if (ask()) return;
  }
  assert.fail(`Waited in vain for ${what}`);
}

/** What a plugin must hold, by way of the wire. */
function expectedState(core: ServicesCore): string {
  const { requestSerialize, requestDeserialize } = servicePluginProto.ServicePlugin.service.Program;
  const message = requestSerialize(toSnapshot(core.table.plan(), core.revision));
  const state = new PluginState();
  state.apply(requestDeserialize(message));
  return state.print();
}

describe("PluginPlanes", () => {
  let root: string;
  let folder: string;
  let socket: string;
  let core: ServicesCore;
  let plane: FakeServicePlane;
  let plugins: PluginFolder;
  let events: HostEvent[];
  const children: ChildProcess[] = [];
  const servers: FakeServicePlugin[] = [];

  const serve = async (...parts: Parameters<typeof serveFakeServicePlugin>) => {
    const plugin = await serveFakeServicePlugin(...parts);
    servers.push(plugin);
    return plugin;
  };

  const has = (kind: HostEvent["kind"], pattern: RegExp) =>
    events.some((event) => event.kind === kind && pattern.test(event.message));

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "pb-plugins-"));
    folder = join(root, "plugins");
    socket = join(folder, "mirror.sock");
    events = [];
    plane = new FakeServicePlane();
    const sink = { emit: (event: HostEvent) => void events.push(event) };
    const table = createServiceTable(plainFacts);
    core = new ServicesCore({ clock: systemClock, events: sink, table, metrics: silentMetrics });
    core.addPlane(plane, { isRequired: true, version: "1" });
    plugins = new PluginFolder({
      clock: systemClock,
      events: sink,
      folder,
      connect: async (path) => connectNetworkPlugin(path, { hostVersion, deadlines }),
    });
    plugins.addRole(
      new PluginPlanes({
        core,
        clock: systemClock,
        events: sink,
        hostVersion,
        connect: async (path) => connectPlugin(path, { timeoutMs: 500, messageBytesMax: 1 << 20 }),
      }),
    );
    plugins.start();
    core.applyModel("a", serviceChange(1, ["10.1.0.1", "10.1.0.2"]));
  });

  afterEach(async () => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
    await Promise.all(servers.splice(0).map((server) => server.stop()));
    await plugins.close();
    core.stop();
    rmSync(root, { recursive: true, force: true });
  });

  it("makes the folder for its owner alone", () => {
    assert.equal(statSync(folder).mode & 0o777, 0o700);
  });

  it("gives a plugin that comes a snapshot, then differences, and waits for it", async () => {
    const plugin = await serve(socket);
    await until("its answer", () => core.planes[1]?.revision === 1);
    core.setFacts({
      ...plainFacts,
      podPrefixes: [{ family: 4, value: 10n << 24n, prefixLength: 8 }],
    });
    core.applyModel("a", serviceChange(2, ["10.1.0.1"]));
    assert.equal(await core.waitProgrammed({ timeoutMs: 10_000 }), 2);
    core.applyModel("a", serviceRemoval(1));
    assert.equal(await core.waitProgrammed({ timeoutMs: 10_000 }), 3);
    assert.deepEqual(plugin.messages, ["snapshot 1", "delta 2", "delta 3"]);
    assert.equal(plugin.state.print(), expectedState(core));
    assert.ok(has("services-plane-joined", /Plugin mirror 1\.0\.0/));
    await plugin.stop();
    await until("its end", () => core.planes.length === 1);
    assert.ok(has("services-plane-left", /its socket is gone/));
  });

  it("gives a plugin in a process of its own, killed and started again, what it missed", async () => {
    const file = join(root, "state");
    const start = () => {
      const script = join(import.meta.dirname, "fake-service-plugin.ts");
      const child = spawn(process.execPath, [script, socket, file], { stdio: "inherit" });
      children.push(child);
      return child;
    };
    const holdsAll = () => existsSync(file) && readFileSync(file, "utf8") === expectedState(core);
    const first = start();
    await until("the first life", holdsAll);
    first.kill("SIGKILL");
    await once(first, "exit");
    core.applyModel("a", serviceChange(2, ["10.1.0.7"]));
    await until("the others to go on", () => core.programmedRevision === 2);
    assert.equal(holdsAll(), false);
    start();
    await until("the second life", holdsAll);
    core.applyModel("a", serviceChange(3, ["10.1.0.8"]));
    await until("a difference", holdsAll);
  });

  it("sends everything again when a plugin says that it lost its state", async () => {
    const plugin = await serve(socket);
    await until("the snapshot", () => plugin.messages.length === 1);
    await until(
      "its answer",
      () => core.planes[1]?.trouble === "" && core.programmedRevision === 1,
    );
    plugin.say({ resync: true });
    await until("the second one", () => plugin.messages.length === 2);
    assert.deepEqual(plugin.messages, ["snapshot 1", "snapshot 1"]);
    await until("the event", () => has("services-repaired", /mirror lost its state/));
  });

  it("shows what a plugin refuses, and drops refusals of what there is not", async () => {
    const key = { address: "10.96.0.1", protocol: "PROTOCOL_TCP" as const, port: 80 };
    await serve(socket, {
      answer: ({ revision }) => ({
        revision,
        refused: [
          { key, reason: "too\u001b[31m red" },
          { key: { ...key, port: 81 }, reason: "x" },
        ],
      }),
    });
    await until("the refusal", () => core.refusalOf("10.96.0.1|TCP|80" as never) !== "");
    assert.equal(core.refusalOf("10.96.0.1|TCP|80" as never), "mirror: too [31m red");
    assert.equal(core.refusalOf("10.96.0.1|TCP|81" as never), "");
  });

  for (const [what, options, trouble] of [
    ["makes acknowledgements up", { answer: () => ({ revision: 99 }) }, /acknowledges revision 99/],
    ["says nonsense of its state", { answer: () => ({ resync: true }) }, /lost its state/],
  ] as const) {
    it(`leaves a plugin out that ${what}, and hangs up on it`, async () => {
      const plugin = await serve(socket, options);
      await until("the failure", () => has("services-failed", trouble));
      assert.equal(await core.waitProgrammed({ timeoutMs: 10_000 }), 1);
      assert.match(core.planes[1]?.trouble ?? "", trouble);
      await until("another try", () => plugin.messages.length > 1);
    });
  }

  it("says of a plugin that acknowledges nothing that it is left out, from its first moment on", async () => {
    const plugin = await serve(socket, { answer: () => undefined });
    await until("the snapshot", () => plugin.messages.length > 0);
    assert.equal(await core.waitProgrammed({ timeoutMs: 10_000 }), 1);
    assert.deepEqual(core.leftOut, ["mirror: it has not acknowledged its first snapshot yet"]);
    assert.match(core.planes[1]?.trouble ?? "", /its first snapshot/);
  });

  it("says of a plugin that is killed that it is left out", async () => {
    const script = join(import.meta.dirname, "fake-service-plugin.ts");
    const argv = [script, socket, join(root, "state")];
    const child = spawn(process.execPath, argv, { stdio: "inherit" });
    children.push(child);
    await until("its answer", () => core.planes[1]?.revision === 1);
    assert.deepEqual(core.leftOut, []);
    child.kill("SIGKILL");
    await once(child, "exit");
    core.applyModel("a", serviceChange(2, ["10.1.0.7"]));
    await until("the trouble", () => /ECONNREFUSED/.test(core.leftOut[0] ?? ""));
    assert.equal(await core.waitProgrammed({ timeoutMs: 10_000 }), 2);
    assert.deepEqual(core.leftOut, ["mirror: its socket cannot be connected to (ECONNREFUSED)"]);
  });

  it("leaves alone what plays another role", async () => {
    const plugin = await serve(socket, { roles: ["ROLE_NETWORK"] });
    await serve(join(folder, "other.sock"), { name: "other" });
    await until("the other", () => core.planes.length === 2);
    assert.deepEqual(
      core.planes.map(({ name }) => name),
      ["fake", "other"],
    );
    assert.deepEqual(plugin.messages, []);
  });

  it("tells once of a socket that is no plugin's by its name", async () => {
    await serve(join(folder, "mirror"));
    await serve(socket);
    await until("the other", () => core.planes.length === 2);
    const told = events.filter(({ subject }) => subject === "mirror");
    assert.deepEqual(
      told.filter(({ kind }) => kind === "plugin-failed").map(({ message }) => message),
      ["Plugin socket mirror: it is left alone: the name of a plugin's socket ends in .sock"],
    );
  });

  it("refuses a second plane of the same name, and names that could be anything", async () => {
    await serve(socket, { name: "fake" });
    await until("the first refusal", () =>
      has("plugin-failed", /another data plane is named fake/),
    );
    await serve(join(folder, "odd.sock"), { name: "../x\n" });
    await until("the second refusal", () => has("plugin-failed", /its name is/));
    assert.equal(core.planes.length, 1);
  });

  it("is not disturbed by files, links and servers that are no plugins", async () => {
    writeFileSync(join(folder, "file.sock"), "");
    symlinkSync("/dev/zero", join(folder, "zero.sock"));
    const server = createServer((connection) => connection.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    server.listen(join(folder, "noise.sock"));
    await until("the report", () => has("plugin-failed", /noise\.sock: nobody answers/));
    await serve(socket);
    await until("the plugin", () => core.planes.length === 2);
    server.close();
  });
});
