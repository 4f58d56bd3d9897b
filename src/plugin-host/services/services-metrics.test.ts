import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Registry } from "prom-client";
import { createServiceTable } from "../../services/service-table.ts";
import { FakeClock } from "../fake-clock.ts";
import { settled } from "../fake-host-world.ts";
import { FakeServicePlane } from "./fake-service-plane.ts";
import { ServicesCore } from "./services-core.ts";
import { plainFacts, serviceChange } from "./services-fixture.ts";
import { createServicesMetrics } from "./services-metrics.ts";

function setUp() {
  const clock = new FakeClock();
  const registry = new Registry();
  const table = createServiceTable(plainFacts);
  const metrics = createServicesMetrics({
    registry,
    wallMs: () => clock.wallMs(),
    revision: () => core.revision,
    programmedRevision: () => core.programmedRevision,
    plan: () => table.plan(),
    connectionCounts: () => core.connectionCounts(),
  });
  const core: ServicesCore = new ServicesCore({ clock, events: { emit() {} }, table, metrics });
  const plane = new FakeServicePlane();
  core.addPlane(plane, { isRequired: true, version: "1" });
  const read = async (name: string) =>
    (await registry.metrics()).split("\n").filter((line) => line.startsWith(name));
  return { clock, core, plane, metrics, read };
}

describe("createServicesMetrics()", () => {
  it("has kube-proxy's names", async () => {
    const { read } = setUp();
    const names = new Set((await read("# TYPE kubeproxy_")).map((line) => line.split(" ")[2]));
    for (const name of [
      "network_programming_duration_seconds",
      "sync_proxy_rules_duration_seconds",
      "sync_full_proxy_rules_duration_seconds",
      "sync_partial_proxy_rules_duration_seconds",
      "sync_proxy_rules_last_timestamp_seconds",
      "sync_proxy_rules_last_queued_timestamp_seconds",
      "sync_proxy_rules_endpoint_changes_pending",
      "sync_proxy_rules_endpoint_changes_total",
      "sync_proxy_rules_service_changes_pending",
      "sync_proxy_rules_service_changes_total",
      "sync_proxy_rules_no_local_endpoints_total",
      "sync_proxy_rules_nftables_sync_failures_total",
      "proxy_healthz_total",
      "proxy_livez_total",
      "conntrack_reconciler_sync_duration_seconds",
      "conntrack_reconciler_deleted_entries_total",
    ]) {
      assert.ok(names.has(`kubeproxy_${name}`), name);
    }
  });

  it("counts what arrives, waits and is programmed, by family", async () => {
    const { core, plane, read } = setUp();
    core.applyModel("a", serviceChange(1, ["10.1.0.1"]));
    await settled();
    const gate = Promise.withResolvers<void>();
    plane.before = () => gate.promise;
    core.applyModel("a", serviceChange(2, ["10.1.0.1"]));
    await settled();
    const pending = 'kubeproxy_sync_proxy_rules_service_changes_pending{ip_family="IPv4"}';
    assert.deepEqual(await read(pending), [`${pending} 1`]);
    gate.resolve();
    await settled();
    assert.deepEqual(await read(pending), [`${pending} 0`]);
    const total = 'kubeproxy_sync_proxy_rules_service_changes_total{ip_family="IPv4"}';
    assert.deepEqual(await read(total), [`${total} 2`]);
    const partial = "kubeproxy_sync_partial_proxy_rules_duration_seconds_count";
    assert.deepEqual(await read(partial), [`${partial}{ip_family="IPv4"} 1`]);
    assert.deepEqual(await read("patchbay_services_revision"), [
      'patchbay_services_revision{state="planned"} 2',
      'patchbay_services_revision{state="programmed"} 2',
    ]);
  });

  const SUM = 'kubeproxy_network_programming_duration_seconds_sum{ip_family="IPv4"}';
  for (const { agoMs, seconds, what } of [
    { agoMs: 3_000, seconds: [`${SUM} 3`], what: "of endpoints to their programming" },
    { agoMs: 5_001, seconds: [], what: "alone that the host has seen" },
  ]) {
    it(`measures from the trigger time ${what}`, async () => {
      const { core, clock, read } = setUp();
      clock.advance(5_000);
      const trigger = new Date(clock.wallMs() - agoMs).toISOString();
      core.applyObjects("a", [
        {
          kind: "put",
          object: {
            kind: "Service",
            metadata: { name: "web", namespace: "ns" },
            spec: { clusterIP: "10.96.0.1", clusterIPs: ["10.96.0.1"], ports: [{ port: 80 }] },
          },
        },
        {
          kind: "put",
          object: {
            kind: "EndpointSlice",
            metadata: {
              name: "web-1",
              namespace: "ns",
              labels: { "kubernetes.io/service-name": "web" },
              annotations: { "endpoints.kubernetes.io/last-change-trigger-time": trigger },
            },
            addressType: "IPv4",
            endpoints: [{ addresses: ["10.1.0.1"] }],
            ports: [{ port: 8080 }],
          },
        },
      ]);
      await settled();
      assert.deepEqual(await read(SUM), seconds);
    });
  }

  it("counts failures", async () => {
    const { core, plane, read } = setUp();
    plane.before = () => Promise.reject(new Error("EIO"));
    core.applyModel("a", serviceChange(1, ["10.1.0.1"]));
    await settled();
    const name = 'kubeproxy_sync_proxy_rules_nftables_sync_failures_total{ip_family="IPv4"}';
    assert.deepEqual(await read(name), [`${name} 1`]);
  });

  it("counts connections of Services that ask for it, and Services without an endpoint here", async () => {
    const { core, plane, read } = setUp();
    const [frontend] = serviceChange(1, []).putFrontends;
    assert.ok(frontend);
    const policy = { ...frontend.policy, countConnections: true, internalTrafficPolicy: "Local" };
    core.applyModel("a", serviceChange(1, ["10.1.0.1"], { policy: policy as never }));
    core.applyModel("a", serviceChange(2, ["10.1.0.1"]));
    await settled();
    plane.counts.set("10.96.0.1|TCP|80" as never, 7n);
    plane.counts.set("10.96.0.2|TCP|80" as never, 9n);
    assert.deepEqual(await read("patchbay_service_connections_total"), [
      'patchbay_service_connections_total{service="test/web1",frontend="clusterIP 10.96.0.1:80/TCP"} 7',
    ]);
    const local = "kubeproxy_sync_proxy_rules_no_local_endpoints_total";
    const internal = `${local}{ip_family="IPv4",traffic_policy="internal"}`;
    assert.ok((await read(local)).includes(`${internal} 1`));
  });
});
