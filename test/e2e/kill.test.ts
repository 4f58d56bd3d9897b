import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { STEP_NAMES, type StepName } from "../../src/plugin-host/core/steps.ts";
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
  add,
  addOk,
  assertReaches,
  assertSilentSuccess,
  bare,
  check,
  type CniResult,
  del,
  delOk,
  errorOf,
  makeNetwork,
  type NetworkJson,
  type NodeState,
  PLUGINS,
  readState,
  withoutCooling,
} from "./runtime.ts";

const skip = findSkipReason() ?? false;

/** A node on which the network was used before, so that what an ADD makes for good is there. */
interface Scene {
  readonly node: TestNode;
  readonly network: NetworkJson;
  /** As it must be again when everything is over. */
  readonly baseline: NodeState;
  /** The host that will die. */
  readonly doomed: HostProcess;
  readonly pod: Pod;
}

/** What the dying host was doing, and what the runtime does once there is a host again. */
interface Case {
  readonly what: string;
  /** At which time of the step the host dies; the scene's warm-up is the first ADD and the first DEL. */
  readonly time: 1 | 2;
  /** For one plugin alone, where the plugin makes no difference. */
  readonly onlyRouted?: boolean;
  readonly die: (scene: Scene) => Promise<void>;
  readonly goOn: (scene: Scene, host: HostProcess) => Promise<void>;
}

const ADD_CASES: readonly Case[] = [
  {
    what: "and the runtime's DEL follows",
    time: 2,
    die: dieInAdd,
    goOn: ({ node, network, pod }) => delOk(node, pod, network),
  },
  {
    what: "and an ADD with another container id follows, in the same namespace",
    time: 2,
    die: dieInAdd,
    async goOn({ node, network, pod }, host) {
      const left = await host.client.listAttachments({ network: network.name });
      // Confirmed, the attachment stands until its DEL; unconfirmed, it is gone by now.
      if (left.length > 0) await delOk(node, pod, network);
      await livesAndGoes(node, network, pod, host);
    },
  },
  {
    what: "and the same ADD comes again",
    time: 2,
    onlyRouted: true,
    die: dieInAdd,
    async goOn({ node, network, pod }, host) {
      const result = await addOk(node, pod, network);
      await assertSingle(host, network, pod.name, result);
      assertSilentSuccess(await check(node, pod, { ...network, prevResult: result }));
      await delOk(node, pod, network);
    },
  },
];

const DEL_CASES: readonly Case[] = [
  {
    what: "and nobody comes again",
    time: 2,
    die: dieInDel,
    goOn: async () => {},
  },
  {
    what: "and the DEL comes again",
    time: 2,
    onlyRouted: true,
    die: dieInDel,
    goOn: ({ node, network, pod }) => delOk(node, pod, network),
  },
  {
    what: "and an ADD with another container id follows, in the same namespace",
    time: 2,
    die: dieInDel,
    goOn: ({ node, network, pod }, host) => livesAndGoes(node, network, pod, host),
  },
];

const ROLLBACK_CASES: readonly Case[] = [
  {
    what: "of an ADD whose ifname exists",
    time: 1,
    async die({ node, network, pod }) {
      await node.runInPod(pod, ["ip", "link", "add", "eth0", "type", "bridge"]);
      assert.equal(errorOf(await add(node, pod, network)).code, 11);
    },
    goOn: ({ node, network, pod }) => delOk(node, pod, network),
  },
];

const CASES: Readonly<Record<StepName, readonly Case[]>> = {
  "add.admitted": ADD_CASES,
  "add.planned": ADD_CASES,
  "add.recorded": ADD_CASES,
  "add.joined": ADD_CASES,
  "add.attached": ADD_CASES,
  "add.published": ADD_CASES,
  "add.confirmed": ADD_CASES,
  // Of running pods: kill-networks.test.ts.
  "plug.admitted": [],
  "plug.planned": [],
  "plug.recorded": [],
  "plug.attached": [],
  "plug.published": [],
  "plug.confirmed": [],
  "del.admitted": DEL_CASES,
  "del.marked": DEL_CASES,
  "del.detached": DEL_CASES,
  "del.released": DEL_CASES,
  "rollback.detached": ROLLBACK_CASES,
  "rollback.released": ROLLBACK_CASES,
};

test("every step has cases in which the host dies there", () => {
  assert.deepEqual(Object.keys(CASES).sort(), [...STEP_NAMES].sort());
  for (const [step, cases] of Object.entries(CASES)) {
    assert.equal(cases.length > 0, !step.startsWith("plug."), step);
  }
});

