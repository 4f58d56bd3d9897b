import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import fc from "fast-check";
import type { Conntrack, Flow, FlowFilter } from "../../../kernel/conntrack.ts";
import type { FrontendKey, Protocol } from "../../../services/model.ts";
import { FakeConntrack } from "../../../kernel/fake-conntrack.ts";
import { FakeClock } from "../../fake-clock.ts";
import { makeFlow, makeFrontend } from "./fake-flows.ts";
import {
  BACKOFF_MAX_MS,
  BACKOFF_MS,
  CONNTRACK_MS,
  type FlowEvent,
  FlowReconciler,
  type FlowsSynced,
} from "./flow-reconciler.ts";

const VIP = makeFrontend("10.96.0.10|53");
const OTHER = makeFrontend("10.96.0.11|53");
const OLD = "10.1.0.4|53";
const NEW = "10.1.0.5|53";

/** FakeConntrack with something before each call, which may throw, wait or change things. */
class HookedConntrack implements Conntrack {
  readonly kernel = new FakeConntrack();
  readonly calls: string[] = [];
  before: (call: "flows" | "remove") => Promise<void> | void = () => {};
  running = 0;
  runningMax = 0;

  flows(filter: FlowFilter, keep?: (flow: Flow) => boolean): Promise<readonly Flow[]> {
    this.calls.push(`flows ${filter.family} ${filter.protocol}`);
    return this.#run("flows", () => this.kernel.flows(filter, keep));
  }

  remove(flows: readonly Flow[]): Promise<number> {
    this.calls.push(`remove ${flows.map(({ id }) => id).join(" ")}`);
    return this.#run("remove", () => this.kernel.remove(flows));
  }

  close(): Promise<void> {
    return this.kernel.close();
  }

  async #run<T>(call: "flows" | "remove", work: () => Promise<T>): Promise<T> {
    this.running += 1;
    this.runningMax = Math.max(this.running, this.runningMax);
    try {
      await this.before(call);
      return await work();
    } finally {
      this.running -= 1;
    }
  }
}

function setUp(context?: TestContext) {
  const conntrack = new HookedConntrack();
  const clock = new FakeClock();
  const serving = new Map<FrontendKey, ReadonlySet<string>>();
  const synced: FlowsSynced[] = [];
  const events: FlowEvent[] = [];
  const reconciler = new FlowReconciler({
    conntrack,
    clock,
    findServing: (key) => serving.get(key),
    onSynced: (one) => synced.push(one),
    onEvent: (event) => events.push(event),
  });
  context?.after(() => reconciler.close());
  const add = (...flows: readonly Parameters<typeof makeFlow>[0][]) => {
    for (const fields of flows) conntrack.kernel.addFlow(makeFlow(fields));
  };
  /** FakeConntrack numbers flows in the order of their adding, from 1. */
  const ids = async () => {
    const of = (protocol: Protocol) => conntrack.kernel.flows({ family: 4, protocol });
    return [...(await of("TCP")), ...(await of("UDP"))].map(({ id }) => id);
  };
  return { conntrack, clock, serving, synced, events, reconciler, add, ids };
}

