import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseAddress } from "../../../ip/address.ts";
import type { Flow } from "../../../kernel/conntrack.ts";
import { KernelError } from "../../../kernel/kernel-error.ts";
import type { NetnsPath } from "../../../kernel/kernel.ts";
import { emptyServicePlan, noPlanChanges } from "../../../services/apply-changes.ts";
import type { FrontendKey } from "../../../services/model.ts";
import type { NetworkRoute, PlanChanges, PlannedFrontend } from "../../../services/plan-types.ts";
import { text } from "../../../services/sample-objects.ts";
import type { AttachmentId, AttachmentRecord } from "../../core/attachment.ts";
import type { HostEvent } from "../../core/ports.ts";
import { FakeClock } from "../../fake-clock.ts";
import { LIMITS } from "../../limits.ts";
import { FakeNamespacePlane } from "./fake-namespace-plane.ts";
import { PodNamespaces } from "./pod-namespaces.ts";

const web = frontend(10, "default/fast", ["10.20.0.5"]);

describe("PodNamespaces", () => {
  it("programs namespaces on the network, and none that are not", async () => {
    const { namespaces, plane } = setUp();
    namespaces.attach(record("a"));
    namespaces.attach(record("b", { network: "default/slow" }));
    namespaces.attach(record("c", { network: "cbr0" }));
    await namespaces.reset(planOf(web), 1);
    assert.equal(
      plane.toString(),
      "ns-a default/a default/fast=net1 10.96.0.10|TCP|80>10.20.0.5|8080\n",
    );
    assert.deepEqual(plane.calls, ["ns-a"]);
  });

  it("touches nothing before the plan is known, and a namespace without Services never", async () => {
    const { namespaces, plane } = setUp();
    namespaces.attach(record("a"));
    assert.equal(namespaces.settle(record("a")), undefined);
    await namespaces.reset(emptyServicePlan, 1);
    assert.equal(namespaces.settle(record("b")), undefined);
    assert.deepEqual(plane.calls, []);
  });

  it("follow() programs those alone whom the change concerns", async () => {
    const { namespaces, plane, follow } = setUp();
    namespaces.attach(record("a"));
    namespaces.attach(record("b", { network: "default/slow" }));
    const slow = frontend(11, "default/slow", ["10.30.0.5"]);
    await namespaces.reset(planOf(web, slow), 1);
    plane.calls.length = 0;
    const moved = frontend(10, "default/fast", ["10.20.0.6"]);
    await follow({ ...noPlanChanges, revision: 2, putFrontends: [moved] });
    assert.deepEqual(plane.calls, ["ns-a"]);
    assert.match(plane.toString(), /ns-a .*>10\.20\.0\.6\|8080/);
    await follow({ ...noPlanChanges, revision: 3, removeFrontends: [web.key] });
    assert.doesNotMatch(plane.toString(), /ns-a/);
  });

  it("settle() resolves when a new pod's namespace is programmed, all its networks in one go", async () => {
    const { namespaces, plane } = setUp();
    const slow = frontend(11, "default/slow", ["10.30.0.5"]);
    await namespaces.reset(planOf(web, slow), 1);
    const records = [record("a"), record("a", { network: "default/slow", ifname: "net2" })];
    await Promise.all(records.map(async (each) => namespaces.settle(each)));
    assert.deepEqual(plane.calls, ["ns-a"]);
    assert.match(plane.toString(), /default\/fast=net1 default\/slow=net2/);
  });

  it("a second interface on the same network is told beside the first", async () => {
    const { namespaces, plane } = setUp();
    await namespaces.reset(planOf(web), 1);
    namespaces.attach(record("a", { ifname: "net2" }));
    await namespaces.settle(record("a", { ifname: "net1" }));
    assert.match(plane.toString(), /default\/fast=net1\+net2 /);
  });

  it("withdraw() of a network takes its rules out at once", async () => {
    const { namespaces, plane, holding } = setUp();
    await namespaces.reset(planOf(web), 1);
    await namespaces.settle(record("a"));
    assert.deepEqual(holding, [true]);
    namespaces.withdraw(record("a").id);
    await namespaces.reset(planOf(web), 2);
    assert.equal(plane.toString(), "");
    assert.deepEqual(holding, [true, false]);
  });

  it("withdraw() of a pod leaves its namespace alone, which goes", async () => {
    const { namespaces, plane, events, clock, holding } = setUp();
    await namespaces.reset(planOf(web), 1);
    await namespaces.settle(record("a"));
    namespaces.withdraw(record("a").id);
    namespaces.withdraw("primary-a" as AttachmentId);
    plane.gone.add("ns-a");
    clock.advance(LIMITS.podLeavesMs);
    await namespaces.reset(planOf(web), 2);
    assert.deepEqual(plane.calls, ["ns-a"]);
    assert.deepEqual(events, []);
    assert.deepEqual(holding, [true, false]);
  });

  it("withdraw() of a pod whose namespace stays clears it a while later", async () => {
    const { namespaces, plane, clock } = setUp();
    await namespaces.reset(planOf(web), 1);
    await namespaces.settle(record("a"));
    namespaces.withdraw("primary-a" as AttachmentId);
    clock.advance(LIMITS.podLeavesMs);
    await namespaces.reset(planOf(web), 2);
    assert.equal(plane.toString(), "");
  });

  it("does not take a new namespace for the one before it that had its number", async () => {
    const { namespaces, plane, clock } = setUp();
    await namespaces.reset(planOf(web), 1);
    await namespaces.settle(record("a"));
    namespaces.withdraw("primary-a" as AttachmentId);
    plane.flush({ identity: "ns-a" });
    const next = { ...record("b"), netnsIdentity: "ns-a" };
    await namespaces.settle(next);
    assert.match(plane.toString(), /^ns-a default\/b /);
    // Nor is the new one cleared in the name of the old one.
    clock.advance(LIMITS.podLeavesMs);
    namespaces.withdraw(record("a").id);
    await namespaces.reset(planOf(web), 2);
    assert.match(plane.toString(), /^ns-a default\/b /);
    namespaces.withdraw(next.id);
    await namespaces.reset(planOf(web), 3);
    assert.equal(plane.toString(), "");
  });

  it("believes nothing of a namespace that a pod left and the next one has", async () => {
    const { namespaces, plane } = setUp();
    await namespaces.reset(planOf(web), 1);
    await namespaces.settle(record("a"));
    namespaces.withdraw("primary-a" as AttachmentId);
    plane.flush({ identity: "ns-a" });
    await namespaces.settle(record("a"));
    assert.match(plane.toString(), /^ns-a default\/a /);
  });

  it("forgets a namespace that is gone, without a word", async () => {
    const { namespaces, plane, events, clock, holding } = setUp();
    await namespaces.reset(planOf(web), 1);
    await namespaces.settle(record("a"));
    plane.gone.add("ns-a");
    namespaces.withdraw(record("a").id);
    await namespaces.reset(planOf(web), 2);
    assert.deepEqual(events, []);
    assert.deepEqual(holding, [true, false]);
    clock.advance(LIMITS.planeRetryMaxMs);
    assert.equal(plane.calls.length, 1);
  });

  it("tries a namespace that fails again by itself, and holds nobody up", async () => {
    const { namespaces, plane, events, clock } = setUp();
    plane.before = async ({ identity }) => {
      if (identity === "ns-a") throw new Error("no");
    };
    namespaces.attach(record("a"));
    namespaces.attach(record("b"));
    const outcome = await namespaces.reset(planOf(web), 1);
    assert.deepEqual(outcome, { revision: 1, refused: [] });
    assert.match(plane.toString(), /^ns-b /);
    assert.match(namespaces.troubleInside("ns-a"), /no/);
    assert.equal(namespaces.troubles().length, 1);
    plane.before = async () => {};
    clock.advance(LIMITS.planeRetryMinMs);
    await namespaces.settle(record("a"));
    assert.match(plane.toString(), /ns-a /);
    assert.equal(namespaces.troubleInside("ns-a"), "");
    assert.deepEqual(
      events.map(({ kind, subject }) => `${kind} ${subject}`),
      ["services-failed default/a", "services-recovered default/a"],
    );
  });

  it("programs a few namespaces at a time", async () => {
    const { namespaces, plane } = setUp();
    plane.before = () => new Promise((resolve) => setImmediate(resolve));
    for (let number = 0; number < 50; number++) namespaces.attach(record(`p${number}`));
    await namespaces.reset(planOf(web), 1);
    assert.equal(plane.calls.length, 50);
    assert.equal(plane.most, LIMITS.podNamespacesAtOnceMax);
  });

  it("changes while a namespace is programmed come after it, all in one go", async () => {
    const { namespaces, plane, follow } = setUp();
    namespaces.attach(record("a"));
    const gate = Promise.withResolvers<void>();
    plane.before = () => gate.promise;
    const first = namespaces.reset(planOf(web), 1);
    await new Promise((resolve) => setImmediate(resolve));
    const outcomes = [6, 7, 8].map((last, index) => {
      const moved = frontend(10, "default/fast", [`10.20.0.${last}`]);
      return follow({ ...noPlanChanges, revision: 2 + index, putFrontends: [moved] });
    });
    gate.resolve();
    await Promise.all([first, ...outcomes]);
    assert.match(plane.toString(), />10\.20\.0\.8\|8080/);
    assert.deepEqual(plane.calls, ["ns-a", "ns-a"]);
  });

  it("mends what somebody flushed, on its slow round", async () => {
    const { namespaces, plane, events, clock } = setUp();
    await namespaces.reset(planOf(web), 1);
    await namespaces.settle(record("a"));
    const whole = plane.toString();
    plane.flush({ identity: "ns-a" });
    clock.advance(LIMITS.podNamespacesCheckMs);
    await new Promise((resolve) => setImmediate(resolve));
    await namespaces.settle(record("a"));
    assert.equal(plane.toString(), whole);
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ["services-repaired"],
    );
    // Nothing to mend: nothing is written.
    const count = plane.calls.length;
    clock.advance(LIMITS.podNamespacesCheckMs);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(plane.calls.length, count);
  });

  it("restore() takes out what an earlier host left and nobody wants", async () => {
    const { namespaces, plane } = setUp();
    plane.leave("ns-a");
    namespaces.restore([record("a")], { mayHold: true });
    await namespaces.reset(emptyServicePlan, 1);
    assert.equal(plane.toString(), "");
  });

  it("drops UDP flows that lead to endpoints which serve no more, and those from before the rules", async () => {
    const { namespaces, plane } = setUp();
    const dns = frontend(10, "default/fast", ["10.20.0.5"], { protocol: "UDP" });
    plane.flows.addFlow(udpFlow(4001, "10.20.0.5"));
    plane.flows.addFlow(udpFlow(4002, "10.20.0.9"));
    plane.flows.addFlow(udpFlow(4003, "10.96.0.10"));
    namespaces.attach(record("a"));
    await namespaces.reset(planOf(dns), 1);
    assert.match(plane.flows.toString(), /^UDP 10\.1\.0\.7 4001 [^\n]*\n$/);
  });

  it("opens another plane where the first one's worker is gone", async () => {
    const { namespaces, plane, clock, opened } = setUp();
    await namespaces.reset(planOf(web), 1);
    const gone = { errno: 0, code: "WORKER_GONE", operation: "load-ruleset", object: "somewhere" };
    plane.before = () => Promise.reject(new KernelError(gone));
    await assert.rejects(async () => namespaces.settle(record("a")), /WORKER_GONE/);
    plane.before = async () => {};
    clock.advance(LIMITS.planeRetryMinMs);
    await namespaces.settle(record("a"));
    assert.match(plane.toString(), /^ns-a /);
    assert.equal(opened(), 2);
  });

  it("close() closes the plane, and nothing runs any more", async () => {
    const { namespaces, plane, clock } = setUp();
    await namespaces.reset(planOf(web), 1);
    await namespaces.close();
    namespaces.attach(record("a"));
    clock.advance(LIMITS.podNamespacesCheckMs);
    assert.equal(plane.isClosed, true);
    assert.deepEqual(plane.calls, []);
  });
});

