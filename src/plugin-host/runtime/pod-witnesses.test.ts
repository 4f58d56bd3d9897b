import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { criProto } from "../../rpc/cri-client.ts";
import type { RuntimeServiceHandlers } from "../../rpc/generated/runtime/v1/RuntimeService.ts";
import { serveUnix } from "../../rpc/unix-server.ts";
import type { AttachmentRecord } from "../core/attachment.ts";
import type { HostEvent, PodTestimony } from "../core/ports.ts";
import { FakeClock } from "../fake-clock.ts";
import type { OwnPod, OwnPods } from "../kubernetes/view.ts";
import { openPodWitnesses, testifyPods } from "./pod-witnesses.ts";

function ownPods(pods: readonly Partial<OwnPod>[], isCurrent = true): OwnPods {
  const list = pods.map((pod) => ({
    namespace: "default",
    name: "p",
    uid: "",
    staticUid: "",
    networkStatus: undefined,
    isLeaving: false,
    ...pod,
  }));
  return {
    isCurrent,
    size: list.length,
    get: (uid) => list.find((pod) => pod.uid === uid),
    find: (namespace, name) => list.find((pod) => pod.namespace === namespace && pod.name === name),
    [Symbol.iterator]: () => list[Symbol.iterator](),
  };
}

function record(containerId: string, uid: string): AttachmentRecord {
  const pod = { namespace: "default", name: "p", uid, labels: {} };
  return { containerId, request: { pod } } as unknown as AttachmentRecord;
}

function open(t: TestContext, options: { path?: string; pods?: OwnPods }) {
  const events: HostEvent[] = [];
  const witnesses = openPodWitnesses({
    runtimeEndpoint: options.path,
    pods: options.pods,
    clock: new FakeClock(),
    events: { emit: (event) => events.push(event) },
  });
  t.after(() => witnesses[Symbol.dispose]());
  return { witnesses, events };
}

function tempPath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "pb-cri-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "cri.sock");
}

function names(testimonies: readonly PodTestimony[]): string[] {
  return testimonies.map(({ witness }) => witness);
}

test("ask() with neither runtime nor cluster has nobody", async (t) => {
  assert.deepEqual(await open(t, {}).witnesses.ask(), []);
});

test("ask() hears runtime and cluster, and the runtime that starts anew again", async (t) => {
  const path = tempPath(t);
  const handlers: Partial<RuntimeServiceHandlers> = {
    Status: (_call, done) =>
      done(null, { status: { conditions: [{ type: "RuntimeReady", status: true }] } }),
    ListPodSandbox: (_call, done) => done(null, { items: [{ id: "c1" }] }),
  };
  const services = [
    {
      definition: criProto.RuntimeService.service,
      handlers: handlers as RuntimeServiceHandlers,
    },
  ];
  const first = await serveUnix(path, services);
  const { witnesses, events } = open(t, { path: `unix://${path}`, pods: ownPods([{ uid: "u2" }]) });
  const [runtime, cluster] = await witnesses.ask();
  const said = [record("c1", "u1"), record("c2", "u2"), record("c3", "")].map((each) => [
    runtime?.has(each),
    cluster?.has(each),
  ]);
  assert.deepEqual(said, [
    [true, false],
    [false, true],
    [false, false],
  ]);
  assert.deepEqual([runtime?.isSettled, cluster?.isSettled], [true, true]);
  await first.stop(0);
  const second = await serveUnix(path, services);
  t.after(() => second.stop(0));
  const [again] = await witnesses.ask();
  assert.deepEqual([again?.witness, again?.isSettled], ["not-in-sandbox-list", false]);
  assert.deepEqual(events, []);
});

test("ask() without the runtime's socket hears the cluster alone and says so once", async (t) => {
  const { witnesses, events } = open(t, { path: tempPath(t), pods: ownPods([]) });
  assert.deepEqual(names(await witnesses.ask()), ["not-in-pod-list"]);
  assert.deepEqual(names(await witnesses.ask()), ["not-in-pod-list"]);
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ["runtime-failed"],
  );
});

test("ask() while the watch of pods is broken hears nothing of the cluster", async (t) => {
  assert.deepEqual(await open(t, { pods: ownPods([{ uid: "u1" }], false) }).witnesses.ask(), []);
});

test("a static pod is known by the uid that its kubelet gave it", () => {
  const testimony = testifyPods(ownPods([{ uid: "mirror", staticUid: "config-hash" }]));
  assert.deepEqual(
    ["config-hash", "mirror", "other", ""].map((uid) => testimony.has(record("c", uid))),
    [true, true, false, false],
  );
});

test("what the cluster testifies is of one moment", () => {
  const now = { pods: ownPods([{ uid: "u1" }]) };
  const testimony = testifyPods({
    isCurrent: true,
    size: 1,
    get: () => undefined,
    find: () => undefined,
    [Symbol.iterator]: () => now.pods[Symbol.iterator](),
  });
  now.pods = ownPods([]);
  assert.equal(testimony.has(record("c", "u1")), true);
});
