import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { HostEvent } from "../core/ports.ts";
import { FakeClock } from "../fake-clock.ts";
import { LIMITS } from "../limits.ts";
import type { ManifestEvent } from "../manifests/manifest-object.ts";
import type { SourceProblem } from "../manifests/object-source.ts";
import { ApiError } from "./api.ts";
import { Cluster } from "./cluster.ts";
import { FakeApi } from "./fake-api.ts";
import { ObjectJournal } from "./object-journal.ts";

const SERVICES = "/api/v1/services";
const NODES = "/api/v1/nodes";
const PODS = "/api/v1/pods";
const NADS = "/apis/k8s.cni.cncf.io/v1/network-attachment-definitions";
const CLAIMS = "/apis/k8s.cni.cncf.io/v1alpha1/ipamclaims";

/** A host on a cluster, and what it was told. */
class Scene {
  readonly clock: FakeClock;
  readonly api: FakeApi;
  readonly events: HostEvent[] = [];
  readonly services: ManifestEvent[] = [];
  readonly networks: ManifestEvent[] = [];
  problems: readonly SourceProblem[] = [];
  readonly cluster: Cluster;
  readonly journal: ObjectJournal | undefined;

  constructor(api = new FakeApi(), journalFile?: string, clock = new FakeClock()) {
    this.clock = clock;
    this.api = api;
    this.journal = journalFile ? ObjectJournal.open(journalFile, { nodeName: "n1" }) : undefined;
    this.cluster = new Cluster({
      nodeName: "n1",
      api,
      journal: this.journal,
      clock: this.clock,
      random: () => 1,
      events: { emit: (event) => this.events.push(event) },
    });
  }

  start(): this {
    this.cluster.start({
      services: {
        onEvents: (events) => this.services.push(...events),
        onProblems: (problems) => {
          this.problems = problems;
        },
      },
      networks: { onEvents: (events) => this.networks.push(...events), onProblems: () => {} },
    });
    return this;
  }

  /** Until everything that can be followed is. */
  async follows(): Promise<void> {
    await this.until(() =>
      this.cluster.watches.every(({ phase }) => phase === "watching" || phase === "absent"),
    );
  }

  /** Lets promises run, and time pass where something waits for it. */
  async until(holds: () => boolean, options: { readonly passesMs?: number } = {}): Promise<void> {
    for (let round = 0; round < 2_000; round++) {
      if (holds()) return;
      await new Promise((resolve) => setImmediate(resolve));
      if (options.passesMs) this.clock.advance(options.passesMs);
    }
    assert.fail(`It never came true: ${JSON.stringify(this.cluster.watches, undefined, 1)}`);
  }

  async settle(): Promise<void> {
    for (let round = 0; round < 20; round++) await new Promise((resolve) => setImmediate(resolve));
  }

  watch(resource: string) {
    const found = this.cluster.watches.find((state) => state.resource === resource);
    assert.ok(found, resource);
    return found;
  }

  async stop(): Promise<void> {
    await this.cluster.close();
    this.journal?.close();
  }
}

function service(name: string, port = 80) {
  return {
    metadata: { name, namespace: "default" },
    spec: { clusterIP: "10.96.0.9", clusterIPs: ["10.96.0.9"], ports: [{ port }] },
  };
}

function aCluster(): FakeApi {
  const api = new FakeApi();
  api.serve(NADS, "NetworkAttachmentDefinition");
  api.serve(CLAIMS, "IPAMClaim");
  api.put(NODES, {
    metadata: { name: "n1", labels: { zone: "a" } },
    spec: { podCIDRs: ["10.244.0.0/24", "fd00:244::/64"] },
    status: { addresses: [{ type: "InternalIP", address: "10.200.0.1" }] },
  });
  api.put(NODES, { metadata: { name: "n2", labels: { zone: "b" } } });
  api.put(SERVICES, service("web"));
  return api;
}

function journalFile(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "patchbay-journal-"));
  context.after(() => rmSync(folder, { recursive: true }));
  return join(folder, "objects.db");
}

