/** Pods, definitions and plugins that mean harm, against the real host: what once broke it, and what must hold. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { FakeNetworkPlugin } from "../../src/plugin-host/plugins/fake-network-plugin.ts";
import { pathsBelow } from "../../src/plugin-host/paths.ts";
import {
  findSkipReason,
  type HostProcess,
  openNode,
  type Pod,
  type TestNode,
  until,
} from "./harness.ts";
import {
  askFor,
  manifestsOf,
  startHostWith,
  statusOf,
  THREE_NETWORKS,
  writeDefinitions,
} from "./pod-networks.ts";
import {
  add,
  addOk,
  assertSilentSuccess,
  check,
  del,
  delOk,
  errorOf,
  makeNetwork,
  type NetworkJson,
  readState,
  withoutCooling,
} from "./runtime.ts";

const skip = findSkipReason() ?? false;
const LIMIT_MS = 30_000;

interface Scene extends AsyncDisposable {
  readonly node: TestNode;
  readonly host: HostProcess;
  readonly network: NetworkJson;
}

async function openScene(definitions: Record<string, object> = THREE_NETWORKS): Promise<Scene> {
  const node = await openNode();
  try {
    const host = await startHostWith(node, definitions);
    const network = makeNetwork("routed");
    return { node, host, network, [Symbol.asyncDispose]: () => node[Symbol.asyncDispose]() };
  } catch (error) {
    await node[Symbol.asyncDispose]();
    throw error;
  }
}

/** A pod that is attached, with networks of the annotation. */
async function startPod({ node, network }: Scene, networks: unknown): Promise<Pod> {
  const pod = await node.createPod();
  await addOk(node, pod, network, askFor(pod, network, networks));
  return pod;
}

/** A pod comes and goes on a built-in network. */
async function assertWorks({ node, network }: Scene): Promise<void> {
  const pod = await node.createPod();
  await addOk(node, pod, network);
  await delOk(node, pod, network);
  await node.deletePod(pod);
}

