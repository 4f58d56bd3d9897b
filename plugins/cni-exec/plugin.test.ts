import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { formatAddress, formatPrefix, parsePrefix } from "../../src/ip/address.ts";
import { FakeKernel } from "../../src/kernel/fake-kernel.ts";
import type { NetnsPath } from "../../src/kernel/kernel.ts";
import {
  type AttachRequest,
  detachRequestOf,
  detachRequestOfId,
  type NetworkPlugin,
  PluginError,
} from "../../src/plugin-sdk/network-plugin.ts";
import { attachRequest } from "../../src/plugin-sdk/sample-request.ts";
import { type FakeCall, FakeExec, FakeExit } from "./fake-exec.ts";
import { createCniExecPlugin } from "./plugin.ts";

const ALL = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0"];
const NETNS = "/run/netns/c1";

class World implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "pb-cni-exec-"));
  readonly state = join(this.folder, "state");
  readonly bin = join(this.folder, "bin");
  readonly kernel = new FakeKernel();
  readonly exec = new FakeExec();
  plugin: NetworkPlugin;

  constructor() {
    mkdirSync(this.bin);
    for (const type of ["bridge", "portmap", "tuning", "sbr", "old"]) {
      writeFileSync(join(this.bin, type), "", { mode: 0o755 });
      this.exec.versions.set(type, ALL);
    }
    this.exec.plugins.set("bridge", (call) => this.bridge(call));
    for (const type of ["portmap", "tuning", "sbr"]) {
      this.exec.plugins.set(type, ({ verb, config }) =>
        verb === "ADD" ? (config["prevResult"] as object) : undefined,
      );
    }
    this.plugin = this.start();
  }

  /** As a new process of the host does. */
  start(): NetworkPlugin {
    this.plugin = createCniExecPlugin({
      kernel: this.kernel,
      folder: this.state,
      binDirs: ["/nonexistent", this.bin],
      env: { PATH: "/bin", CNI_ARGS: "mine", PATCHBAY_X: "1" },
      exec: this.exec,
      limits: {
        execTimeoutMs: 1_000,
        attachMs: 3_000,
        detachMs: 3_000,
        checkMs: 3_000,
        runningMax: () => 2,
      },
    });
    return this.plugin;
  }

  async open(): Promise<this> {
    await this.kernel.createNetns(NETNS as NetnsPath);
    return this;
  }

  /** A veth and an address, and all of it away again. */
  async bridge({ verb, env, config }: FakeCall): Promise<object | undefined> {
    const netns = env["CNI_NETNS"] as NetnsPath;
    const name = env["CNI_IFNAME"] ?? "";
    if (verb === "DEL" && netns) await this.kernel.removeLinks([name], netns);
    if (verb !== "ADD") return undefined;
    const peer = { name, netns };
    await this.kernel.apply([
      { operations: [{ kind: "add-link", name: "vethx", link: { type: "veth", peer } }] },
      {
        netns,
        operations: [
          { kind: "set-link", name, up: true },
          { kind: "add-address", link: name, address: parsePrefix("10.7.0.2/24") },
          {
            kind: "add-route",
            link: name,
            destination: parsePrefix("0.0.0.0/0"),
            gateway: { family: 4, value: 0x0a070001n },
            ifExists: "keep",
          },
        ],
      },
    ]);
    const version = String(config["cniVersion"]);
    return {
      cniVersion: version,
      interfaces: [{ name: "vethx" }, { name, sandbox: netns }],
      ips: [
        {
          ...(version < "1.0.0" ? { version: "4" } : {}),
          address: "10.7.0.2/24",
          gateway: "10.7.0.1",
          interface: 1,
        },
      ],
      routes: [{ dst: "0.0.0.0/0" }],
      dns: {},
    };
  }

  files(): string[] {
    return readdirSync(this.state).filter((name) => !name.startsWith("."));
  }

  async podRoutes(): Promise<string[]> {
    const routes = await this.kernel.routes(NETNS as NetnsPath);
    return routes
      .filter((route) => route.protocol !== 2)
      .map(({ destination, gateway }) =>
        [formatPrefix(destination), gateway ? formatAddress(gateway) : "-"].join(" "),
      );
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}

const CHAIN = {
  cniVersion: "1.0.0",
  name: "lan",
  plugins: [
    { type: "bridge", extra: { kept: [1] }, args: { cni: { a: 1, b: 2 } } },
    { type: "portmap", capabilities: { portMappings: true } },
    { type: "tuning", capabilities: { mac: true, bandwidth: true } },
  ],
};

