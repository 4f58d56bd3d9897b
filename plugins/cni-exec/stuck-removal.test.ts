import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { FakeKernel } from "../../src/kernel/fake-kernel.ts";
import type { NetnsPath } from "../../src/kernel/kernel.ts";
import {
  type AttachRequest,
  detachRequestOf,
  type NetworkPlugin,
} from "../../src/plugin-sdk/network-plugin.ts";
import { attachRequest } from "../../src/plugin-sdk/sample-request.ts";
import { type FakeCall, FakeExec, FakeExit } from "./fake-exec.ts";
import { createCniExecPlugin } from "./plugin.ts";

const NETNS = "/run/netns/c1" as NetnsPath;
/** What a plugin says that looks for its master at DEL as well: containernetworking-plugins 1.1.1, macvlan. */
const LINK_NOT_FOUND = new FakeExit(1, { code: 999, msg: "Link not found" });

/** Programs that are there or not, and DELs that fail for ever. */
class World implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "pb-cni-exec-"));
  readonly state = join(this.folder, "state");
  readonly bin = join(this.folder, "bin");
  readonly kernel = new FakeKernel();
  readonly exec = new FakeExec();
  readonly givenUp: string[] = [];
  plugin: NetworkPlugin;

  constructor() {
    mkdirSync(this.bin);
    for (const type of ["bridge", "macvlan", "tuning"]) this.install(type);
    this.plugin = this.start();
  }

  install(type: string): void {
    writeFileSync(join(this.bin, type), "", { mode: 0o755 });
    this.exec.versions.set(type, ["1.0.0"]);
    this.exec.plugins.set(type, (call) => this.makeLink(call));
  }

  uninstall(type: string): void {
    rmSync(join(this.bin, type));
  }

  /** As a new process of the host does. */
  start(): NetworkPlugin {
    const { kernel, exec, state, bin } = this;
    this.plugin = createCniExecPlugin({
      kernel,
      folder: state,
      binDirs: ["/nonexistent", bin],
      env: {},
      exec,
      limits: {
        execTimeoutMs: 1_000,
        attachMs: 3_000,
        detachMs: 3_000,
        checkMs: 3_000,
        runningMax: () => 2,
      },
      onGivenUp: (attachmentId, message) => this.givenUp.push(`${attachmentId} ${message}`),
    });
    return this.plugin;
  }

  async open(): Promise<this> {
    await this.kernel.createNetns(NETNS);
    return this;
  }

  async makeLink({ verb, env, config }: FakeCall): Promise<object | undefined> {
    if (verb !== "ADD") return undefined;
    if (config["prevResult"]) return config["prevResult"];
    const name = env["CNI_IFNAME"] ?? "";
    const link = { type: "veth", peer: { name, netns: NETNS } } as const;
    await this.kernel.apply([{ operations: [{ kind: "add-link", name: "vethx", link }] }]);
    return { cniVersion: "1.0.0", interfaces: [{ name, sandbox: NETNS }], ips: [] };
  }

  detach(request: AttachRequest): Promise<void> {
    return this.plugin.detach(detachRequestOf(request));
  }

  files(): string[] {
    return readdirSync(this.state).filter((name) => !name.startsWith("."));
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}

function order(delegate: object): AttachRequest {
  const configJson = JSON.stringify({
    delegate: { name: "lan", cniVersion: "1.0.0", ...delegate },
  });
  return attachRequest({ addresses: [], netns: NETNS, configJson });
}

const MISSING: Readonly<Record<string, object>> = {
  brigde: { type: "brigde" },
  macvaln: { plugins: [{ type: "bridge" }, { type: "macvaln" }] },
  "host-lokal": { type: "bridge", ipam: { type: "host-lokal" } },
};

for (const [type, delegate] of Object.entries(MISSING)) {
  test(`attach() with ${type}, which is nowhere, executes and remembers nothing`, async () => {
    using world = await new World().open();
    const request = order(delegate);
    const expected = new RegExp(`CNI plugin ${type} is not in /nonexistent or ${world.bin}`);
    await assert.rejects(world.plugin.attach(request), expected);
    assert.deepEqual([world.exec.versionCalls, world.exec.log, world.files()], [0, [], []]);
    await world.detach(request);
    await world.start().detach(detachRequestOf(request));
    const right = order({ type: "bridge" });
    await world.plugin.attach(right);
    await world.detach(right);
    assert.deepEqual(world.files(), []);
  });
}

