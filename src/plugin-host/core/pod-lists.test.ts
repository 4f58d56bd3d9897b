import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { cniCall, codeOf, FakeHostWorld, settled } from "../fake-host-world.ts";
import { FakePodWitnesses } from "../fake-pod-witnesses.ts";
import { LIMITS } from "../limits.ts";
import type { Host } from "./host.ts";

const ROUND_MS = LIMITS.reconcileMs;
const GRACE_MS = LIMITS.leakGraceMs;

let world: FakeHostWorld;
let lists: FakePodWitnesses;
let host: Host;

async function restart(): Promise<void> {
  // The earlier process is dead: nobody waits any more.
  world.clock.clearTimers();
  host = await world.startHost({ podWitnesses: lists });
}

/** An ADD as containerd's and CRI-O's are; without uid: nobody's pod. */
async function add(id: string, uid = `uid-${id}`): Promise<void> {
  const netns = world.namespaces.has(`/run/netns/${id}`)
    ? `/run/netns/${id}`
    : world.makeNetns(id, 100 + world.namespaces.size);
  const pod = `IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=${id};K8S_POD_UID=${uid}`;
  const call = { ...cniCall("ADD", { containerId: id, netns }), args: uid === "" ? "" : pod };
  const answer = await host.invoke(call);
  assert.equal(codeOf(answer), undefined, answer.resultJson);
}

function left(): string {
  return [...world.store.attachments.values()]
    .map(({ containerId }) => containerId)
    .sort()
    .join(" ");
}

function kinds(): string[] {
  return world.events.map(({ kind }) => kind).filter((kind) => kind.startsWith("leak"));
}

/** Rounds of reconciliation, until nothing of the attachment is left. */
async function msUntilGone(id: string, limitMs: number): Promise<number> {
  const fromMs = world.clock.monotonicMs();
  while (left().split(" ").includes(id)) {
    if (world.clock.monotonicMs() - fromMs >= limitMs) return Number.POSITIVE_INFINITY;
    await world.pass(1_000);
  }
  return world.clock.monotonicMs() - fromMs;
}

beforeEach(async () => {
  world = new FakeHostWorld();
  lists = new FakePodWitnesses();
  await restart();
  await add("a");
  await add("b");
});