function order(change: Partial<AttachRequest> = {}, delegate: object = CHAIN): AttachRequest {
  return attachRequest({
    addresses: [],
    netns: NETNS,
    configJson: JSON.stringify({ name: "lan", plugin: "cni-exec", delegate }),
    ...change,
  });
}

function fails(kind: PluginError["kind"], message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof PluginError, String(error));
    assert.equal(error.kind, kind, error.message);
    assert.match(error.message, message);
    return true;
  };
}

test("attach() goes forward, detach() backward, each with what CNI says", async () => {
  using world = await new World().open();
  const { plugin, exec } = world;
  const request = order({
    cniArgsJson: '{"b":3,"c":4}',
    mac: "02:00:00:00:00:05",
    bandwidth: { ingressRate: 8_000_000, ingressBurst: 0, egressRate: 0, egressBurst: 0 },
    portMappings: [{ hostPort: 80, containerPort: 8080, protocol: "TCP", hostIp: "" }],
  });
  const answer = await plugin.attach(request);
  const link = await world.kernel.findLink("eth0", NETNS as NetnsPath);
  assert.deepEqual(answer.interfaces.at(-1), {
    name: "eth0",
    mac: link?.mac,
    mtu: 1500,
    sandbox: NETNS,
    pciId: "",
    socketPath: "",
  });
  assert.deepEqual(answer.addresses, [
    { address: "10.7.0.2/24", gateway: "10.7.0.1", interfaceIndex: 1 },
  ]);
  assert.deepEqual(
    answer.routes.map(({ destination }) => destination),
    ["0.0.0.0/0"],
  );
  assert.deepEqual(await plugin.list({ network: "net" }), [
    { attachmentId: request.attachmentId, object: "eth0 of c1 by bridge+portmap+tuning" },
  ]);
  assert.deepEqual(await plugin.list({ network: "other" }), []);
  assert.deepEqual(
    await plugin.check({ attachment: request, attached: answer, repair: false }),
    [],
  );
  await plugin.detach(detachRequestOf(request));
  assert.deepEqual(exec.log, [
    "ADD bridge 1.0.0",
    "ADD portmap 1.0.0",
    "ADD tuning 1.0.0",
    "CHECK bridge 1.0.0",
    "CHECK portmap 1.0.0",
    "CHECK tuning 1.0.0",
    "DEL tuning 1.0.0",
    "DEL portmap 1.0.0",
    "DEL bridge 1.0.0",
  ]);
  const [bridge, portmap, tuning] = exec.calls;
  assert.deepEqual(bridge?.config, {
    type: "bridge",
    extra: { kept: [1] },
    args: { cni: { a: 1, b: 3, c: 4 } },
    name: "lan",
    cniVersion: "1.0.0",
  });
  assert.deepEqual(portmap?.config["runtimeConfig"], {
    portMappings: [{ hostPort: 80, containerPort: 8080, protocol: "tcp" }],
  });
  assert.deepEqual(tuning?.config["runtimeConfig"], {
    mac: "02:00:00:00:00:05",
    bandwidth: { ingressRate: 8_000_000, ingressBurst: 1_000_000 },
  });
  assert.equal(tuning?.config["capabilities"], undefined);
  const { PATCHBAY_CNI_EXEC: owner, ...env } = bridge?.env ?? {};
  assert.equal(owner, `${world.state}:${request.attachmentId}`);
  assert.deepEqual(env, {
    PATH: "/bin",
    CNI_COMMAND: "ADD",
    CNI_PATH: `/nonexistent:${world.bin}`,
    CNI_CONTAINERID: "c1",
    CNI_NETNS: NETNS,
    CNI_IFNAME: "eth0",
    CNI_ARGS:
      "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0;K8S_POD_INFRA_CONTAINER_ID=c1;K8S_POD_UID=u1",
  });
  const results = exec.calls.slice(3).map(({ config }) => config["prevResult"] as CniJson);
  for (const result of results) assert.equal(result.ips[0]?.address, "10.7.0.2/24");
  assert.deepEqual(
    exec.calls.at(-3)?.config["runtimeConfig"],
    exec.calls[2]?.config["runtimeConfig"],
  );
  assert.equal(exec.versionCalls, 3);
  assert.deepEqual(world.files(), []);
  assert.equal(await world.kernel.findLink("vethx"), undefined);
});

interface CniJson {
  readonly cniVersion: string;
  readonly ips: readonly { readonly address: string; readonly version?: string }[];
}

