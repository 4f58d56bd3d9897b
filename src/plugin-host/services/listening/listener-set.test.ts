import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../fake-clock.ts";
import { type ListenerEvent, ListenerSet, type ListenerSpec, RETRY_MS } from "./listener-set.ts";

interface Spec extends ListenerSpec {
  readonly port: number;
}

/** Ports of a machine on which others live too. */
class FakePorts {
  readonly taken = new Set<number>();
  opens = 0;

  async open(spec: Spec) {
    await Promise.resolve();
    this.opens += 1;
    if (this.taken.has(spec.port)) {
      throw Object.assign(new Error(`port ${spec.port} is taken`), { code: "EADDRINUSE" });
    }
    this.taken.add(spec.port);
    await Promise.resolve();
    return { close: () => this.taken.delete(spec.port) };
  }
}

function setUp(listenersMax = 10) {
  const ports = new FakePorts();
  const clock = new FakeClock();
  const events: ListenerEvent[] = [];
  const set = new ListenerSet<Spec>((spec) => ports.open(spec), {
    clock,
    onEvent: (event) => events.push(event),
    listenersMax,
  });
  return { ports, clock, events, set };
}

function specs(...ports: readonly number[]): ReadonlyMap<string, Spec> {
  return new Map(ports.map((port) => [`${port}`, { key: `${port}`, port }]));
}

describe("ListenerSet", () => {
  it("reconcile() opens and closes only what changed", async () => {
    const { ports, events, set } = setUp();
    set.reconcile(specs(1, 2));
    await set.settled();
    set.reconcile(specs(2, 3));
    await set.settled();
    assert.deepEqual([...ports.taken], [2, 3]);
    assert.deepEqual(set.openKeys(), ["2", "3"]);
    assert.equal(ports.opens, 3);
    assert.deepEqual(events, []);
    await set.close();
    assert.deepEqual([...ports.taken], []);
  });

  it("reports a taken port once, tries it again, and harms no other", async () => {
    const { ports, clock, events, set } = setUp();
    ports.taken.add(1);
    set.reconcile(specs(1, 2));
    await set.settled();
    assert.deepEqual(set.openKeys(), ["2"]);
    clock.advance(RETRY_MS);
    await set.settled();
    assert.deepEqual(
      events.map((event) => event.kind),
      ["failed"],
    );
    ports.taken.delete(1);
    clock.advance(RETRY_MS);
    await set.settled();
    assert.deepEqual(set.openKeys(), ["1", "2"]);
    assert.deepEqual(events, [
      { kind: "failed", key: "1", code: "EADDRINUSE", message: "port 1 is taken" },
      { kind: "recovered", key: "1" },
    ]);
    await set.close();
  });

  it("tries a taken port no more once nobody wants it", async () => {
    const { ports, clock, set } = setUp();
    ports.taken.add(1);
    set.reconcile(specs(1));
    await set.settled();
    set.reconcile(specs());
    clock.advance(10 * RETRY_MS);
    await set.settled();
    assert.equal(ports.opens, 1);
    assert.equal(clock.nextTimerMs(), undefined);
  });

  it("gets a port that is dropped and wanted again while it opens", async () => {
    const { events, set } = setUp();
    set.reconcile(specs(1));
    await Promise.resolve();
    set.reconcile(specs());
    set.reconcile(specs(1));
    await set.settled();
    assert.deepEqual(set.openKeys(), ["1"]);
    assert.deepEqual(events, []);
    await set.close();
  });

  it("keeps what is over the limit waiting until there is room", async () => {
    const { events, set } = setUp(2);
    set.reconcile(specs(1, 2, 3, 4));
    await set.settled();
    assert.deepEqual(set.openKeys(), ["1", "2"]);
    set.change({ put: [], remove: ["1"] });
    await set.settled();
    assert.deepEqual(set.openKeys(), ["2", "3"]);
    assert.deepEqual(events, [
      { kind: "over-limit", count: 2 },
      { kind: "over-limit", count: 1 },
    ]);
    await set.close();
  });

  it("close() waits for what is being opened and closes it", async () => {
    const { ports, set } = setUp();
    set.reconcile(specs(1));
    await set.close();
    assert.deepEqual([...ports.taken], []);
  });
});