describe("the runtime's list of sandboxes", () => {
  beforeEach(async () => {
    lists.sandboxes.ids = new Set(["a", "b"]);
    await world.pass(ROUND_MS + 1_000);
  });

  it("frees what it had and no longer has, once the grace is over, although the namespace stands", async () => {
    lists.sandboxes.ids = new Set(["b"]);
    const ms = await msUntilGone("a", 10 * GRACE_MS);
    assert.ok(ms >= GRACE_MS && ms <= GRACE_MS + 3 * ROUND_MS, `${ms} ms`);
    assert.deepEqual(kinds(), ["leak-candidate", "leak-freed"]);
    assert.equal(left(), "b");
    assert.equal(world.routed.held.size, 1);
  });

  it("frees at once what has no namespace either", async () => {
    lists.sandboxes.ids = new Set(["b"]);
    world.namespaces.delete("/run/netns/a");
    assert.ok((await msUntilGone("a", 10 * GRACE_MS)) <= ROUND_MS + 1_000);
    assert.equal(left(), "b");
  });

  it("frees what it had also when it has nothing at all any more", async () => {
    lists.sandboxes.ids = new Set();
    await msUntilGone("a", 10 * GRACE_MS);
    await msUntilGone("b", ROUND_MS);
    assert.equal(left(), "");
  });

  it("frees nothing on the word of a runtime that comes back with none of this host's pods", async () => {
    lists.sandboxes.ids = new Set(["somebody-else"]);
    lists.sandboxes.life = "2";
    lists.pods.ids = new Set();
    await world.pass(10 * LIMITS.podListedMs);
    assert.equal(left(), "a b");
    // With one of them it has proved itself: what else it had and lacks is gone.
    lists.sandboxes.ids = new Set(["b"]);
    await msUntilGone("a", 10 * GRACE_MS);
    assert.equal(left(), "b");
  });

  it("keeps what it leaves out for less than the grace, again and again", async () => {
    for (let time = 0; time < 10; time++) {
      lists.sandboxes.ids = new Set();
      await world.pass(GRACE_MS - ROUND_MS);
      lists.sandboxes.ids = new Set(["a", "b"]);
      await world.pass(ROUND_MS + 1_000);
    }
    assert.equal(left(), "a b");
  });

  it("takes nothing away as long as it is not settled, but takes words back", async () => {
    lists.sandboxes.isSettled = false;
    lists.sandboxes.ids = new Set();
    await world.pass(10 * LIMITS.podListedMs);
    assert.equal(left(), "a b");
    assert.deepEqual(kinds(), []);
    lists.sandboxes.isSettled = true;
    await world.pass(ROUND_MS + 1_000);
    lists.sandboxes.isSettled = false;
    lists.sandboxes.ids = new Set(["a", "b"]);
    await world.pass(ROUND_MS + 1_000);
    lists.sandboxes.isSettled = true;
    lists.sandboxes.ids = new Set();
    await world.pass(GRACE_MS - ROUND_MS);
    assert.equal(left(), "a b");
  });

  it("and the runtime's GC list are one witness: a runtime that lost its state frees nothing at once", async () => {
    lists.sandboxes.ids = new Set();
    await world.pass(ROUND_MS + 1_000);
    const gc = cniCall("GC", { config: { "cni.dev/valid-attachments": [] } });
    assert.equal(codeOf(await host.invoke(gc)), undefined);
    assert.equal(left(), "a b");
  });

  it("says nothing of a pod that was asked for again since it was begun", async () => {
    const held = Promise.withResolvers<void>();
    lists.sandboxes.ids = new Set(["b"]);
    lists.before = () => held.promise;
    await world.pass(ROUND_MS);
    await add("a");
    held.resolve();
    await settled();
    assert.deepEqual(kinds(), []);
    lists.before = async () => {};
    // Nor does the new attachment count as one that it had.
    await world.pass(LIMITS.podListedMs - ROUND_MS);
    assert.equal(left(), "a b");
  });

  it("frees what was adopted from another plugin and is gone since, and never what it never had", async () => {
    await add("c");
    const records = [...world.store.attachments.values()];
    for (const record of records.filter(({ containerId }) => containerId !== "b")) {
      const { pod: _, ...request } = record.request;
      const attachment = {
        ...record,
        request: { ...request, pod: null },
        state: { kind: "adopted" as const },
      };
      world.store.commit([{ kind: "put-attachment", attachment }]);
    }
    await restart();
    await world.pass(ROUND_MS + 1_000);
    lists.sandboxes.ids = new Set(["b"]);
    await world.pass(2 * LIMITS.podListedMs);
    assert.equal(left(), "b c");
  });
});

