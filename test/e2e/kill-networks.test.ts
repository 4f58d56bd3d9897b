/** kill -9 of the host while a pod gets, or loses, several networks. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { STEPS, type StepName } from "../../src/plugin-host/core/steps.ts";
import { findSkipReason, type HostProcess, openNode, type Pod, type TestNode } from "./harness.ts";
import { askFor, startHostWith, statusOf, THREE_NETWORKS } from "./pod-networks.ts";
import {
  add,
  addOk,
  assertReaches,
  assertSilentSuccess,
  check,
  delOk,
  errorOf,
  makeNetwork,
  type NetworkJson,
  type NodeState,
  readState,
  withoutCooling,
} from "./runtime.ts";

const skip = findSkipReason() ?? false;
const ALL = "blue,red,green";

/** A node on which all networks were used before; its host dies at a step. */
interface Scene {
  readonly node: TestNode;
  readonly network: NetworkJson;
  readonly baseline: NodeState;
  readonly doomed: HostProcess;
  readonly pod: Pod;
}

/** The warm-up pod reaches every step of ADD and DEL before, once or, for each network's own, four times. */
async function setScene(node: TestNode, fault: string): Promise<Scene> {
  const network = makeNetwork("routed");
  const doomed = await startHostWith(node, THREE_NETWORKS, { env: { PATCHBAY_FAULT: fault } });
  const [warm, pod] = await node.createPods(2);
  assert.ok(warm && pod);
  await addOk(node, warm, network, askFor(warm, network, ALL));
  await delOk(node, warm, network);
  const baseline = withoutCooling(await readState(node, doomed));
  return { node, network, baseline, doomed, pod };
}

async function assertDied({ doomed }: Scene): Promise<void> {
  assert.deepEqual(await doomed.exited, { code: null, signal: "SIGKILL" });
}

async function assertAsBefore({ node, baseline }: Scene, host: HostProcess): Promise<void> {
  const state = withoutCooling(await readState(node, host));
  assert.deepEqual(state, {
    ...baseline,
    kernel: { ...baseline.kernel, nftables: state.kernel.nftables },
  });
}

/** A whole pod comes, works on each network, and goes. */
async function livesAndGoes({ node, network, pod }: Scene, host: HostProcess): Promise<void> {
  await addOk(node, pod, network, askFor(pod, network, ALL));
  const peer = await node.createPod();
  await addOk(node, peer, network, askFor(peer, network, ALL));
  const status = await statusOf(host, peer);
  assert.equal(status.length, 4);
  for (const { ips } of status) await assertReaches(node, pod, ips);
  assertSilentSuccess(await check(node, pod, network));
  await delOk(node, peer, network);
  await delOk(node, pod, network);
}

/** "add.joined:6": the warm-up has joined four times, this is the pod's second. */
const ADD_FAULTS = [
  ...STEPS.ADD.filter((step) => step !== "add.joined").map((step) => `${step}:2`),
  ...[5, 6, 7, 8].map((time) => `add.joined:${time}`),
];

const DEL_FAULTS = [
  "del.admitted:2",
  "del.marked:2",
  ...[5, 6, 7, 8].flatMap((time) => [`del.detached:${time}`, `del.released:${time}`]),
];

describe("kill -9 with several networks", { concurrency: 2, skip }, () => {
  for (const fault of ADD_FAULTS) {
    test(`of ADD at ${fault}: none is left, and the pod can come again`, async () => {
      await using node = await openNode();
      const scene = await setScene(node, fault);
      const { network, pod } = scene;
      assert.equal(errorOf(await add(node, pod, network, askFor(pod, network, ALL))).code, 11);
      await assertDied(scene);
      const host = await startHostWith(node, THREE_NETWORKS);
      await delOk(node, pod, network);
      await assertAsBefore(scene, host);
      await livesAndGoes(scene, host);
      await assertAsBefore(scene, host);
    });
  }

  for (const fault of DEL_FAULTS) {
    test(`of DEL at ${fault}: all are gone once there is a host again`, async () => {
      await using node = await openNode();
      const scene = await setScene(node, fault);
      const { network, pod } = scene;
      await addOk(node, pod, network, askFor(pod, network, ALL));
      await delOk(node, pod, network);
      await assertDied(scene);
      await assertAsBefore(scene, await startHostWith(node, THREE_NETWORKS));
    });
  }

  const plugSteps: readonly StepName[] = STEPS.PLUG;
  for (const step of plugSteps) {
    test(`of attach at ${step}: the pod has the network whole or not at all`, async () => {
      await using node = await openNode();
      const scene = await setScene(node, step);
      const { network, pod, doomed } = scene;
      await addOk(node, pod, network, askFor(pod, network, "green"));
      const before = withoutCooling(await readState(node, doomed));
      const selection = "blue";
      await assert.rejects(doomed.client.attachNetwork({ pod: pod.name, selection }));
      await assertDied(scene);
      const host = await startHostWith(node, THREE_NETWORKS);
      const isConfirmed = step === "plug.confirmed";
      assert.equal((await statusOf(host, pod)).length, isConfirmed ? 3 : 2);
      if (!isConfirmed) {
        const after = withoutCooling(await readState(node, host));
        assert.deepEqual(after, {
          ...before,
          kernel: { ...before.kernel, nftables: after.kernel.nftables },
        });
      }
      const { attachment } = await host.client.attachNetwork({ pod: pod.name, selection });
      assert.equal(attachment?.ifname, "net2");
      assertSilentSuccess(await check(node, pod, network));
      await delOk(node, pod, network);
      await assertAsBefore(scene, host);
    });
  }

  for (const step of ["del.marked", "del.detached", "del.released"] as const) {
    const time = step === "del.marked" ? 2 : 5;
    test(`of detach at ${step}: the network is gone and the pod stands`, async () => {
      await using node = await openNode();
      const scene = await setScene(node, `${step}:${time}`);
      const { network, pod, doomed } = scene;
      await addOk(node, pod, network, askFor(pod, network, "green"));
      const before = withoutCooling(await readState(node, doomed));
      await doomed.client.attachNetwork({ pod: pod.name, selection: "blue" });
      await assert.rejects(doomed.client.detachNetwork({ pod: pod.name, target: "net2" }));
      await assertDied(scene);
      const host = await startHostWith(node, THREE_NETWORKS);
      const after = withoutCooling(await readState(node, host));
      assert.deepEqual(after, {
        ...before,
        kernel: { ...before.kernel, nftables: after.kernel.nftables },
      });
      assertSilentSuccess(await check(node, pod, network));
      await delOk(node, pod, network);
      await assertAsBefore(scene, host);
    });
  }
});