describe("FlowReconciler", () => {
  it("update() deletes what leads to no serving endpoint, and nothing else", async (context) => {
    const { serving, synced, reconciler, add, ids } = setUp(context);
    add(
      { to: "10.96.0.10|53", by: OLD },
      { to: "10.96.0.10|53", by: NEW, client: "10.9.0.1|40001" },
      { to: "10.96.0.10|53", client: "10.9.0.1|40002" },
      { to: "10.96.0.11|53", by: OLD },
      { to: "8.8.8.8|53" },
    );
    serving.set(VIP.key, new Set([NEW]));
    reconciler.update([VIP]);
    await reconciler.settled();
    assert.deepEqual(await ids(), [2, 4, 5]);
    assert.deepEqual(synced, [
      { family: 4, protocol: "UDP", seconds: 0, frontends: 1, listed: 5, deleted: 2 },
    ]);
  });

  it("deletes all flows of a frontend that is gone", async (context) => {
    const { reconciler, add, ids } = setUp(context);
    add({ to: "10.96.0.10|53", by: OLD });
    reconciler.update([VIP]);
    await reconciler.settled();
    assert.deepEqual(await ids(), []);
  });

  it("does not ask the kernel to delete when nothing is stale", async (context) => {
    const { conntrack, serving, synced, reconciler, add } = setUp(context);
    add({ to: "10.96.0.10|53", by: OLD });
    serving.set(VIP.key, new Set([OLD]));
    reconciler.update([VIP]);
    await reconciler.settled();
    assert.deepEqual(conntrack.calls, ["flows 4 UDP"]);
    assert.equal(synced[0]?.deleted, 0);
  });

  it("leaves TCP alone unless asked to", async (context) => {
    const tcp = makeFrontend("10.96.0.10|80", "TCP");
    const asked = { ...makeFrontend("10.96.0.11|80", "TCP"), closeTcpFlows: true } as const;
    const { reconciler, add, ids } = setUp(context);
    add(
      { to: "10.96.0.10|80", by: OLD, protocol: "TCP" },
      { to: "10.96.0.11|80", by: OLD, protocol: "TCP" },
    );
    reconciler.update([tcp, asked]);
    await reconciler.settled();
    assert.deepEqual(await ids(), [1]);
  });

  it("lists once for each family and protocol, and what comes meanwhile in the next round", async (context) => {
    const { conntrack, reconciler } = setUp(context);
    const ipv6 = makeFrontend("fd96::10|53");
    let more = [VIP, OTHER];
    conntrack.before = () => {
      reconciler.update(more);
      more = [];
    };
    reconciler.update([VIP, OTHER, ipv6]);
    await reconciler.settled();
    assert.deepEqual(conntrack.calls, ["flows 4 UDP", "flows 6 UDP", "flows 4 UDP"]);
    assert.equal(conntrack.runningMax, 1);
  });

  it("leaves a flow to an endpoint that came while it listed", async (context) => {
    const { conntrack, serving, reconciler, add, ids } = setUp(context);
    serving.set(VIP.key, new Set());
    conntrack.before = (call) => {
      if (call !== "flows") return;
      serving.set(VIP.key, new Set([NEW]));
      add({ to: "10.96.0.10|53", by: NEW });
    };
    reconciler.update([VIP]);
    await reconciler.settled();
    assert.deepEqual(await ids(), [1]);
  });

  it("leaves a flow that took the tuple of a stale one between listing and deletion", async (context) => {
    const { conntrack, serving, synced, reconciler, add, ids } = setUp(context);
    add({ to: "10.96.0.10|53", by: OLD });
    serving.set(VIP.key, new Set([NEW]));
    conntrack.before = (call) => {
      if (call !== "remove") return;
      add({ to: "10.96.0.10|53", by: NEW });
    };
    reconciler.update([VIP]);
    await reconciler.settled();
    assert.deepEqual(await ids(), [2]);
    assert.equal(synced[0]?.deleted, 0);
  });

  it("tries a failed round again with growing pauses, together with what came meanwhile", async (context) => {
    const { conntrack, clock, events, reconciler, add, ids } = setUp(context);
    add({ to: "10.96.0.10|53", by: OLD }, { to: "10.96.0.11|53", by: OLD });
    let failures = 9;
    conntrack.before = (call) => {
      if (call === "remove" && failures-- > 0) throw new Error("no");
    };
    reconciler.update([VIP]);
    const pauses: number[] = [];
    for (let attempt = 1; attempt <= 9; attempt++) {
      await untilPaused(clock, () => events.length === attempt);
      const event = events.at(-1);
      assert.ok(event?.kind === "failed");
      pauses.push(event.retryMs);
      if (attempt === 1) reconciler.update([OTHER]);
      clock.advance(event.retryMs - 1);
      assert.equal(events.length, attempt);
      clock.advance(1);
    }
    await reconciler.settled();
    assert.deepEqual(
      pauses,
      [1, 2, 4, 8, 16, 32, 60, 60, 60].map((factor) => factor * BACKOFF_MS),
    );
    assert.equal(pauses.at(-1), BACKOFF_MAX_MS);
    assert.deepEqual(await ids(), []);
  });

  it("gives a listing that hangs a deadline", async (context) => {
    const { conntrack, clock, events, reconciler } = setUp(context);
    const hung = Promise.withResolvers<void>();
    conntrack.before = () => hung.promise;
    reconciler.update([VIP]);
    await untilPaused(clock, () => conntrack.calls.length === 1);
    clock.advance(CONNTRACK_MS);
    await untilPaused(clock, () => events.length === 1);
    const [event] = events;
    assert.ok(event?.kind === "failed" && event.error instanceof Error);
    assert.match(event.error.message, /Listing IPv4 UDP flows took longer/);
    hung.resolve();
    clock.advance(BACKOFF_MS);
    await reconciler.settled();
  });

  it("close() ends a pause and forgets what waits", async () => {
    const { conntrack, clock, events, reconciler } = setUp();
    conntrack.before = () => {
      throw new Error("no");
    };
    reconciler.update([VIP]);
    await untilPaused(clock, () => events.length === 1);
    await reconciler.close();
    reconciler.update([OTHER]);
    await reconciler.settled();
    assert.equal(clock.nextTimerMs(), undefined);
    assert.deepEqual(conntrack.calls, ["flows 4 UDP"]);
  });

  it("takes what comes as a round ends", async (context) => {
    const { conntrack, reconciler, synced } = setUp(context);
    const turns = fc.sample(fc.nat(20), { numRuns: 30, seed: 1 });
    for (const wait of turns) {
      reconciler.update([VIP]);
      for (let turn = 0; turn < wait; turn++) await Promise.resolve();
      const before = conntrack.calls.length;
      reconciler.update([OTHER]);
      await reconciler.settled();
      assert.ok(conntrack.calls.length > before || synced.at(-1)?.frontends === 2);
    }
  });

  it("finds a hundred stale flows among ten thousand", async (context) => {
    const { serving, reconciler, add, ids } = setUp(context);
    serving.set(VIP.key, new Set([NEW]));
    for (let id = 1; id <= 10_000; id++) {
      const client = `10.9.${id >> 8}.${id & 255}|40000`;
      add({ client, to: "10.96.0.10|53", by: id % 100 ? NEW : OLD });
    }
    reconciler.update([VIP]);
    await reconciler.settled();
    const left = await ids();
    assert.equal(left.length, 9_900);
    assert.ok(left.every((id) => id % 100 !== 0));
  });
});

/** Lets promises pass until the reconciler waits and the condition holds. */
async function untilPaused(clock: FakeClock, holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 200 && !(holds() && clock.nextTimerMs() !== undefined); turn++) {
    await Promise.resolve();
  }
  assert.ok(holds());
}