function keysOf(event: ManifestEvent | undefined): string[] {
  assert.equal(event?.kind, "relist");
  return event.objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort();
}

test("Cluster tells of Services once all of their resources are listed, then of each change", async () => {
  const scene = new Scene(aCluster()).start();
  await scene.follows();
  assert.deepEqual(keysOf(scene.services[0]), ["Node n1", "Node n2", "Service web"]);
  assert.equal(scene.cluster.unready, "");
  assert.deepEqual(scene.cluster.podCidrs, ["10.244.0.0/24", "fd00:244::/64"]);

  scene.api.put(SERVICES, service("more"));
  scene.api.remove(SERVICES, "default/web");
  await scene.until(() => scene.services.length === 3);
  assert.deepEqual(
    scene.services.slice(1).map(({ kind }) => kind),
    ["put", "delete"],
  );
  await scene.stop();
});

test("Cluster is not ready while a first list is missing, and says why", async () => {
  const api = aCluster();
  const forbidden = new ApiError("services is forbidden", { status: 403, reason: "Forbidden" });
  api.fail(SERVICES, forbidden, { times: 3 });
  const scene = new Scene(api).start();
  await scene.until(() => scene.watch("services").trouble !== "");
  assert.match(
    scene.cluster.unready,
    /^No first list of services came from https:.* yet: this host lacks the rights to list and watch$/,
  );
  assert.equal(scene.services.length, 0);
  await scene.until(() => scene.cluster.unready === "", { passesMs: 200 });
  await scene.follows();
  assert.equal(scene.watch("services").trouble, "");
  await scene.stop();
});

test("Cluster goes on from the last version after an outage, without a list", async () => {
  const scene = new Scene(aCluster()).start();
  await scene.follows();
  scene.api.down();
  await scene.until(() => scene.watch("services").phase === "broken");
  assert.equal(scene.cluster.pods.isCurrent, false);
  scene.api.put(SERVICES, service("meanwhile"));
  scene.api.up();
  await scene.until(() => scene.services.length === 2, { passesMs: 100 });
  await scene.until(() => scene.cluster.pods.isCurrent, { passesMs: 100 });
  await scene.follows();
  assert.deepEqual(
    scene.cluster.watches.map(({ lists }) => lists),
    scene.cluster.watches.map(() => 1),
  );
  const told = scene.events.map(({ kind }) => kind);
  assert.deepEqual(told, ["kubernetes-connected", "kubernetes-failed", "kubernetes-connected"]);
  await scene.stop();
});

test("Cluster goes on where a watch ends, breaks off in the middle, or says what nobody can read", async () => {
  const scene = new Scene(aCluster()).start();
  await scene.follows();
  scene.api.endStreams();
  await scene.settle();
  scene.clock.advance(LIMITS.kubernetesRetryMaxMs);
  scene.api.pushLine(SERVICES, "{ no json");
  scene.api.breakNextStream(SERVICES, 1);
  for (const name of ["a", "b", "c"]) scene.api.put(SERVICES, service(name));
  await scene.until(() => scene.services.length >= 4, { passesMs: 100 });
  await scene.follows();
  const puts = scene.services.slice(1).flatMap((event) => (event.kind === "put" ? [event] : []));
  const names = puts.map(({ object }) => object.metadata.name);
  assert.deepEqual([...new Set(names)], ["a", "b", "c"]);
  assert.equal(scene.watch("services").lists, 1);
  await scene.stop();
});

test("Cluster lists anew where its version is gone, and tells what is different", async () => {
  const scene = new Scene(aCluster()).start();
  await scene.follows();
  scene.api.down();
  await scene.until(() => scene.watch("services").phase === "broken");
  scene.api.remove(SERVICES, "default/web");
  scene.api.put(SERVICES, service("new"));
  scene.api.compact();
  scene.api.advance();
  scene.api.up();
  await scene.until(() => scene.services.length === 3, { passesMs: 200 });
  assert.deepEqual(
    scene.services.slice(1).map(({ kind }) => kind),
    ["delete", "put"],
  );
  await scene.until(() => scene.watch("services").phase === "watching", { passesMs: 100 });
  assert.equal(scene.watch("services").lists, 2);
  assert.ok(scene.events.some(({ kind }) => kind === "kubernetes-relisted"));
  await scene.stop();
});