function setUp() {
  const clock = new FakeClock();
  const events: HostEvent[] = [];
  const plane = new FakeNamespacePlane();
  const holding: boolean[] = [];
  let count = 0;
  const namespaces = new PodNamespaces({
    clock,
    events: { emit: (event) => events.push(event) },
    open: async () => {
      count++;
      return plane;
    },
    isThere: async ({ identity }) => !plane.gone.has(identity),
    findServing: () => new Set(["10.20.0.5|8080"]),
    onHolding: (isAny) => holding.push(isAny),
  });
  const follow = (changes: PlanChanges) => {
    namespaces.follow(changes);
    return namespaces.apply(changes);
  };
  const opened = () => count;
  return { clock, events, plane, holding, namespaces, follow, opened };
}

function planOf(...frontends: readonly PlannedFrontend[]) {
  return { ...emptyServicePlan, frontends: new Map(frontends.map((each) => [each.key, each])) };
}

function frontend(
  last: number,
  network: string,
  addresses: readonly string[],
  { protocol = "TCP" }: { readonly protocol?: "TCP" | "UDP" } = {},
): PlannedFrontend {
  const address = text(`10.96.0.${last}`);
  const endpoints = addresses.map((each) => ({ address: text(each), port: 8080, weight: 1 }));
  const route: NetworkRoute = { kind: "forward", endpoints, pick: "random" };
  return {
    key: `${address}|${protocol}|80` as FrontendKey,
    family: 4,
    address,
    protocol,
    port: 80,
    kind: "clusterIP",
    service: `default/web${last}`,
    portName: "",
    inside: { kind: "reject" },
    outside: { kind: "reject" },
    masquerade: "nobody",
    countConnections: false,
    onNetwork: { network, route, closeTcpFlows: false },
  };
}

function record(pod: string, { network = "default/fast", ifname = "net1" } = {}): AttachmentRecord {
  const request = { pod: { namespace: "default", name: pod, uid: "" } };
  return {
    id: `${pod} ${network} ${ifname}` as AttachmentId,
    network,
    ifname,
    containerId: pod,
    netns: `/run/netns/${pod}` as NetnsPath,
    netnsIdentity: `ns-${pod}`,
    primaryId: `primary-${pod}` as AttachmentId,
    request,
    state: { kind: "attached", response: {} },
  } as unknown as AttachmentRecord;
}

function udpFlow(sourcePort: number, endpoint: string): Omit<Flow, "id"> {
  const [client, service, answer] = ["10.1.0.7", "10.96.0.10", endpoint].map(parseAddress);
  assert.ok(client && service && answer);
  return {
    family: 4,
    protocol: "UDP",
    original: { source: client, destination: service, sourcePort, destinationPort: 80 },
    reply: {
      source: answer,
      destination: client,
      sourcePort: endpoint === "10.96.0.10" ? 80 : 8080,
      destinationPort: sourcePort,
    },
  };
}
