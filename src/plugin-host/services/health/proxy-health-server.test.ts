import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { FakeClock } from "../../fake-clock.ts";
import type { ListenerEvent } from "../listening/listener-set.ts";
import { PENDING_MAX_MS, ProxyHealth } from "./proxy-health.ts";
import { type HealthzAnswered, ProxyHealthServer } from "./proxy-health-server.ts";

const PLACE = { address: "127.0.0.1", port: 0 };

async function setUp(context: TestContext) {
  const clock = new FakeClock();
  const health = new ProxyHealth(clock);
  const answered: HealthzAnswered[] = [];
  const events: ListenerEvent[] = [];
  const server = new ProxyHealthServer(health, {
    clock,
    onAnswer: (answer) => answered.push(answer),
    onEvent: (event) => events.push(event),
  });
  context.after(() => server.close());
  await server.update(PLACE);
  const ask = async (path: string) => {
    const response = await fetch(`http://${PLACE.address}:${server.port()}${path}`);
    return { code: response.status, text: await response.text() };
  };
  return { clock, health, answered, events, server, ask };
}

describe("ProxyHealthServer", () => {
  it("answers both paths while healthy", async (context) => {
    const { clock, answered, ask } = await setUp(context);
    const now = new Date(clock.wallMs()).toISOString();
    const healthz = await ask("/healthz");
    assert.equal(healthz.code, 200);
    assert.deepEqual(JSON.parse(healthz.text), {
      lastUpdated: now,
      currentTime: now,
      nodeEligible: true,
    });
    const livez = await ask("/livez");
    assert.equal(livez.code, 200);
    assert.deepEqual(JSON.parse(livez.text), { lastUpdated: now, currentTime: now });
    assert.equal((await ask("/")).code, 404);
    assert.deepEqual(answered, [
      { path: "/healthz", code: 200 },
      { path: "/livez", code: 200 },
    ]);
  });

  it("answers 503 on both while a change waits too long", async (context) => {
    const { clock, health, answered, ask } = await setUp(context);
    const startedMs = clock.wallMs();
    health.queued();
    clock.advance(PENDING_MAX_MS + 1);
    assert.equal((await ask("/healthz")).code, 503);
    const livez = await ask("/livez");
    assert.equal(livez.code, 503);
    assert.equal(JSON.parse(livez.text).lastUpdated, new Date(startedMs).toISOString());
    assert.deepEqual(answered, [
      { path: "/healthz", code: 503 },
      { path: "/livez", code: 503 },
    ]);
  });

  it("answers 503 on /healthz alone while the node goes away", async (context) => {
    const { health, ask } = await setUp(context);
    health.setNode({
      kind: "Node",
      metadata: { name: "a", namespace: "", deletionTimestamp: "2026-01-01T00:00:00Z" },
    });
    const healthz = await ask("/healthz");
    assert.equal(healthz.code, 503);
    assert.equal(JSON.parse(healthz.text).nodeEligible, false);
    assert.equal((await ask("/livez")).code, 200);
  });

  it("reports a port that is taken, and stops serving when told", async (context) => {
    const { events, server } = await setUp(context);
    const port = server.port();
    assert.ok(port !== undefined);
    const second = await setUp(context);
    await second.server.update({ address: PLACE.address, port });
    assert.equal(second.server.port(), undefined);
    assert.equal(second.events[0]?.kind, "failed");
    await server.update(undefined);
    assert.equal(server.port(), undefined);
    assert.deepEqual(events, []);
    await assert.rejects(fetch(`http://${PLACE.address}:${port}/livez`));
  });
});