describe("networks under attack", { skip }, () => {
  test("annotations that no pod can mean are refused by field, and change nothing", async () => {
    await using scene = await openScene({
      ...THREE_NETWORKS,
      one: { plugin: "routed", dependsOn: ["default/two"] },
      two: { plugin: "routed", dependsOn: ["default/one"] },
      secret: { plugin: "routed", tuning: { sysctls: { "net.ipv4.conf.IFNAME.forwarding": "1" } } },
      path: { plugin: "routed", tuning: { sysctls: { "net.ipv4.conf.../../kernel.x": "1" } } },
      lo: { plugin: "host-device", device: "lo" },
    });
    const { node, host, network } = scene;
    await assertWorks(scene);
    const pod = await node.createPod();
    const read = async () => {
      const state = withoutCooling(await readState(node, host));
      return { ...state, kernel: { ...state.kernel, nftables: [] } };
    };
    const before = await read();
    const blue = (keys: object) => [{ name: "blue", ...keys }];
    const cases: readonly (readonly [networks: unknown, code: number, message: RegExp])[] = [
      ...["..", "eth0", "lo", "eth0 ", "a/b", "all", "default", "é", "\u202Eeth0", "net%d"].map(
        (name) => [blue({ interface: name }), 7, /\[0\]\.interface/] as const,
      ),
      [Array.from({ length: 65 }, () => "blue").join(","), 7, /65 networks/],
      ["[".repeat(60_000), 7, /neither JSON/],
      [
        `[{"name":"blue","cni-args":{"a":${"[".repeat(9_000)}${"]".repeat(9_000)}}}]`,
        7,
        /too deep/,
      ],
      ['[{"name":"blue","__proto__":{"name":"red"}}]', 7, /__proto__/],
      ["one,two", 7, /depend on each other/],
      [blue({ mac: "01:00:5e:00:00:01" }), 7, /\[0\]\.mac/],
      [blue({ ips: ["::ffff:10.201.0.9"] }), 102, /lies in none of the ranges/],
      [blue({ ips: ["10.201.0.1"] }), 102, /is the gateway/],
      ...["0.0.0.0", "127.0.0.1", "224.0.0.1", "::ffff:10.201.0.1"].map(
        (gateway) =>
          [blue({ "default-route": [gateway] }), 7, /\[0\]\.default-route\[0\]/] as const,
      ),
      ["secret", 7, /may not set/],
      ["path", 7, /expected a sysctl below net/],
      ["lo", 7, /it is the loopback/],
      ["../blue", 7, /\[0\]\.namespace/],
    ];
    for (const [networks, code, message] of cases) {
      const error = errorOf(await add(node, pod, network, askFor(pod, network, networks)));
      assert.equal(error.code, code, `${JSON.stringify(networks).slice(0, 80)}: ${error.msg}`);
      assert.match(`${error.msg} ${error.details}`, message);
    }
    await delOk(node, pod, network);
    assert.deepEqual(await read(), before);
    assert.equal((await node.readKernel(pod.netns)).links.length, 1);
  });

  test("two CNI networks of one container: each has its own, and one annotation serves once", async () => {
    await using scene = await openScene();
    const { node, host, network } = scene;
    const pod = await startPod(scene, "blue");
    const second = makeNetwork("routed");
    const asked = { ...askFor(pod, second, "blue"), ifname: "eth1" };
    const twice = errorOf(await add(node, pod, second, asked));
    assert.equal(twice.code, 105);
    assert.match(twice.msg, /net1 of default\/.* is attached to network default\/blue/);
    await delOk(node, pod, second, asked);
    assertSilentSuccess(await check(node, pod, network));
    await addOk(node, pod, second, { ...askFor(pod, second, ""), ifname: "eth1" });
    await host.client.attachNetwork({ pod: `default/${pod.name}`, selection: "red" });
    const names = (await statusOf(host, pod)).map((each) => each.interface);
    assert.deepEqual(names, ["eth0", "net1", "net2"]);
    await delOk(node, pod, network);
    assert.deepEqual(
      (await node.readKernel(pod.netns)).links.map((line) => line.split(" ")[0]),
      ["eth1", "lo"],
    );
    await delOk(node, pod, second, asked);
    assert.deepEqual((await readState(node, host)).attachments, []);
  });

  test("definitions that change or go while pods have them leave the pods as they are", async () => {
    const dataDir = (node: TestNode) => join(node.root, "host-local");
    await using scene = await openScene();
    const { node, network } = scene;
    let { host } = scene;
    const redefine = async (definitions: Record<string, object>) => {
      writeDefinitions(manifestsOf(node), definitions);
      await until("the definitions", LIMIT_MS, async () => {
        const { definitions: known } = await host.client.listNetworkDefinitions({});
        const told = known.map((each) => `${each.network} ${each.cniTypes.join()}`).sort();
        const wanted = Object.entries(definitions).map(
          ([name, config]) => `default/${name} ${"type" in config ? String(config.type) : ""}`,
        );
        return told.join("\n") === wanted.sort().join("\n");
      });
    };
    const base = withoutCooling(await readState(node, host));
    const one = await startPod(scene, "blue,red");
    const before = await node.readKernel(one.netns);
    const chain = {
      type: "bridge",
      bridge: "br-exec",
      ipam: { type: "host-local", dataDir: dataDir(node), subnet: "10.209.0.0/24" },
    };
    await redefine({ blue: chain });
    const two = await startPod(scene, "blue");
    const gone = errorOf(
      await add(node, await node.createPod(), network, askFor(one, network, "red")),
    );
    assert.match(gone.msg, /default\/red, which is not defined/);
    await redefine({});
    await host.kill("SIGKILL");
    host = await startHostWith(node, {});
    for (const pod of [one, two]) assertSilentSuccess(await check(node, pod, network));
    const { attachments } = await host.client.checkAttachments({ pod: "", repair: true });
    assert.deepEqual(
      attachments.flatMap(({ findings }) => findings),
      [],
    );
    assert.deepEqual(await node.readKernel(one.netns), before);
    for (const pod of [one, two]) {
      await delOk(node, pod, network);
      assert.equal((await node.readKernel(pod.netns)).links.length, 1);
    }
    const state = withoutCooling(await readState(node, host));
    assert.deepEqual([state.attachments, state.leases], [base.attachments, base.leases]);
    assert.deepEqual(state.kernel.routes, base.kernel.routes);
  });

  test("records of CNI plugins that are spoilt: the pod goes, with all that the plugins made", async () => {
    const chain = { type: "bridge", bridge: "br-exec" };
    await using scene = await openScene({
      chain: {
        ...chain,
        ipam: { type: "host-local", subnet: "10.209.0.0/24", dataDir: "/run/pb-hl" },
      },
    });
    const { node, network } = scene;
    const pod = await startPod(scene, "chain");
    const folder = join(node.root, "var/lib/patchbay/cni-exec");
    const record = readdirSync(folder).find((name) => name.endsWith(".json"));
    assert.ok(record);
    await scene.host.kill("SIGKILL");
    writeFileSync(join(folder, record), "\0garbage");
    writeFileSync(join(folder, "half.json"), '{"configJson":"{}","args":{"sandboxId":"x"}}');
    writeFileSync(join(folder, "%zz.json"), "");
    mkdirSync(join(folder, "folder.json"));
    mkdirSync(join(folder, "folder.tmp"));
    await startHostWith(node, { chain });
    await delOk(node, pod, network);
    assert.equal((await node.readKernel(pod.netns)).links.length, 1);
    assert.ok(!readdirSync("/run/pb-hl/chain").some((name) => name.startsWith("10.")));
    rmSync("/run/pb-hl", { recursive: true });
  });

  test("whatever lies in the plugin folder, and however much, the host goes on", async () => {
    await using scene = await openScene();
    const { node, host } = scene;
    const folder = pathsBelow(node.root).pluginDir;
    const servers: Server[] = [];
    const serve = async (name: string, talk: (socket: Socket) => void) => {
      const server = createServer((socket) => talk(socket.on("error", () => {})));
      await new Promise<void>((resolve) => server.listen(join(folder, name), resolve));
      servers.push(server);
    };
    symlinkSync("loop.sock", join(folder, "loop.sock"));
    mkdirSync(join(folder, "folder.sock"));
    await serve("closes.sock", (socket) => socket.destroy());
    await serve("other.sock", (socket) => socket.end("HTTP/1.1 200 OK\r\n\r\n"));
    await serve("silent.sock", () => {});
    // One look for each took minutes.
    for (let count = 0; count < 20_000; count++) writeFileSync(join(folder, `file${count}`), "");
    for (let count = 0; count < 300; count++)
      await serve(`s${count}.sock`, (socket) => socket.end());
    await assertWorks(scene);
    const { plugins } = await host.client.getStatus();
    assert.deepEqual(
      plugins.filter(({ builtIn }) => !builtIn),
      [],
    );
    for (const server of servers) server.close();
  });

  test("a plugin's schema without end costs its own pods their network, and nobody else", async () => {
    await using scene = await openScene();
    const { node, host } = scene;
    const folder = pathsBelow(node.root).pluginDir;
    const many = (prefix: string, count: number, value: object) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}${index}`, value]));
    const schemas: Record<string, object> = {
      // Unfolded it has no room in any memory.
      unfolds: {
        definitions: { a: { properties: many("p", 700, { type: "string", pattern: "^a$" }) } },
        properties: many("q", 600, { $ref: "#/definitions/a" }),
      },
      backtracks: { properties: { name: { pattern: "^([a-z0-9]+)+!$" } } },
      plain: {},
    };
    const plugins: FakeNetworkPlugin[] = [];
    try {
      for (const [name, schema] of Object.entries(schemas)) {
        const plugin = new FakeNetworkPlugin();
        plugin.info.name = name;
        plugin.info.configSchemaJson = JSON.stringify(schema);
        plugins.push(plugin);
        await plugin.serve(join(folder, `${name}.sock`));
      }
      await until("the plugins", LIMIT_MS, async () => {
        const { plugins: known } = await host.client.getStatus();
        const isThere = (name: string) => known.some((each) => each.name === name);
        return isThere("plain") && isThere("backtracks");
      });
      const pod = await node.createPod();
      const config = { ...makeNetwork("routed"), name: "a".repeat(60), plugin: "backtracks" };
      for (let count = 0; count < 5; count++) {
        const error = errorOf(await add(node, pod, config));
        assert.equal(error.code, 11);
        assert.match(error.msg, /schema of the network's plugin.*\[PLUGIN_UNAVAILABLE\]/);
      }
      await addOk(node, pod, { ...makeNetwork("routed"), plugin: "plain" });
      await assertWorks(scene);
    } finally {
      await Promise.all(plugins.map((plugin) => plugin.stop()));
    }
  });

  test("storms of everything, with kill -9 of the host and pods that fight, leave nothing", async () => {
    await using scene = await openScene();
    const { node, network } = scene;
    let { host } = scene;
    const pods = await node.createPods(5);
    const [warm] = pods;
    assert.ok(warm);
    await addOk(node, warm, network, askFor(warm, network, "blue,red,green"));
    await delOk(node, warm, network);
    const base = withoutCooling(await readState(node, host));
    const choose = numbersFrom(20_261_121);
    const names = Object.keys(THREE_NETWORKS);
    let left = 250;
    const storm = async (pod: Pod) => {
      while (left-- > 0) {
        const { client } = host;
        const name = names[choose(names.length)] ?? "";
        const wish = askFor(pod, network, names.filter(() => choose(2) === 0).join());
        const valid = pods.map((each) => ({ containerID: each.name, ifname: "eth0" }));
        const order = { pod: `default/${pod.name}` };
        const acts: (() => Promise<unknown>)[] = [
          () => add(node, pod, network, wish),
          () => add(node, pod, network, wish),
          () => del(node, pod, network),
          () => client.attachNetwork({ ...order, selection: name }),
          () => client.detachNetwork({ ...order, target: name }),
          () => client.checkAttachments({ ...order, repair: true }),
          () => node.runInPod(pod, ["ip", "link", "del", `net${1 + choose(2)}`]),
          () => node.runInPod(pod, ["ip", "link", "set", "net1", "down", "name", "mine"]),
          () =>
            node.execShim({
              command: "GC",
              config: { ...network, "cni.dev/valid-attachments": valid },
            }),
        ];
        // What is refused, or cut off, is not the point.
        await acts[choose(acts.length)]?.().catch(() => {});
      }
    };
    const storms = pods.flatMap((pod) => [storm(pod), storm(pod)]);
    for (const at of [170, 80]) {
      await until("the middle", LIMIT_MS, () => left < at);
      await host.kill("SIGKILL");
      host = await startHostWith(node, THREE_NETWORKS);
    }
    await Promise.all(storms);
    for (const pod of pods) {
      await until("a DEL", LIMIT_MS, async () => (await del(node, pod, network)).exitCode === 0);
      assert.deepEqual((await node.readKernel(pod.netns)).links.length, 1);
    }
    const state = withoutCooling(await readState(node, host));
    assert.deepEqual(state, {
      ...base,
      kernel: { ...base.kernel, nftables: state.kernel.nftables },
    });
    // And namespaces that go in the middle.
    const doomed = await node.createPods(4);
    const adds = doomed.map((pod) =>
      add(node, pod, network, askFor(pod, network, "blue,red,green")),
    );
    for (const pod of doomed) await node.deletePod(pod);
    await Promise.all(adds);
    for (const pod of doomed) await delOk(node, pod, network);
    assert.deepEqual((await readState(node, host)).attachments, []);
    assert.doesNotMatch(host.log(), /INTERNAL|Bug:/);
  });
});

/** Numbers below a bound, the same ones each time (Numerical Recipes' generator). */
function numbersFrom(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) % bound;
  };
}