describe("kill -9 of the host", { concurrency: 2, skip }, () => {
  for (const plugin of PLUGINS) {
    for (const step of STEP_NAMES) {
      for (const { what, time, onlyRouted = false, die, goOn } of CASES[step]) {
        if (onlyRouted && plugin !== "routed") continue;
        test(`at ${step} (${plugin}), ${what}: nothing is left or doubled`, async () => {
          await using node = await openNode();
          const scene = await setScene(
            node,
            makeNetwork(plugin, { ipMasq: true }),
            `${step}:${time}`,
          );
          await die(scene);
          assert.deepEqual(await scene.doomed.exited, { code: null, signal: "SIGKILL" });
          const host = await node.startHost();
          await goOn(scene, host);
          await assertAsBefore(scene, host);
        });
      }
    }

    test(`at rollback.detached (${plugin}), while it starts after a kill at add.attached`, async () => {
      await using node = await openNode();
      const scene = await setScene(node, makeNetwork(plugin), "add.attached:2");
      await dieInAdd(scene);
      await scene.doomed.exited;
      for (const step of ["rollback.detached", "rollback.released"]) {
        // The second has nothing to do when the first was through: either it dies or it serves.
        const starting = node.spawnHost({ env: { PATCHBAY_FAULT: step } });
        await Promise.race([starting.exited, starting.ready().catch(() => {})]);
        await starting.kill("SIGKILL");
      }
      const host = await node.startHost();
      await assertAsBefore(scene, host);
    });

    for (const seed of [1, 2, 3]) {
      test(`during 20 ADDs and DELs at once (${plugin}, seed ${seed})`, async () => {
        await using node = await openNode();
        await dieInACrowd(node, makeNetwork(plugin), seed);
      });
    }

    test(`(${plugin}) DELs while it is down wait in the journal and are replayed`, async () => {
      await using node = await openNode();
      const scene = await setScene(node, makeNetwork(plugin), "");
      const pods = await node.createPods(5);
      for (const pod of pods) await addOk(node, pod, scene.network);
      await scene.doomed.kill("SIGKILL");
      const [lost] = pods;
      if (lost) await node.deletePod(lost);
      for (const pod of pods) {
        await delOk(node, pod, scene.network);
        await delOk(node, pod, scene.network, { netns: "" });
      }
      const error = errorOf(await add(node, scene.pod, scene.network));
      assert.equal(error.code, 11, "an ADD cannot wait");
      const host = await node.startHost();
      await assertAsBefore(scene, host);
    });

    test(`(${plugin}) a journaled DEL does not hit what was attached after it`, async () => {
      await using node = await openNode();
      const scene = await setScene(node, makeNetwork(plugin), "");
      const { network, pod } = scene;
      await addOk(node, pod, network);
      await scene.doomed.kill("SIGKILL");
      await delOk(node, pod, network);
      const { delJournal } = pathsBelow(node.root);
      const [entry = ""] = readdirSync(delJournal);
      const kept = join(node.root, entry);
      cpSync(join(delJournal, entry), kept, { preserveTimestamps: true });
      const second = await node.startHost();
      const result = await addOk(node, pod, network);
      await second.kill("SIGKILL");
      // As after a power loss that undid the entry's removal.
      cpSync(kept, join(delJournal, entry), { preserveTimestamps: true });
      const host = await node.startHost();
      await assertSingle(host, network, pod.name, result);
      await delOk(node, pod, network);
      await assertAsBefore(scene, host);
    });
  }

  test("entries of the journal that cannot be read are put aside, the others are replayed", async () => {
    await using node = await openNode();
    const scene = await setScene(node, makeNetwork("routed"), "");
    const { network, pod } = scene;
    await addOk(node, pod, network);
    await scene.doomed.kill("SIGKILL");
    await delOk(node, pod, network);
    const folder = pathsBelow(node.root).delJournal;
    const garbage = {
      "0000000000000001.del": "garbage",
      "0000000000000002.del": "",
      "0000000000000003.del": new Uint8Array(3 << 20),
    };
    for (const [name, bytes] of Object.entries(garbage)) writeFileSync(join(folder, name), bytes);
    mkdirSync(join(folder, "0000000000000004.del"));
    writeFileSync(join(folder, ".0000000000000005.del.tmp"), "half");
    writeFileSync(join(folder, "README"), "not ours");
    const host = await node.startHost();
    const aside = join(folder, "unreadable");
    await until("garbage to be put aside", 5000, () => existsSync(aside));
    assert.deepEqual(
      readdirSync(aside).sort(),
      [...Object.keys(garbage), "0000000000000004.del"].sort(),
    );
    assert.deepEqual(readdirSync(folder).sort(), [
      ".0000000000000005.del.tmp",
      "README",
      "unreadable",
    ]);
    await assertAsBefore(scene, host);
  });
});

