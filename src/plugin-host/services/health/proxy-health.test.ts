import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Node } from "../../../services/objects.ts";
import { FakeClock } from "../../fake-clock.ts";
import { isNodeEligible, PENDING_MAX_MS, ProxyHealth } from "./proxy-health.ts";

const LONG_MS = PENDING_MAX_MS + 1;

function setUp() {
  const clock = new FakeClock();
  const health = new ProxyHealth(clock);
  return { clock, health, isHealthy: () => health.report().isHealthy };
}

describe("ProxyHealth", () => {
  it("is healthy while starting and while nothing happens", () => {
    const { clock, isHealthy } = setUp();
    assert.equal(isHealthy(), true);
    clock.advance(1000 * LONG_MS);
    assert.equal(isHealthy(), true);
  });

  it("is unhealthy once a change waits for longer than the timeout", () => {
    const { clock, health, isHealthy } = setUp();
    health.queued();
    clock.advance(PENDING_MAX_MS);
    assert.equal(isHealthy(), true);
    clock.advance(1);
    assert.equal(isHealthy(), false);
    health.programming()();
    assert.equal(isHealthy(), true);
  });

  it("counts from the oldest change, not from the newest", () => {
    const { clock, health, isHealthy } = setUp();
    health.queued();
    clock.advance(PENDING_MAX_MS);
    health.queued();
    clock.advance(1);
    assert.equal(isHealthy(), false);
  });

  it("an acknowledgement covers what was queued before its programming alone", () => {
    const { clock, health, isHealthy } = setUp();
    health.queued();
    const acknowledge = health.programming();
    clock.advance(10);
    health.queued();
    clock.advance(10);
    acknowledge();
    clock.advance(PENDING_MAX_MS - 10);
    assert.equal(isHealthy(), true);
    clock.advance(1);
    assert.equal(isHealthy(), false);
  });

  it("a programming that fails leaves its changes pending, and the next one covers them", () => {
    const { clock, health, isHealthy } = setUp();
    health.queued();
    const failed = health.programming();
    clock.advance(LONG_MS);
    assert.equal(isHealthy(), false);
    const acknowledge = health.programming();
    failed();
    assert.equal(isHealthy(), false);
    acknowledge();
    assert.equal(isHealthy(), true);
  });

  it("says now as last update while healthy, and the last acknowledgement while not", () => {
    const { clock, health } = setUp();
    health.queued();
    health.programming()();
    const acknowledgedMs = clock.wallMs();
    clock.advance(5);
    assert.equal(health.report().lastUpdatedMs, clock.wallMs());
    health.queued();
    clock.advance(LONG_MS);
    const { lastUpdatedMs, currentMs } = health.report();
    assert.deepEqual([lastUpdatedMs, currentMs], [acknowledgedMs, clock.wallMs()]);
  });

  it("is not moved by a jump of the wall clock", () => {
    const { clock, health, isHealthy } = setUp();
    health.queued();
    clock.jump(10 * LONG_MS);
    assert.equal(isHealthy(), true);
  });
});

const NODE: Node = { kind: "Node", metadata: { name: "a", namespace: "" } };
const CASES: readonly (readonly [string, Node, boolean])[] = [
  ["a plain node", NODE, true],
  [
    "a node being deleted",
    { ...NODE, metadata: { ...NODE.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } },
    false,
  ],
  [
    "a node that the autoscaler removes",
    { ...NODE, spec: { taints: [{ key: "a" }, { key: "ToBeDeletedByClusterAutoscaler" }] } },
    false,
  ],
  ["a node with another taint", { ...NODE, spec: { taints: [{ key: "NoRoom" }] } }, true],
];

describe("isNodeEligible()", () => {
  for (const [name, node, expected] of CASES) {
    it(`${expected ? "accepts" : "refuses"} ${name}`, () => {
      assert.equal(isNodeEligible(node), expected);
      const { health } = setUp();
      health.setNode(node);
      assert.equal(health.report().isNodeEligible, expected);
      health.setNode(undefined);
      assert.equal(health.report().isNodeEligible, true);
    });
  }
});