test("attach() again gives the same answer and executes nothing, by a new process too", async () => {
  using world = await new World().open();
  const first = await world.plugin.attach(order());
  const count = world.exec.log.length;
  assert.deepEqual(await world.plugin.attach(order()), first);
  assert.deepEqual(await world.start().attach(order()), first);
  assert.equal(world.exec.log.length, count);
});

test("attach() in a new namespace under the same id takes the old one away before", async () => {
  using world = await new World().open();
  await world.plugin.attach(order());
  await world.kernel.deleteNetns(NETNS as NetnsPath);
  await world.kernel.createNetns(NETNS as NetnsPath);
  await world.plugin.attach(order());
  assert.deepEqual(
    world.exec.log.map((line) => line.split(" ").slice(0, 2).join(" ")),
    [
      ...["ADD bridge", "ADD portmap", "ADD tuning"],
      ...["DEL tuning", "DEL portmap", "DEL bridge"],
      ...["ADD bridge", "ADD portmap", "ADD tuning"],
    ],
  );
  assert.ok(await world.kernel.findLink("eth0", NETNS as NetnsPath));
});

test("detach() uses the configuration of ADD, whatever it is today", async () => {
  using world = await new World().open();
  await world.plugin.attach(order());
  const today = order({}, { type: "old" });
  await world.plugin.detach(detachRequestOf(today));
  assert.equal(world.exec.log.at(-1), "DEL bridge 1.0.0");
  assert.deepEqual(world.exec.calls.at(-1)?.config["extra"], { kept: [1] });
});

test("detach() of what was never begun executes nothing; where the folder is lost, the order's configuration counts", async () => {
  using world = await new World().open();
  await world.plugin.attach(order());
  world.exec.log.length = 0;
  const other = order({ attachmentId: "other" });
  await world.start().detach(detachRequestOf(other));
  assert.deepEqual(world.exec.log, []);
  rmSync(world.state, { recursive: true });
  await world.start().detach(detachRequestOf(order()));
  assert.deepEqual(world.exec.log, ["DEL tuning 1.0.0", "DEL portmap 1.0.0", "DEL bridge 1.0.0"]);
  await world.plugin.detach(detachRequestOfId("unknown"));
});

test("detach() goes on after a member that fails, tells all, and comes again", async () => {
  using world = await new World().open();
  await world.plugin.attach(order());
  const [tuning, portmap] = ["tuning", "portmap"].map((type) => world.exec.plugins.get(type));
  world.exec.plugins.set("tuning", () => new FakeExit(1, { code: 11, msg: "busy" }));
  world.exec.plugins.set("portmap", () => new FakeExit(2, "", "no iptables"));
  await assert.rejects(
    world.plugin.detach(detachRequestOf(order())),
    fails("transient", /tuning, DEL: busy \(code 11\); .*portmap, DEL: exit code 2: no iptables/),
  );
  assert.equal(await world.kernel.findLink("vethx"), undefined);
  assert.equal(world.files().length, 1);
  world.exec.plugins.set("tuning", tuning ?? (() => undefined));
  world.exec.plugins.set("portmap", portmap ?? (() => undefined));
  await world.plugin.detach(detachRequestOf(order()));
  assert.deepEqual(world.files(), []);
});

test("detach() does not ask sbr where the pod's namespace is gone: it would fail for ever", async () => {
  using world = await new World().open();
  const delegate = { name: "lan", plugins: [{ type: "bridge" }, { type: "sbr" }] };
  await world.plugin.attach(order({}, delegate));
  await world.kernel.deleteNetns(NETNS as NetnsPath);
  await world.plugin.detach(detachRequestOf(order({}, delegate)));
  assert.deepEqual(
    world.exec.calls.map(({ verb, type, env }) => [verb, type, env["CNI_NETNS"]].join(" ")),
    [`ADD bridge ${NETNS}`, `ADD sbr ${NETNS}`, "DEL bridge "],
  );
  assert.deepEqual(world.files(), []);
});

test("detach() leaves out members that were never begun, and those that are gone already", async () => {
  using world = await new World().open();
  world.exec.plugins.set("bridge", ({ verb }) =>
    verb === "ADD" ? new FakeExit(1, { code: 11, msg: "busy" }) : undefined,
  );
  await assert.rejects(world.plugin.attach(order()), fails("transient", /busy/));
  await world.plugin.detach(detachRequestOf(order()));
  assert.deepEqual(world.exec.log, ["ADD bridge 1.0.0", "DEL bridge 1.0.0"]);

  world.exec.plugins.set("bridge", (call) => world.bridge(call));
  await world.plugin.attach(order());
  const portmap = world.exec.plugins.get("portmap");
  world.exec.plugins.set("portmap", () => new FakeExit(1, { code: 11, msg: "busy" }));
  await assert.rejects(world.plugin.detach(detachRequestOf(order())), fails("transient", /busy/));
  world.exec.plugins.set("portmap", portmap ?? (() => undefined));
  world.exec.log.length = 0;
  await world.start().detach(detachRequestOf(order()));
  assert.deepEqual(world.exec.log, ["DEL portmap 1.0.0"]);
  assert.deepEqual(world.files(), []);
});