describe("a list that never had an attachment", () => {
  it("counts from the age on by which a sandbox is made, if it has others of this host's", async () => {
    lists.sandboxes.ids = new Set(["b"]);
    await world.pass(LIMITS.podListedMs);
    assert.deepEqual(kinds(), []);
    const ms = await msUntilGone("a", 10 * GRACE_MS);
    assert.ok(ms >= GRACE_MS - ROUND_MS && ms <= GRACE_MS + 3 * ROUND_MS, `${ms} ms`);
    assert.equal(left(), "b");
  });

  it("says nothing when it has none of this host's: it may be another runtime's", async () => {
    lists.sandboxes.ids = new Set(["of", "others"]);
    await world.pass(10 * LIMITS.podListedMs);
    assert.equal(left(), "a b");
    assert.deepEqual(kinds(), []);
  });

  it("says nothing of what is no pod's", async () => {
    await add("nerdctl", "");
    lists.sandboxes.ids = new Set(["a", "b"]);
    lists.pods.ids = new Set(["uid-a", "uid-b"]);
    await world.pass(10 * LIMITS.podListedMs);
    assert.equal(left(), "a b nerdctl");
  });

  it("counts no sooner when the wall clock jumps", async () => {
    lists.sandboxes.ids = new Set(["b"]);
    world.clock.jump(86_400_000);
    await world.pass(LIMITS.podListedMs);
    assert.equal(left(), "a b");
    assert.deepEqual(kinds(), []);
  });

  it("counts no sooner for a host that was started anew", async () => {
    lists.sandboxes.ids = new Set(["b"]);
    await world.pass(LIMITS.podListedMs - ROUND_MS);
    await restart();
    await world.pass(LIMITS.podListedMs);
    assert.equal(left(), "a b");
    await world.pass(GRACE_MS + 3 * ROUND_MS);
    assert.equal(left(), "b");
  });

  it("says nothing of an ADD that was answered after it was begun", async () => {
    lists.sandboxes.ids = new Set(["a", "b"]);
    const held = Promise.withResolvers<void>();
    lists.before = () => held.promise;
    await world.pass(ROUND_MS);
    await add("c");
    held.resolve();
    lists.before = async () => {};
    lists.sandboxes.ids = new Set(["a", "b", "c"]);
    await world.pass(2 * LIMITS.podListedMs);
    assert.equal(left(), "a b c");
    assert.deepEqual(kinds(), []);
  });
});

describe("the cluster's list of pods", () => {
  beforeEach(async () => {
    lists.pods.ids = new Set(["uid-a", "uid-b"]);
    await world.pass(ROUND_MS + 1_000);
    lists.pods.ids = new Set(["uid-b"]);
  });

  it("never suffices, however long it says so, and is no news", async () => {
    await world.pass(10 * LIMITS.podListedMs);
    assert.equal(left(), "a b");
    assert.deepEqual(kinds(), []);
  });

  it("bears out that the namespace is gone", async () => {
    await world.pass(ROUND_MS);
    world.namespaces.delete("/run/netns/a");
    assert.ok((await msUntilGone("a", 10 * GRACE_MS)) <= ROUND_MS + 1_000);
    assert.equal(left(), "b");
  });

  it("bears out the runtime's list, and not the other way round when it has the pod", async () => {
    lists.sandboxes.ids = new Set(["a", "b"]);
    await world.pass(ROUND_MS);
    lists.sandboxes.ids = new Set();
    assert.ok((await msUntilGone("a", 10 * GRACE_MS)) <= ROUND_MS + 1_000);
    assert.equal(left(), "b");
  });

  it("takes its word back when the pod is there after all", async () => {
    await world.pass(ROUND_MS);
    lists.pods.ids = new Set(["uid-a", "uid-b"]);
    await world.pass(ROUND_MS);
    world.namespaces.delete("/run/netns/a");
    assert.ok((await msUntilGone("a", 10 * GRACE_MS)) >= GRACE_MS);
  });

  it("is worth nothing any more once it has been silent for the grace", async () => {
    await world.pass(ROUND_MS);
    lists.pods.ids = undefined;
    await world.pass(GRACE_MS + ROUND_MS);
    world.namespaces.delete("/run/netns/a");
    assert.ok((await msUntilGone("a", 10 * GRACE_MS)) >= GRACE_MS);
  });
});

for (const { name, before } of [
  { name: "fails", before: () => Promise.reject(new Error("a bug")) },
  { name: "never answers", before: () => new Promise<void>(() => {}) },
]) {
  it(`namespaces are judged although who is asked for pods ${name}`, async () => {
    lists.sandboxes.ids = new Set(["a", "b"]);
    lists.before = before;
    world.namespaces.delete("/run/netns/a");
    await world.pass(GRACE_MS + 5 * ROUND_MS);
    assert.equal(left(), "b");
  });
}