test("Cluster lists anew on a server whose data were restored from a backup", async () => {
  const scene = new Scene(aCluster()).start();
  await scene.follows();
  scene.api.down();
  await scene.until(() => scene.watch("services").phase === "broken");
  scene.api.goBackTo(2);
  scene.api.up();
  await scene.until(() => scene.watch("services").lists === 2, { passesMs: 1_000 });
  await scene.follows();
  scene.api.put(SERVICES, service("again"));
  await scene.until(() => scene.services.length === 2);
  await scene.stop();
});

test("Cluster lists in pages where the server refuses to list by a watch", async () => {
  const api = aCluster();
  api.initialEventsRefusal = new ApiError(
    'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled',
    { status: 422, reason: "Invalid" },
  );
  for (let number = 0; number < LIMITS.kubernetesPageMax + 1; number++) {
    api.put(SERVICES, service(`s${number}`));
  }
  const scene = new Scene(api).start();
  await scene.follows();
  assert.equal(api.count("list", SERVICES), 2);
  assert.equal(scene.watch("services").objects, LIMITS.kubernetesPageMax + 2);
  api.put(SERVICES, service("after"));
  await scene.until(() => scene.services.length === 2);
  await scene.stop();
});

test("Cluster keeps what an unreadable object was, and says what is wrong with it", async () => {
  const scene = new Scene(aCluster()).start();
  await scene.follows();
  scene.api.put(SERVICES, service("web", 70_000));
  await scene.until(() => scene.problems.length === 1);
  assert.equal(scene.problems[0]?.place, "services default/web");
  assert.match(scene.problems[0].message, /spec\.ports\[0\]\.port/);
  assert.equal(scene.services.length, 1);
  scene.api.put(SERVICES, service("web", 81));
  await scene.until(() => scene.services.length === 2);
  assert.deepEqual(scene.problems, []);
  await scene.stop();
});

test("Cluster knows its pods by uid and by name, and tells which changed", async () => {
  const scene = new Scene(aCluster()).start();
  const changed: string[] = [];
  scene.cluster.listen(({ pods }) => changed.push(...pods));
  await scene.follows();
  const pod = (uid: string) => ({
    metadata: { name: "web-0", namespace: "default", uid },
    spec: { nodeName: "n1" },
  });
  scene.api.put(PODS, pod("u1"));
  await scene.until(() => scene.cluster.pods.size === 1);
  scene.clock.advance(0);
  // A StatefulSet's pod comes back under its name.
  scene.api.remove(PODS, "default/web-0");
  scene.api.put(PODS, pod("u2"));
  await scene.until(() => scene.cluster.pods.get("u2") !== undefined);
  scene.clock.advance(0);
  assert.equal(scene.cluster.pods.get("u1"), undefined);
  assert.equal(scene.cluster.pods.find("default", "web-0")?.uid, "u2");
  assert.deepEqual([...new Set(changed)], ["u1", "u2"]);
  await scene.stop();
});

test("Cluster takes a CustomResourceDefinition that is not there for no objects, and finds it later", async () => {
  const api = aCluster();
  api.unserve(NADS);
  const scene = new Scene(api).start();
  await scene.follows();
  assert.equal(scene.networks.length, 1);
  assert.equal(scene.watch("network-attachment-definitions.k8s.cni.cncf.io").phase, "absent");
  api.serve(NADS, "NetworkAttachmentDefinition");
  api.put(NADS, { metadata: { name: "net", namespace: "default" }, spec: { config: "{}" } });
  await scene.until(() => scene.networks.length === 2, { passesMs: 1_000 });
  await scene.stop();
});