async function setScene(node: TestNode, network: NetworkJson, fault: string): Promise<Scene> {
  const doomed = await node.startHost({ env: { PATCHBAY_FAULT: fault } });
  const warm = await node.createPod();
  await addOk(node, warm, network);
  await delOk(node, warm, network);
  const baseline = withoutCooling(await readState(node, doomed));
  return { node, network, baseline, doomed, pod: await node.createPod() };
}

async function dieInAdd({ node, network, pod }: Scene): Promise<void> {
  const error = errorOf(await add(node, pod, network));
  assert.equal(error.code, 11, error.msg);
}

/** The shim writes down what the host cannot answer any more, and says success. */
async function dieInDel({ node, network, pod }: Scene): Promise<void> {
  await addOk(node, pod, network);
  await delOk(node, pod, network);
}

async function livesAndGoes(
  node: TestNode,
  network: NetworkJson,
  pod: Pod,
  host: HostProcess,
): Promise<void> {
  const containerId = `${pod.name}-second`;
  const result = await addOk(node, pod, network, { containerId });
  await assertSingle(host, network, containerId, result);
  await assertReaches(
    node,
    pod,
    result.ips.map((ip) => ip.gateway ?? ""),
  );
  await delOk(node, pod, network, { containerId });
}

/** The network has this one attachment, and no address beside its own is held. */
async function assertSingle(
  host: HostProcess,
  network: NetworkJson,
  containerId: string,
  result: CniResult,
): Promise<void> {
  const attachments = await host.client.listAttachments({ network: network.name });
  assert.deepEqual(
    attachments.map((entry) => [entry.containerId, entry.state]),
    [[containerId, "attached"]],
  );
  const { pools } = await host.client.showIpam({ network: network.name, leases: true });
  const held = pools.flatMap(({ leases }) => leases.filter(({ state }) => state === "held"));
  assert.deepEqual(
    held.map(({ address }) => address).sort(),
    result.ips.map((ip) => bare(ip.address)).sort(),
  );
}

async function assertAsBefore({ node, baseline }: Scene, host: HostProcess): Promise<void> {
  assert.deepEqual(withoutCooling(await readState(node, host)), baseline);
  const { journalPending } = await host.client.getStatus();
  assert.equal(journalPending, 0);
}

/** The host dies when so many of 20 calls have been answered; the runtime then does its duty. */
async function dieInACrowd(node: TestNode, network: NetworkJson, seed: number): Promise<void> {
  const scene = await setScene(node, network, "");
  const pods = await node.createPods(20);
  const standing = new Map<Pod, CniResult>();
  for (const pod of pods.slice(0, 10)) standing.set(pod, await addOk(node, pod, network));

  const deadly = (seed * 7) % 20;
  let answered = 0;
  const countDown = () => {
    if (++answered === deadly) void scene.doomed.kill("SIGKILL");
  };
  if (deadly === 0) void scene.doomed.kill("SIGKILL");
  const failed: Pod[] = [];
  const calls = pods.map(async (pod) => {
    if (standing.has(pod)) {
      assertSilentSuccess(await del(node, pod, network));
      standing.delete(pod);
    } else {
      const answer = await add(node, pod, network);
      if (answer.exitCode === 0) standing.set(pod, answer.json as CniResult);
      else failed.push(pod);
    }
    countDown();
  });
  await Promise.all(calls);
  await scene.doomed.kill("SIGKILL");

  const host = await node.startHost();
  for (const pod of failed) await delOk(node, pod, network);
  const attachments = await host.client.listAttachments({ network: network.name });
  assert.deepEqual(
    attachments.map((entry) => entry.containerId).sort(),
    [...standing.keys()].map((pod) => pod.name).sort(),
  );
  const given = [...standing.values()].flatMap((result) => result.ips.map((ip) => ip.address));
  assert.equal(new Set(given).size, given.length, "no address twice");
  for (const [pod, prevResult] of standing) {
    assertSilentSuccess(await check(node, pod, { ...network, prevResult }));
  }
  await Promise.all([...standing.keys()].map((pod) => delOk(node, pod, network)));
  await assertAsBefore(scene, host);
}
