import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type ResourceName, watchedResources } from "../resources.ts";
import type { Kept } from "./kept.ts";
import { sameKept } from "./same-kept.ts";

type Json = Readonly<Record<string, unknown>>;

const RESOURCES = new Map(watchedResources("one").map((each) => [each.name, each]));

function keep(name: ResourceName, metadata: Json, rest: Json = {}): Kept {
  const full = { name: "web", namespace: "default", uid: "u1", resourceVersion: "7", ...metadata };
  const kept = RESOURCES.get(name)?.keep({ metadata: full, ...rest });
  assert.ok(kept !== undefined && kept.kind !== "unreadable");
  return kept;
}

const later = { resourceVersion: "8" };
const spec = { clusterIP: "10.96.0.1" };

describe("sameKept()", () => {
  it("is true of objects that differ in what nobody reads", () => {
    const status = { conditions: [{ type: "Ready", status: "True" }] };
    const pairs: readonly (readonly [Kept, Kept])[] = [
      [keep("services", {}, { spec }), keep("services", later, { spec })],
      [keep("nodes (others)", {}), keep("nodes (others)", { ...later, annotations: { a: "b" } })],
      [keep("nodes (own)", {}, {}), keep("nodes (own)", later, { status })],
      [keep("pods", {}), keep("pods", { ...later, labels: { a: "b" } })],
      [JSON.parse(JSON.stringify(keep("pods", {}))) as Kept, keep("pods", {})],
    ];
    for (const [left, right] of pairs) assert.equal(sameKept(left, right), true, left.key);
  });

  it("is false of others", () => {
    const unavailable = { conditions: [{ type: "NetworkUnavailable", status: "True" }] };
    const pairs: readonly (readonly [Kept, Kept])[] = [
      [keep("services", {}, { spec }), keep("services", { uid: "u2" }, { spec })],
      [
        keep("services", {}, { spec }),
        keep("services", later, { spec: { clusterIP: "10.96.0.2" } }),
      ],
      [keep("nodes (others)", {}), keep("nodes (others)", { labels: { a: "b" } })],
      [keep("nodes (own)", {}), keep("nodes (own)", later, { status: unavailable })],
      [keep("nodes (own)", {}), keep("nodes (others)", {})],
      [keep("pods", {}), keep("pods", { uid: "u2" })],
      [keep("pods", {}), keep("pods", { deletionTimestamp: "2026-11-21T20:41:29Z" })],
      [keep("pods", {}), keep("services", {}, { spec })],
    ];
    for (const [left, right] of pairs) assert.equal(sameKept(left, right), false, left.key);
  });
});