test("Cluster does not forget definitions because a server that starts does not know their kind yet", async () => {
  const scene = new Scene(aCluster());
  scene.api.put(NADS, { metadata: { name: "net", namespace: "default" }, spec: { config: "{}" } });
  scene.start();
  await scene.follows();
  const state = () => scene.watch("network-attachment-definitions.k8s.cni.cncf.io");
  const notFound = new ApiError("the server could not find it", { status: 404 });
  scene.api.fail(NADS, notFound, { times: 3 });
  scene.api.breakStreams(NADS);
  await scene.until(() => /does not have it/.test(state().trouble), { passesMs: 1_000 });
  assert.equal(state().objects, 1);
  await scene.until(() => state().phase === "watching", { passesMs: 1_000 });
  assert.equal(scene.networks.length, 1);
  await scene.stop();
});

test("Cluster begins with what an earlier host wrote down, before the server answers", async (context) => {
  const file = journalFile(context);
  const first = new Scene(aCluster(), file).start();
  await first.follows();
  first.clock.advance(LIMITS.kubernetesJournalMs);
  first.api.put(SERVICES, service("late"));
  await first.until(() => first.services.length === 2);
  await first.stop();

  first.api.down();
  const second = new Scene(first.api, file).start();
  assert.deepEqual(keysOf(second.services[0]), [
    "Node n1",
    "Node n2",
    "Service late",
    "Service web",
  ]);
  assert.equal(second.cluster.unready, "");
  assert.deepEqual(second.cluster.podCidrs, ["10.244.0.0/24", "fd00:244::/64"]);
  assert.equal(second.watch("services").phase, "restored");

  first.api.up();
  first.api.remove(SERVICES, "default/web");
  await second.until(() => second.services.length === 2, { passesMs: 100 });
  await second.follows();
  assert.equal(second.watch("services").lists, 0);
  assert.equal(second.watch("nodes (own)").lists, 1);
  await second.stop();
});

test("Cluster trusts no version of another cluster", async (context) => {
  const file = journalFile(context);
  const first = new Scene(aCluster(), file).start();
  await first.follows();
  first.clock.advance(LIMITS.kubernetesJournalMs);
  await first.stop();

  // The same names, another etcd; versions have overtaken those that were known.
  const other = aCluster();
  other.remove(NODES, "n1");
  other.put(NODES, {
    metadata: { name: "n1", uid: "another" },
    spec: { podCIDRs: ["10.9.0.0/24"] },
  });
  other.remove(SERVICES, "default/web");
  other.put(SERVICES, service("other"));
  const second = new Scene(other, file).start();
  await second.until(() => second.cluster.podCidrs[0] === "10.9.0.0/24", { passesMs: 100 });
  await second.until(() => second.watch("services").lists === 1, { passesMs: 100 });
  await second.follows();
  const services = second.services.slice(1).flatMap((event) => {
    if (event.kind === "delete") return event.key.startsWith("Service/") ? [`- ${event.key}`] : [];
    return event.kind === "put" && event.object.kind === "Service"
      ? [`+ ${event.object.metadata.name}`]
      : [];
  });
  assert.deepEqual(services, ["- Service/default/web", "+ other"]);
  await second.stop();
});

test("Cluster lists anew after a crash in the middle of writing a first list", async (context) => {
  const file = journalFile(context);
  const api = aCluster();
  for (let number = 0; number < 3 * LIMITS.kubernetesJournalBatchMax; number++) {
    api.put(SERVICES, service(`s${number}`));
  }
  const first = new Scene(api, file).start();
  await first.follows();
  // One part of several, and kill -9.
  first.clock.advance(LIMITS.kubernetesJournalMs - 1);
  first.clock.clearTimers();
  first.journal?.close();
  const second = new Scene(api, file).start();
  await second.follows();
  assert.equal(second.watch("services").objects, 3 * LIMITS.kubernetesJournalBatchMax + 1);
  await first.cluster.close().catch(() => undefined);
  await second.stop();
});