test("detach() takes code 3 for success, and a namespace that is another one by now for none", async () => {
  using world = await new World().open();
  await world.plugin.attach(order());
  world.exec.plugins.set("portmap", () => new FakeExit(1, { code: 3, msg: "unknown" }));
  await world.kernel.deleteNetns(NETNS as NetnsPath);
  await world.kernel.createNetns(NETNS as NetnsPath);
  await world.plugin.detach(detachRequestOf(order()));
  assert.equal(world.exec.calls.at(-1)?.env["CNI_NETNS"], "");
  assert.deepEqual(world.files(), []);
});

const FAILURES: readonly [object | string, PluginError["kind"], RegExp][] = [
  [{ code: 7, msg: "bad", details: "subnet" }, "invalid-config", /ADD: bad; subnet \(code 7\)/],
  [{ code: 1, msg: "version" }, "invalid-config", /code 1/],
  [{ code: 2, msg: "field" }, "invalid-config", /code 2/],
  [{ code: 4, msg: "env" }, "invalid-config", /code 4/],
  [{ code: 11, msg: "later" }, "transient", /later/],
  [{ code: 999, msg: "x\u001b[31m\ny" }, "transient", /x \[31m y/],
  ["no json", "transient", /exit code 1: no json/],
];

for (const [output, kind, message] of FAILURES) {
  test(`attach() with ${JSON.stringify(output)} is ${kind}, and its DEL takes the whole chain away`, async () => {
    using world = await new World().open();
    world.exec.plugins.set("tuning", ({ verb }) =>
      verb === "ADD" ? new FakeExit(1, output) : undefined,
    );
    await assert.rejects(world.plugin.attach(order()), fails(kind, message));
    await world.plugin.detach(detachRequestOf(order()));
    assert.deepEqual(world.exec.log.slice(3), [
      "DEL tuning 1.0.0",
      "DEL portmap 1.0.0",
      "DEL bridge 1.0.0",
    ]);
    assert.equal(await world.kernel.findLink("vethx"), undefined);
    assert.deepEqual(world.files(), []);
  });
}

const GARBAGE: readonly (string | object)[] = [
  "",
  "{",
  "[]",
  "null",
  '"x"',
  { interfaces: {} },
  { interfaces: [{}] },
  { ips: [{ address: 5 }] },
  { routes: [{ gw: "x" }] },
];

for (const output of GARBAGE) {
  test(`attach() of a plugin that answers ${JSON.stringify(output)} fails and says so`, async () => {
    using world = await new World().open();
    world.exec.plugins.set("bridge", () => new FakeExit(0, output));
    await assert.rejects(
      world.plugin.attach(order()),
      fails("transient", /bridge gave an answer to ADD that is no result/),
    );
  });
}

test("attach() of a plugin that makes no interface fails", async () => {
  using world = await new World().open();
  world.exec.plugins.set("bridge", () => ({ interfaces: [{ name: "eth0", sandbox: NETNS }] }));
  await assert.rejects(world.plugin.attach(order()), fails("transient", /has no interface eth0/));
});

test("attach() where ifname is taken executes nothing, and detach() leaves the other's link", async () => {
  for (const isFirstLife of [true, false]) {
    using world = await new World().open();
    if (!isFirstLife) {
      await world.plugin.list({ network: "" });
      world.start();
    }
    const netns = NETNS as NetnsPath;
    await world.kernel.apply([
      { netns, operations: [{ kind: "add-link", name: "eth0", link: { type: "bridge" } }] },
    ]);
    await assert.rejects(world.plugin.attach(order()), fails("interface-exists", /eth0/));
    await world.plugin.detach(detachRequestOf(order()));
    assert.deepEqual(world.exec.log, []);
    assert.equal((await world.kernel.findLink("eth0", netns))?.type, "bridge");
  }
});

test("attach() into a namespace that is gone may pass another time", async () => {
  using world = new World();
  await assert.rejects(world.plugin.attach(order()), fails("transient", /is no network namespace/));
});

const REFUSED: readonly [Partial<AttachRequest>, object, RegExp][] = [
  [{ mac: "02:00:00:00:00:01" }, { type: "bridge" }, /asks for mac, which no plugin of bridge/],
  [{ requestedAddresses: ["10.7.0.9"] }, CHAIN, /asks for ips.*bridge\+portmap\+tuning/],
  [{ infinibandGuid: "02:00:00:00:00:00:00:01" }, CHAIN, /infinibandGUID/],
  [
    { device: { pciAddress: "0000:00:01.0", rdmaDevice: "", charDevices: [], id: "" } },
    CHAIN,
    /deviceID/,
  ],
  [{ cniArgsJson: "[]" }, CHAIN, /cni-args is not a JSON object/],
  [{}, { type: "../sh" }, /delegate\.type is "\.\.\/sh"/],
  [{}, { plugins: [] }, /delegate\.plugins is \[\]/],
  [{}, { type: "bridge", name: "../x" }, /delegate\.name/],
  [{}, { type: "bridge", cniVersion: "0.0.9" }, /supports 0\.1\.0.*expected cniVersion 0\.0\.9/],
];

for (const [change, delegate, message] of REFUSED) {
  test(`attach() refuses ${message.source}`, async () => {
    using world = await new World().open();
    await assert.rejects(
      world.plugin.attach(order(change, delegate)),
      fails("invalid-config", message),
    );
    assert.deepEqual(world.exec.log, []);
  });
}

test("what a pod asks for goes to those that declare it", async () => {
  using world = await new World().open();
  const bandwidth = { ingressRate: 0, ingressBurst: 5, egressRate: 100_000_000, egressBurst: 7 };
  const capabilities = {
    ips: true,
    mac: false,
    infinibandGUID: true,
    deviceID: true,
    bandwidth: true,
    portMappings: true,
  };
  await world.plugin.attach(
    order(
      {
        requestedAddresses: ["10.7.0.9/24"],
        infinibandGuid: "02:00:00:00:00:00:00:01",
        device: { pciAddress: "0000:00:01.0", rdmaDevice: "", charDevices: [], id: "" },
        bandwidth,
        portMappings: [{ hostPort: 53, containerPort: 53, protocol: "UDP", hostIp: "10.0.0.1" }],
        pod: { namespace: "a;b", name: "web", uid: "", labels: {} },
      },
      { name: "lan", type: "bridge", capabilities },
    ),
  );
  const [call] = world.exec.calls;
  assert.deepEqual(call?.config["runtimeConfig"], {
    ips: ["10.7.0.9/24"],
    infinibandGUID: "02:00:00:00:00:00:00:01",
    portMappings: [{ hostPort: 53, containerPort: 53, protocol: "udp", hostIP: "10.0.0.1" }],
    bandwidth: { egressRate: 100_000_000, egressBurst: 7 },
    deviceID: "0000:00:01.0",
  });
  assert.equal(
    call?.env["CNI_ARGS"],
    "IgnoreUnknown=1;K8S_POD_NAME=web;K8S_POD_INFRA_CONTAINER_ID=c1",
  );
});

test("a plugin that is not there may come, and status() says so", async () => {
  using world = await new World().open();
  const request = order({}, { type: "calico" });
  await assert.rejects(world.plugin.attach(request), fails("transient", /calico is not in/));
  const { configJson } = request;
  const { ready, reason } = await world.plugin.status({ network: "net", configJson });
  assert.deepEqual([ready, /calico is not in/.test(reason)], [false, true]);
  writeFileSync(join(world.bin, "calico"), "", { mode: 0o644 });
  assert.match(
    (await world.plugin.status({ network: "net", configJson })).reason,
    /no executable file/,
  );
  const own = order();
  assert.deepEqual(await world.plugin.status({ network: "net", configJson: own.configJson }), {
    ready: true,
    reason: "",
  });
});

const VERSIONS: readonly [
  wanted: object,
  supported: readonly string[] | undefined,
  used: string,
][] = [
  [{ cniVersion: "1.0.0" }, ALL, "1.0.0"],
  [{ cniVersion: "1.1.0" }, ALL, "1.0.0"],
  [{ cniVersion: "0.4.0", cniVersions: ["0.4.0", "1.0.0"] }, ALL, "1.0.0"],
  [{ cniVersion: "0.3.1" }, ALL, "0.3.1"],
  [{ cniVersion: "1.0.0" }, ["0.3.0", "0.3.1"], "0.3.1"],
  [{ cniVersion: "0.2.0" }, ALL, "0.2.0"],
  [{}, ["0.4.0", "1.1.0", "9.0.0"], "1.1.0"],
  [{ cniVersion: "0.4.0" }, undefined, "0.4.0"],
];

for (const [wanted, supported, used] of VERSIONS) {
  test(`${JSON.stringify(wanted)} with a plugin of ${supported?.join(" ")} speaks ${used}`, async () => {
    using world = await new World().open();
    world.exec.versions.delete("bridge");
    if (supported) world.exec.versions.set("bridge", supported);
    await world.plugin.attach(order({}, { ...wanted, name: "lan", type: "bridge" }));
    assert.equal(world.exec.log[0], `ADD bridge ${used}`);
  });
}

test("prevResult is converted for each member of a chain", async () => {
  using world = await new World().open();
  world.exec.versions.set("portmap", ["0.3.1"]);
  world.exec.versions.set("tuning", ["1.1.0"]);
  await world.plugin.attach(order({}, { ...CHAIN, cniVersion: "1.1.0" }));
  assert.deepEqual(world.exec.log, ["ADD bridge 1.0.0", "ADD portmap 0.3.1", "ADD tuning 1.1.0"]);
  const [, portmap, tuning] = world.exec.calls.map(({ config }) => config["prevResult"] as CniJson);
  assert.deepEqual([portmap?.cniVersion, portmap?.ips[0]?.version], ["0.3.1", "4"]);
  assert.deepEqual([tuning?.cniVersion, tuning?.ips[0]?.version], ["1.1.0", undefined]);
});

test("a result of CNI 0.2.0 becomes an answer with the pod's interface", async () => {
  using world = await new World().open();
  world.exec.plugins.set("old", async (call) => {
    await world.bridge(call);
    if (call.verb !== "ADD") return undefined;
    return {
      cniVersion: "0.2.0",
      ip4: { ip: "10.7.0.2/24", gateway: "10.7.0.1", routes: [{ dst: "0.0.0.0/0" }] },
      ip6: { ip: "fd00::2/64" },
      dns: { nameservers: ["10.7.0.1"], search: ["a.b"] },
    };
  });
  const delegate = { cniVersion: "0.2.0", name: "lan", type: "old" };
  const answer = await world.plugin.attach(order({}, delegate));
  assert.deepEqual(
    answer.interfaces.map(({ name, sandbox }) => [name, sandbox]),
    [["eth0", NETNS]],
  );
  assert.deepEqual(
    answer.addresses.map(({ address, interfaceIndex }) => [address, interfaceIndex]),
    [
      ["10.7.0.2/24", 0],
      ["fd00::2/64", 0],
    ],
  );
  assert.deepEqual(answer.dns?.nameservers, ["10.7.0.1"]);
  await world.plugin.detach(detachRequestOf(order({}, delegate)));
  const prev = world.exec.calls.at(-1)?.config["prevResult"] as Record<string, object>;
  assert.deepEqual(prev["ip4"], {
    ip: "10.7.0.2/24",
    gateway: "10.7.0.1",
    routes: [{ dst: "0.0.0.0/0" }],
  });
});

test("DEFAULT_ROUTE_NONE takes the delegate's default routes from the pod and from the answer", async () => {
  using world = await new World().open();
  const request = order({ defaultRoute: "DEFAULT_ROUTE_NONE" });
  const answer = await world.plugin.attach(request);
  assert.deepEqual(answer.routes, []);
  assert.deepEqual(await world.podRoutes(), []);
  await world.plugin.check({ attachment: request, attached: answer, repair: false });
  const checked = world.exec.calls.at(-1)?.config["prevResult"] as { routes: object[] };
  assert.deepEqual(checked.routes, []);
});

test("default routes that are asked for take the place of the delegate's own", async () => {
  using world = await new World().open();
  const none = { mtu: 0, advmss: 0, priority: 0, table: 0, scope: 0 };
  const routes = [{ destination: "0.0.0.0/0", gateway: "10.7.0.9", ...none }];
  const answer = await world.plugin.attach(order({ routes }));
  assert.deepEqual(
    answer.routes.map(({ destination, gateway }) => [destination, gateway]),
    [["0.0.0.0/0", "10.7.0.9"]],
  );
  assert.deepEqual(await world.podRoutes(), ["0.0.0.0/0 10.7.0.9"]);
});

describe("check()", () => {
  test("finds what the kernel and CHECK say", async () => {
    using world = await new World().open();
    const attachment = order();
    const attached = await world.plugin.attach(attachment);
    const kinds = async () =>
      (await world.plugin.check({ attachment, attached, repair: false })).map(({ kind }) => kind);
    world.exec.plugins.set("portmap", () => new FakeExit(1, { code: 999, msg: "rule is gone" }));
    const [finding] = await world.plugin.check({ attachment, attached, repair: false });
    assert.equal(finding?.kind, "cni-check");
    assert.match(finding?.found ?? "", /portmap, CHECK: rule is gone/);
    world.exec.plugins.set("portmap", () => new FakeExit(1, { code: 11, msg: "later" }));
    await assert.rejects(kinds(), /later/);
    await world.kernel.removeLinks(["vethx"]);
    assert.deepEqual(await kinds(), ["link-missing"]);
    await world.kernel.deleteNetns(NETNS as NetnsPath);
    assert.deepEqual(await kinds(), ["netns"]);
    assert.deepEqual(
      (
        await world.plugin.check({
          attachment: order({ attachmentId: "b" }),
          attached,
          repair: false,
        })
      ).map(({ kind }) => kind),
      ["record-missing"],
    );
  });

  test("puts back what is missing, where it may", async () => {
    using world = await new World().open();
    const attachment = order({ mtu: 1400 });
    const attached = await world.plugin.attach(attachment);
    assert.equal(attached.interfaces.at(-1)?.mtu, 1400);
    assert.equal((await world.kernel.findLink("vethx"))?.mtu, 1400);
    const netns = NETNS as NetnsPath;
    const before = await world.podRoutes();
    await world.kernel.apply([
      {
        netns,
        operations: [
          { kind: "delete-address", link: "eth0", address: parsePrefix("10.7.0.2/24") },
          { kind: "set-link", name: "eth0", up: false },
        ],
      },
    ]);
    const check = async (repair: boolean) =>
      (await world.plugin.check({ attachment, attached, repair })).map(({ kind, repaired }) =>
        [kind, repaired].join(" "),
      );
    assert.deepEqual(await check(false), ["link-down false", "address-missing false"]);
    assert.deepEqual(await check(true), ["link-down true", "address-missing true"]);
    assert.deepEqual(await world.podRoutes(), before);
    assert.deepEqual(await check(true), []);
  });

  test("leaves out those that do not know CHECK, and networks with disableCheck", async () => {
    using world = await new World().open();
    world.exec.versions.set("portmap", ["0.3.1"]);
    const attachment = order();
    const attached = await world.plugin.attach(attachment);
    await world.plugin.check({ attachment, attached, repair: false });
    assert.deepEqual(world.exec.log.slice(3), ["CHECK bridge 1.0.0", "CHECK tuning 1.0.0"]);
    await world.plugin.detach(detachRequestOf(attachment));
    const silent = order({}, { ...CHAIN, disableCheck: "true" });
    const again = await world.plugin.attach(silent);
    const count = world.exec.log.length;
    await world.plugin.check({ attachment: silent, attached: again, repair: false });
    assert.equal(world.exec.log.length, count);
  });
});

describe("repairNetwork()", () => {
  const wanted = { ...CHAIN, cniVersion: "1.1.0" };
  const other = { cniVersion: "1.1.0", name: "wan", type: "bridge" };

  test("GCs by plugins that know it, with every attachment of the CNI name and no other", async () => {
    using world = await new World().open();
    world.exec.versions.set("bridge", [...ALL, "1.1.0"]);
    const first = order({ network: "a/lan" }, wanted);
    const sibling = order({ attachmentId: "b", ifname: "net1", network: "b/lan" }, wanted);
    await world.plugin.attach(first);
    // The fake's other end has one name.
    await world.kernel.apply([
      { operations: [{ kind: "set-link", name: "vethx", rename: "vethy" }] },
    ]);
    await world.plugin.attach(sibling);
    await world.kernel.apply([
      { operations: [{ kind: "set-link", name: "vethx", rename: "vethz" }] },
    ]);
    await world.plugin.attach(order({ attachmentId: "c", ifname: "net2", network: "wan" }, other));
    world.exec.log.length = 0;
    const repair = () =>
      world.plugin.repairNetwork?.({
        network: "a/lan",
        configJson: first.configJson,
        attachments: [first],
      });
    assert.deepEqual(await repair(), []);
    assert.deepEqual(world.exec.log, ["STATUS bridge 1.1.0", "GC bridge 1.1.0"]);
    const { config, env } = world.exec.calls.at(-1) as FakeCall;
    const valid = [
      { containerID: "c1", ifname: "eth0" },
      { containerID: "c1", ifname: "net1" },
    ];
    assert.deepEqual(config["cni.dev/valid-attachments"], valid);
    assert.deepEqual(config["cni.dev/attachments"], valid);
    assert.equal(env["CNI_CONTAINERID"], undefined);
    await repair();
    assert.deepEqual(world.exec.log.slice(2), ["STATUS bridge 1.1.0"]);
  });

  test("asks nothing of plugins and networks that do not want it", async () => {
    using world = await new World().open();
    world.exec.versions.set("bridge", [...ALL, "1.1.0"]);
    for (const delegate of [CHAIN, { ...wanted, disableGC: true }]) {
      const { configJson } = order({}, delegate);
      await world.plugin.repairNetwork?.({ network: "net", configJson, attachments: [] });
    }
    assert.deepEqual(world.exec.log, ["STATUS bridge 1.1.0"]);
  });

  test("GCs nothing where records are lost", async () => {
    using world = await new World().open();
    world.exec.versions.set("bridge", [...ALL, "1.1.0"]);
    const request = order({}, wanted);
    await world.plugin.attach(request);
    const [name = ""] = world.files();
    writeFileSync(join(world.state, name), "");
    const ask = () =>
      world.plugin.repairNetwork?.({
        network: "net",
        configJson: request.configJson,
        attachments: [request],
      });
    world.start();
    await ask();
    rmSync(world.state, { recursive: true });
    world.start();
    await ask();
    assert.deepEqual(world.exec.log.slice(3), ["STATUS bridge 1.1.0", "STATUS bridge 1.1.0"]);
  });

  test("keeps what STATUS says for status(), and throws what GC says", async () => {
    using world = await new World().open();
    world.exec.versions.set("bridge", [...ALL, "1.1.0"]);
    const { configJson } = order({}, wanted);
    const request = { network: "net", configJson, attachments: [] };
    world.exec.plugins.set(
      "bridge",
      ({ verb }) => new FakeExit(1, { code: verb === "STATUS" ? 50 : 999, msg: `no ${verb}` }),
    );
    await assert.rejects(async () => world.plugin.repairNetwork?.(request), /no GC/);
    assert.match((await world.plugin.status(request)).reason, /bridge, STATUS: no STATUS/);
    world.exec.plugins.set("bridge", () => undefined);
    await world.plugin.repairNetwork?.(request);
    assert.equal((await world.plugin.status(request)).ready, true);
  });
});

test("operations of one container never overlap", async () => {
  using world = await new World().open();
  let running = 0;
  world.exec.plugins.set("bridge", async (call) => {
    assert.equal(++running, 1);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
    return call.verb === "ADD" ? { interfaces: [] } : undefined;
  });
  await Promise.allSettled(
    ["a", "b", "c"].flatMap((attachmentId) => {
      const request = order({ attachmentId, ifname: attachmentId });
      return [world.plugin.attach(request), world.plugin.detach(detachRequestOf(request))];
    }),
  );
  assert.ok(world.exec.log.length >= 6);
  assert.deepEqual(world.files(), []);
});

class Crash extends Error {}

test("killed before or after any execution of an ADD or a DEL, nothing stays and nothing is doubled", async () => {
  for (const moment of ["before", "after"] as const) {
    for (let at = 0; at < 6; at++) {
      using world = await new World().open();
      let count = 0;
      world.exec[moment] = () => {
        if (count++ === at) throw new Crash();
      };
      const request = order();
      // The dead process' promise is nobody's.
      const attached = await world.plugin.attach(request).then(
        () => true,
        () => false,
      );
      if (attached) await world.plugin.detach(detachRequestOf(request)).catch(() => {});
      world.exec[moment] = undefined;
      world.start();
      const held = await world.plugin.list({ network: "" });
      assert.equal(held.length, 1, `${moment} ${at}`);
      // The runtime comes again with the ADD, or the host takes it away as an orphan.
      if (at % 2 === 0) await world.plugin.attach(request);
      await world.plugin.detach(detachRequestOfId(request.attachmentId));
      assert.deepEqual(world.files(), [], `${moment} ${at}`);
      assert.equal(await world.kernel.findLink("vethx"), undefined);
      assert.equal(await world.kernel.findLink("eth0", NETNS as NetnsPath), undefined);
    }
  }
});

test("a record that cannot be read any more is listed, and goes with its detach()", async () => {
  using world = await new World().open();
  await world.plugin.attach(order());
  const [name = ""] = world.files();
  writeFileSync(join(world.state, name), "");
  writeFileSync(join(world.state, "left.json.tmp"), "{");
  world.start();
  assert.equal((await world.plugin.list({ network: "" })).length, 1);
  await world.plugin.detach(detachRequestOfId(order().attachmentId));
  assert.deepEqual(world.files(), []);
});