test("detach() leaves out a member whose program went between its look-up and its ADD", async () => {
  using world = await new World().open();
  const request = order({ plugins: [{ type: "bridge" }, { type: "tuning" }] });
  world.exec.after = () => world.uninstall("tuning");
  await assert.rejects(world.plugin.attach(request), /tuning is not in/);
  world.exec.after = undefined;
  await world.detach(request);
  assert.deepEqual(world.exec.log, ["ADD bridge 1.0.0", "DEL bridge 1.0.0"]);
  assert.deepEqual([world.files(), world.givenUp], [[], []]);
});

test("detach() fails as long as the program is gone of what was made in a pod that is there", async () => {
  using world = await new World().open();
  const request = order({ type: "bridge" });
  await world.plugin.attach(request);
  world.uninstall("bridge");
  for (let round = 0; round < 40; round++) {
    await assert.rejects(world.detach(request), /bridge is not in .*; install it/);
  }
  assert.equal(world.files().length, 1);
  world.install("bridge");
  await world.detach(request);
  assert.deepEqual([world.files(), world.givenUp], [[], []]);
});

test("detach() gives a member up after 30 tries where the pod's namespace is gone", async () => {
  using world = await new World().open();
  const request = order({ plugins: [{ type: "bridge" }, { type: "tuning" }] });
  await world.plugin.attach(request);
  await world.kernel.deleteNetns(NETNS);
  world.uninstall("tuning");
  for (let round = 1; round < 30; round++) {
    await assert.rejects(world.start().detach(detachRequestOf(request)), /tuning is not in/);
  }
  await world.detach(request);
  assert.deepEqual(world.files(), []);
  assert.equal(world.exec.log.filter((line) => line.startsWith("DEL")).length, 1);
  const [said = "", ...more] = world.givenUp;
  assert.match(
    said,
    /eth0 of container c1 by bridge\+tuning: given up after 30 tries, as the pod's/,
  );
  assert.deepEqual(more, []);
});

test("detach() gives a member up after three tries where its ADD never had a result", async () => {
  using world = await new World().open();
  const request = order({ type: "macvlan", master: "eth9" });
  world.exec.plugins.set("macvlan", () => LINK_NOT_FOUND);
  await assert.rejects(world.plugin.attach(request), /macvlan, ADD: Link not found/);
  for (let round = 1; round < 3; round++) {
    await assert.rejects(world.start().detach(detachRequestOf(request)), /DEL: Link not found/);
  }
  await world.detach(request);
  assert.deepEqual(world.files(), []);
  assert.match(
    world.givenUp.join(),
    /after 3 tries, as the ADD never had a result.*Link not found/,
  );
  world.install("macvlan");
  await world.plugin.attach(request);
});

test("detach() gives up only the member that fails, and those that it kept waiting come to their turn", async () => {
  using world = await new World().open();
  const request = order({ plugins: [{ type: "bridge" }, { type: "tuning" }] });
  world.exec.plugins.set("tuning", () => LINK_NOT_FOUND);
  await assert.rejects(world.plugin.attach(request), /tuning, ADD/);
  // Takes all the time that the caller has.
  const now = performance.now.bind(performance);
  let aheadMs = 0;
  performance.now = () => now() + aheadMs;
  try {
    world.exec.before = ({ type }) => {
      if (type === "tuning") aheadMs += 10_000;
    };
    for (let round = 1; round < 3; round++) {
      await assert.rejects(world.detach(request), /tuning, DEL: .*bridge, DEL: No time/);
    }
    await assert.rejects(world.detach(request), /bridge, DEL: No time/);
    await world.detach(request);
  } finally {
    Reflect.deleteProperty(performance, "now");
  }
  assert.equal(world.exec.log.at(-1), "DEL bridge 1.0.0");
  assert.deepEqual([world.files(), world.givenUp.length], [[], 1]);
});

test("detach() where the folder is lost counts as well, and gives up what has no namespace alone", async () => {
  using world = await new World().open();
  const request = order({ type: "bridge" });
  await world.plugin.attach(request);
  world.uninstall("bridge");
  rmSync(world.state, { recursive: true });
  world.start();
  for (let round = 0; round < 40; round++) {
    await assert.rejects(world.detach(request), /bridge is not in/);
  }
  await world.kernel.deleteNetns(NETNS);
  await world.detach(request);
  assert.deepEqual([world.files(), world.givenUp.length], [[], 1]);
});