test("Cluster trusts no version after another cluster took the place of its own while it runs", async () => {
  const scene = new Scene(aCluster()).start();
  await scene.follows();
  // Its versions have overtaken the known ones: nothing but the Node's uid says that they are others.
  scene.api.remove(NODES, "n1");
  await scene.until(() => scene.cluster.node === undefined);
  scene.api.put(NODES, { metadata: { name: "n1", uid: "another" } });
  await scene.until(() => scene.watch("services").lists === 2, { passesMs: 100 });
  await scene.follows();
  assert.equal(scene.watch("nodes (own)").lists, 1);
  await scene.stop();
});

test("Cluster reads what a list brings under a version that it knows", async () => {
  const scene = new Scene(aCluster()).start();
  await scene.follows();
  const { version } = scene.api;
  scene.api.down();
  await scene.until(() => scene.watch("services").phase === "broken");
  // A backup is restored, and another change gets the same version.
  scene.api.goBackTo(Number(version) - 1);
  scene.api.put(SERVICES, service("web", 81));
  assert.equal(scene.api.version, version);
  scene.api.goBackTo(2);
  scene.api.up();
  await scene.until(() => scene.watch("services").lists === 2, { passesMs: 1_000 });
  const [put] = scene.services.slice(1);
  assert.ok(put?.kind === "put" && put.object.kind === "Service");
  assert.equal(put.object.spec.ports?.[0]?.port, 81);
  await scene.stop();
});

test("Cluster lists everything at the start where no own Node says that the cluster is the same", async (context) => {
  const file = journalFile(context);
  const first = new Scene(aCluster(), file).start();
  await first.follows();
  first.api.remove(NODES, "n1");
  await first.until(() => first.cluster.node === undefined);
  first.clock.advance(LIMITS.kubernetesJournalMs);
  await first.stop();
  const second = new Scene(first.api, file).start();
  assert.deepEqual(keysOf(second.services[0]), ["Node n2", "Service web"]);
  await second.follows();
  assert.equal(second.watch("services").lists, 1);
  await second.stop();
});

test("Cluster takes no other Node for its own, whatever the server sends", async () => {
  const scene = new Scene(aCluster()).start();
  await scene.follows();
  const object = { kind: "Node", metadata: { name: "n0", uid: "u0", resourceVersion: "90" } };
  scene.api.pushLine(NODES, JSON.stringify({ type: "ADDED", object }));
  scene.api.remove(NODES, "n1");
  await scene.until(() => scene.cluster.node?.name !== "n1");
  assert.equal(scene.cluster.node, undefined);
  await scene.stop();
});

test("Cluster begins a watch again that does not end when it should, and a list that falls silent", async () => {
  const api = aCluster();
  const scene = new Scene(api);
  // The list of Services never ends; whoever holds the connection answers its PINGs.
  api.hangNextStream(SERVICES);
  scene.start();
  await scene.until(() => api.count("watch", SERVICES) === 1);
  await scene.settle();
  scene.clock.advance(LIMITS.kubernetesSilenceMs);
  await scene.until(() => scene.watch("services").phase === "broken");
  await scene.until(() => scene.cluster.unready === "", { passesMs: 50 });
  await scene.follows();

  const watches = api.count("watch", SERVICES);
  scene.clock.advance(2_000 * LIMITS.kubernetesWatchS + LIMITS.kubernetesSilenceMs);
  await scene.until(() => api.count("watch", SERVICES) > watches, { passesMs: 50 });
  assert.equal(scene.watch("services").lists, 1);
  await scene.stop();
});

test("Cluster asks a server that comes back behind a proxy whether it is behind", async () => {
  const scene = new Scene(aCluster()).start();
  await scene.follows();
  const gateway = new ApiError("no healthy upstream", { status: 503 });
  scene.api.fail(SERVICES, gateway, { times: 2 });
  scene.api.endStreams(SERVICES);
  scene.api.goBackTo(2);
  await scene.until(() => scene.watch("services").lists === 2, { passesMs: 1_000 });
  await scene.stop();
});

