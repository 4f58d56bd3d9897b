/** Third parties' network plugins with a real host: whatever they do, others' networks go on. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { renameSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import {
  FakeFailure,
  FakeNetworkPlugin,
} from "../../src/plugin-host/plugins/fake-network-plugin.ts";
import { LIMITS } from "../../src/plugin-host/limits.ts";
import { pathsBelow } from "../../src/plugin-host/paths.ts";
import {
  findSkipReason,
  type HostProcess,
  openNode,
  type Pod,
  type ShimAnswer,
  type TestNode,
  until,
} from "./harness.ts";
import { add, addOk, del, delOk, errorOf, makeNetwork } from "./runtime.ts";

const skip = findSkipReason() ?? false;
const LIMIT_MS = 60_000;
const program = join(import.meta.dirname, "../../src/plugin-host/plugins/fake-network-plugin.ts");

describe("third parties' plugins", { skip }, () => {
  let node: TestNode;
  let host: HostProcess;
  let folder: string;
  const servers: FakeNetworkPlugin[] = [];
  const children: ChildProcess[] = [];
  const routed = makeNetwork("routed");
  const ipam = { ranges: [[{ subnet: "10.250.0.0/16" }], [{ subnet: "fd00:250::/64" }]] };
  const weave = makeNetwork("routed", { plugin: "weave", ipam });

  const serve = async (name: string, file = join(folder, `${name}.sock`)) => {
    const plugin = new FakeNetworkPlugin();
    plugin.info.name = name;
    servers.push(plugin);
    await plugin.serve(file);
    return plugin;
  };
  const spawnPlugin = async (name: string, version: string) => {
    const child = spawn(process.execPath, [program, join(folder, `${name}.sock`), name, version], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(child);
    await once(child.stdout, "data");
    return child;
  };
  const statusOf = async (name: string) => {
    const { plugins } = await host.client.getStatus();
    return plugins.find((plugin) => plugin.name === name);
  };
  const untilPlugin = (name: string, isAsWanted: (trouble: string, version: string) => boolean) =>
    until(`plugin ${name}`, LIMIT_MS, async () => {
      const status = await statusOf(name);
      return status !== undefined && isAsWanted(status.trouble, status.version);
    });
  const untilNoneOf = (network: string) =>
    until(`the end of the attachments of ${network}`, LIMIT_MS, async () => {
      return (await host.client.listAttachments({ network })).length === 0;
    });
  /** ADD and DEL on the built-in network, which must work whatever others do. */
  const assertRoutedWorks = async () => {
    const pod = await node.createPod();
    await addOk(node, pod, routed);
    await delOk(node, pod, routed);
  };
  /** Many pods for one that makes nothing in their namespaces. */
  const addMany = (pod: Pod, count: number) =>
    Array.from({ length: count }, (_, index) => {
      const containerId = `${pod.name}-${index}`;
      return { containerId, answer: add(node, pod, weave, { containerId }) };
    });

  beforeEach(async () => {
    node = await openNode();
    folder = pathsBelow(node.root).pluginDir;
    host = await node.startHost();
  });

  afterEach(async () => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
    await Promise.all(servers.splice(0).map((server) => server.stop()));
    await node[Symbol.asyncDispose]();
  });

  test("a plugin that comes serves the networks that name it, by its own schema", async () => {
    const [pod] = await node.createPods(1);
    assert.ok(pod);
    const early = errorOf(await add(node, pod, weave));
    assert.equal(early.code, 11);
    assert.match(early.msg, /"weave" is not connected.*\[PLUGIN_UNAVAILABLE\]/);
    const plugin = await serve("weave");
    plugin.info.configSchemaJson = JSON.stringify({ properties: { color: { enum: ["red"] } } });
    plugin.info.capabilities = ["CAPABILITY_ATTACH_IN_PARALLEL"];
    await untilPlugin("weave", (trouble) => trouble === "");
    const wrong = errorOf(await add(node, pod, { ...weave, color: "blue" }));
    assert.equal(wrong.code, 7);
    assert.match(wrong.msg, /color/);
    const result = await addOk(node, pod, { ...weave, color: "red" });
    assert.equal(result.ips.length, 2);
    assert.deepEqual(JSON.parse([...plugin.held.values()][0]?.configJson ?? "").color, "red");
    const { socket: _, ...status } = (await statusOf("weave")) ?? { socket: "" };
    assert.deepEqual(status, {
      name: "weave",
      version: "1.0.0",
      builtIn: false,
      trouble: "",
      note: "",
      roles: ["network"],
      capabilities: ["attach-in-parallel"],
      networks: [weave.name],
      attachments: 1,
    });
    await delOk(node, pod, weave);
    assert.equal(plugin.held.size, 0);
  });

  test("300 calls that hang in one plugin keep nobody else from its network", async () => {
    const plugin = await serve("weave");
    await untilPlugin("weave", (trouble) => trouble === "");
    const { promise, resolve: release } = Promise.withResolvers<void>();
    plugin.before = (call) => (call === "Attach" ? promise : Promise.resolve());
    const [pod] = await node.createPods(1);
    assert.ok(pod);
    const hanging = addMany(pod, 300);
    await until("as many as it may occupy", LIMIT_MS, () => {
      return plugin.calls.filter((call) => call === "Attach").length === LIMITS.pluginCallsMax;
    });
    for (let count = 0; count < 5; count++) await assertRoutedWorks();
    const refused = errorOf(await add(node, pod, weave, { containerId: "one-more" }));
    assert.equal(refused.code, 11);
    assert.match(refused.msg, /weave.*100 calls are under way.*\[PLUGIN_UNAVAILABLE\]/);
    assert.match((await statusOf("weave"))?.trouble ?? "", /100 calls are under way/);
    release();
    const answers = await Promise.all(
      hanging.map(async ({ containerId, answer }) => ({ containerId, answer: await answer })),
    );
    const failed = answers.filter(({ answer }) => answer.exitCode !== 0);
    assert.equal(answers.length - failed.length, LIMITS.pluginCallsMax);
    for (const { answer } of failed) assert.equal(errorOf(answer).code, 11);
    // As kubelet does: the refused ones again, all of them at once.
    const again = failed.map(({ containerId }) => addOk(node, pod, weave, { containerId }));
    await Promise.all(again);
    assert.equal(plugin.held.size, 300);
    const ends = answers.map(({ containerId }) => delOk(node, pod, weave, { containerId }));
    await Promise.all(ends);
    await untilNoneOf(weave.name);
    assert.equal(plugin.held.size, 0);
  });

  test("a plugin that dies is refused at once, and finishes when it is back", async () => {
    const child = await spawnPlugin("weave", "1.0.0");
    await untilPlugin("weave", (trouble) => trouble === "");
    const [one, two] = await node.createPods(2);
    assert.ok(one && two);
    await addOk(node, one, weave);
    child.kill("SIGKILL");
    await once(child, "exit");
    await untilPlugin("weave", (trouble) => /ECONNREFUSED/.test(trouble));
    const refused = errorOf(await add(node, two, weave));
    assert.equal(refused.code, 11);
    assert.match(refused.msg, /Plugin weave: .*ECONNREFUSED.*\[PLUGIN_UNAVAILABLE\]/);
    // Nothing was begun: nothing is to be undone.
    assert.equal((await host.client.listAttachments({ network: weave.name })).length, 1);
    const undeleted = errorOf(await del(node, one, weave));
    assert.equal(undeleted.code, 11);
    assert.match(undeleted.msg, /\[PLUGIN_UNAVAILABLE\]/);
    const [held] = await host.client.listAttachments({ network: weave.name });
    assert.equal(held?.state, "detaching");
    await assertRoutedWorks();
    await spawnPlugin("weave", "1.1.0");
    await untilPlugin("weave", (trouble, version) => trouble === "" && version === "1.1.0");
    // Nobody asks again: the host itself does.
    await untilNoneOf(weave.name);
    await addOk(node, two, weave);
    await delOk(node, two, weave);
  });

  test("a plugin that answers garbage has its pods refused, and what it made taken away", async () => {
    const plugin = await serve("weave");
    await untilPlugin("weave", (trouble) => trouble === "");
    const [pod] = await node.createPods(1);
    assert.ok(pod);
    plugin.answer = ({ ifname, netns }) => ({
      interfaces: [{ name: ifname, mac: "", mtu: 0, sandbox: netns, pciId: "", socketPath: "" }],
      addresses: [{ address: "not an address", gateway: "", interfaceIndex: 9 }],
      routes: [],
      dns: null,
      deviceInfoJson: "",
    });
    const { code, msg, details } = errorOf(await add(node, pod, weave));
    assert.equal(code, 11);
    assert.match(`${msg} ${details}`, /answered garbage: field addresses\[0\]\.address/);
    await untilNoneOf(weave.name);
    assert.equal(plugin.held.size, 0);
    plugin.before = async (call) => {
      if (call === "Attach") throw new FakeFailure("INVALID_ARGUMENT", "no such color");
    };
    const unfit = errorOf(await add(node, pod, weave));
    assert.equal(unfit.code, 7);
    assert.match(`${unfit.msg} ${unfit.details}`, /no such color/);
    await assertRoutedWorks();
  });

  test("a plugin is replaced under load: every pod has its network, or is told to come again", async () => {
    const old = await serve("weave");
    await untilPlugin("weave", (trouble) => trouble === "");
    const [pod] = await node.createPods(1);
    assert.ok(pod);
    const calls = addMany(pod, 60);
    await until("the first calls", LIMIT_MS, () => old.calls.length > 5);
    const next = await serve("weave", join(node.root, "next.sock"));
    next.info.version = "2.0.0";
    // What it makes is on the node, whoever looks.
    for (const [id, request] of old.held) next.held.set(id, request);
    renameSync(join(node.root, "next.sock"), join(folder, "weave.sock"));
    const answers = await Promise.all(calls.map(({ answer }) => answer));
    for (const answer of answers) assertOkOrAgain(answer);
    await untilPlugin("weave", (trouble, version) => trouble === "" && version === "2.0.0");
    await Promise.all(calls.map(({ containerId }) => addOk(node, pod, weave, { containerId })));
    await Promise.all(calls.map(({ containerId }) => delOk(node, pod, weave, { containerId })));
    assert.ok(next.calls.includes("Attach"));
    await untilNoneOf(weave.name);
  });

  test("a plugin is killed and started again under load: nothing is left behind or doubled", async () => {
    const child = await spawnPlugin("weave", "1.0.0");
    await untilPlugin("weave", (trouble) => trouble === "");
    const [pod] = await node.createPods(1);
    assert.ok(pod);
    const calls = addMany(pod, 60);
    const list = () => host.client.listAttachments({ network: weave.name });
    await until("the first attachments", LIMIT_MS, async () => (await list()).length > 5);
    child.kill("SIGKILL");
    await once(child, "exit");
    for (let count = 0; count < 3; count++) await assertRoutedWorks();
    for (const { answer } of calls) assertOkOrAgain(await answer);
    await spawnPlugin("weave", "1.1.0");
    await untilPlugin("weave", (trouble, version) => trouble === "" && version === "1.1.0");
    await Promise.all(calls.map(({ containerId }) => addOk(node, pod, weave, { containerId })));
    const attached = await list();
    assert.equal(attached.length, calls.length);
    const addresses = new Set(attached.flatMap((attachment) => attachment.addresses));
    assert.equal(addresses.size, 2 * calls.length);
    await Promise.all(calls.map(({ containerId }) => delOk(node, pod, weave, { containerId })));
    assert.deepEqual(await list(), []);
  });

  test("a host that is killed in the middle finishes by the plugin before it serves", async () => {
    const plugin = await serve("weave");
    await untilPlugin("weave", (trouble) => trouble === "");
    const [pod] = await node.createPods(1);
    assert.ok(pod);
    plugin.before = (call) => (call === "Attach" ? new Promise(() => {}) : Promise.resolve());
    const cut = add(node, pod, weave);
    await until("the call", LIMIT_MS, () => plugin.calls.includes("Attach"));
    await host.kill("SIGKILL");
    assert.equal(errorOf(await cut).code, 11);
    host = await node.startHost();
    assert.ok(plugin.calls.includes("Detach"), plugin.calls.join());
    assert.deepEqual(await host.client.listAttachments({ network: weave.name }), []);
  });

  test("a host starts and serves beside a plugin that never says who it is", async () => {
    await host.kill("SIGTERM");
    const plugin = await serve("weave");
    plugin.before = () => new Promise(() => {});
    const quick = await serve("quick");
    host = await node.startHost();
    await assertRoutedWorks();
    await untilPlugin("quick", (trouble) => trouble === "");
    const [pod] = await node.createPods(1);
    assert.ok(pod);
    await addOk(node, pod, { ...makeNetwork("routed"), plugin: "quick" });
    assert.equal(quick.held.size, 1);
    assert.equal(errorOf(await add(node, pod, weave, { ifname: "net1" })).code, 11);
  });
});

function assertOkOrAgain(answer: ShimAnswer): void {
  if (answer.exitCode !== 0) assert.equal(errorOf(answer).code, 11, answer.stdout);
}
