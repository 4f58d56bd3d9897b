import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { StepName } from "./core/steps.ts";
import { createMetrics, serveMetrics } from "./metrics.ts";

const SOURCES = { attachments: () => 7, running: () => 2, waiting: () => 1 };

test("createMetrics() counts calls by verb and outcome, steps, events and writes", async () => {
  const metrics = createMetrics(SOURCES, undefined);
  const add = metrics.trace.begin("ADD");
  add.reached("add.admitted");
  add.reached("add.planned");
  add.end("ok");
  metrics.trace.begin("ADD").end("error");
  metrics.countEvent({ kind: "attached", subject: "x", message: "" });
  metrics.countEvent({ kind: "attached", subject: "y", message: "" });
  metrics.countWrite("network-status", "written");
  const text = await metrics.registry.metrics();
  for (const line of [
    'patchbay_call_duration_seconds_count{verb="ADD",outcome="ok"} 1',
    'patchbay_call_duration_seconds_count{verb="ADD",outcome="error"} 1',
    'patchbay_step_duration_seconds_count{step="add.admitted"} 1',
    'patchbay_step_duration_seconds_count{step="add.planned"} 1',
    'patchbay_events_total{kind="attached"} 2',
    'patchbay_kubernetes_writes_total{kind="network-status",outcome="written"} 1',
    "patchbay_attachments 7",
    "patchbay_calls_running 2",
    "patchbay_calls_waiting 1",
  ]) {
    assert.ok(text.split("\n").includes(line), `${line} is not in\n${text}`);
  }
  assert.match(text, /^process_resident_memory_bytes \d+$/m);
});

test("createMetrics() tells of each step, in order", () => {
  const steps: StepName[] = [];
  const { trace } = createMetrics(SOURCES, (step) => steps.push(step));
  const call = trace.begin("DEL");
  call.reached("del.admitted");
  call.reached("del.marked");
  assert.deepEqual(steps, ["del.admitted", "del.marked"]);
});

test("serveMetrics() serves /metrics on the loopback alone, and nothing else", async () => {
  const server = await serveMetrics(createMetrics(SOURCES, undefined).registry, 0);
  const { address, port } = server.address() as AddressInfo;
  assert.equal(address, "127.0.0.1");
  const url = `http://127.0.0.1:${port}`;
  const good = await fetch(`${url}/metrics`);
  assert.equal(good.status, 200);
  assert.match(good.headers.get("content-type") ?? "", /^text\/plain/);
  assert.match(await good.text(), /patchbay_attachments 7/);
  for (const [path, method] of [
    ["/", "GET"],
    ["/metrics/", "GET"],
    ["/metrics", "POST"],
  ] as const) {
    const bad = await fetch(`${url}${path}`, { method });
    assert.equal(bad.status, 404, `${method} ${path}`);
    await bad.text();
  }
  await assert.rejects(serveMetrics(createMetrics(SOURCES, undefined).registry, port), {
    code: "EADDRINUSE",
  });
  server.closeAllConnections();
  server.close();
});