test("Cluster lists everything at the start where what was written down is old", async (context) => {
  const file = journalFile(context);
  const first = new Scene(aCluster(), file).start();
  await first.follows();
  first.clock.advance(LIMITS.kubernetesJournalMs);
  await first.stop();
  // A backup was restored meanwhile, and its versions have overtaken.
  first.api.put(SERVICES, service("unheard"));
  const late = new FakeClock();
  late.jump(LIMITS.kubernetesResumeMs + LIMITS.kubernetesJournalMs + 1);
  const scene = new Scene(first.api, file, late).start();
  assert.deepEqual(keysOf(scene.services[0]), ["Node n1", "Node n2", "Service web"]);
  await scene.follows();
  assert.equal(scene.watch("services").lists, 1);
  await scene.stop();
});

test("Cluster writes down again once the disk takes it", async (context) => {
  const file = journalFile(context);
  const scene = new Scene(aCluster(), file).start();
  await scene.follows();
  scene.clock.advance(LIMITS.kubernetesJournalMs);
  const { journal } = scene;
  assert.ok(journal);
  const full = context.mock.method(journal, "write", () => {
    throw new Error("database or disk is full");
  });
  scene.api.put(SERVICES, service("a"));
  await scene.until(() => scene.services.length === 2);
  scene.clock.advance(LIMITS.kubernetesJournalMs);
  scene.api.remove(SERVICES, "default/web");
  await scene.until(() => scene.services.length === 3);
  scene.clock.advance(3 * LIMITS.kubernetesJournalRetryMs);
  const told = scene.events.filter(({ subject }) => subject === "journal");
  assert.equal(told.length, 1);
  full.mock.restore();
  scene.clock.advance(LIMITS.kubernetesJournalRetryMs);
  const written = journal.read("services")?.objects.map(({ key }) => key);
  assert.deepEqual(written, ["Service/default/a"]);
  await scene.stop();
});

test("Cluster finds out after an outage that another cluster answers, whose versions are further", async () => {
  const scene = new Scene(aCluster()).start();
  await scene.follows();
  scene.api.advance(50);
  scene.api.bookmark();
  await scene.until(() => scene.watch("services").resourceVersion === scene.api.version);
  scene.api.down();
  await scene.until(() => scene.watch("services").phase === "broken");
  // Its Node was made at a version that this host's watch is past of.
  const known = Number(scene.api.version);
  scene.api.goBackTo(2);
  scene.api.remove(NODES, "n1");
  scene.api.put(NODES, { metadata: { name: "n1", uid: "another" } });
  scene.api.put(SERVICES, service("other"));
  scene.api.advance(known);
  scene.api.up();
  await scene.until(() => scene.watch("services").lists === 2, { passesMs: 100 });
  await scene.follows();
  assert.equal(scene.cluster.node?.uid, "another");
  assert.ok(scene.services.some((event) => event.kind === "put"));
  await scene.stop();
});

test("Cluster begins without what is written down where it cannot be read", async (context) => {
  for (const value of [
    null,
    7,
    {},
    { v: "1" },
    { v: "1", o: { kind: "object", key: "Service/default/web" } },
  ]) {
    const file = journalFile(context);
    const first = new Scene(aCluster(), file).start();
    await first.follows();
    first.clock.advance(LIMITS.kubernetesJournalMs);
    const objects = [["Service/default/web", value]] as const;
    const version = first.api.version;
    first.journal?.write({ resource: "services", version, objects, wallMs: first.clock.wallMs() });
    first.journal?.close();
    first.clock.clearTimers();
    const second = new Scene(first.api, file).start();
    await second.follows();
    assert.deepEqual(keysOf(second.services[0]), ["Node n1", "Node n2", "Service web"]);
    await second.stop();
    await first.cluster.close();
  }
});
