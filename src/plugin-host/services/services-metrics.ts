import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { Family } from "../../ip/address.ts";
import type { FrontendKey } from "../../services/model.ts";
import type { PlanChanges, ServicePlan } from "../../services/plan-types.ts";
import type { QueuedChanges, ServicesMetrics } from "./services-core.ts";

/** What is read when somebody asks. */
export interface ServicesMetricSources {
  readonly revision: () => number;
  readonly programmedRevision: () => number;
  readonly plan: () => ServicePlan;
  readonly connectionCounts: () => Promise<ReadonlyMap<FrontendKey, bigint>>;
}

export interface ServicesMetricsOptions extends ServicesMetricSources {
  readonly registry: Registry;
  readonly wallMs: () => number;
}

/** Metrics of Services, and what those beside the core count. */
export interface AllServicesMetrics extends ServicesMetrics {
  healthAnswered(answered: { readonly path: "/healthz" | "/livez"; readonly code: number }): void;
  flowsSynced(synced: {
    readonly family: Family;
    readonly seconds: number;
    readonly deleted: number;
  }): void;
}

/** As upstream: pkg/proxy/metrics. */
const FAMILIES = { 4: "IPv4", 6: "IPv6" } as const;
const SYNC_SECONDS = exponential(0.0001, 2, 20);
const PROGRAMMING_SECONDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300,
];

/**
 * kube-proxy's metrics by kube-proxy's names (pkg/proxy/metrics), so that dashboards and alerts go
 * on; and two of our own. One call programs both families: what it took counts for each that changed.
 */
export function createServicesMetrics(options: ServicesMetricsOptions): AllServicesMetrics {
  const { registry, wallMs } = options;
  const startedMs = wallMs();
  const registers = [registry];
  const labelNames = ["ip_family"] as const;
  const histogram = (name: string, help: string, buckets: readonly number[]) =>
    new Histogram({ name, help, labelNames, buckets: [...buckets], registers });
  const gauge = (name: string, help: string) => new Gauge({ name, help, labelNames, registers });
  const counter = (name: string, help: string) =>
    new Counter({ name, help, labelNames, registers });

  const prefix = "kubeproxy_sync_proxy_rules";
  const programming = histogram(
    "kubeproxy_network_programming_duration_seconds",
    "Time from a change of endpoints (last-change-trigger-time) to its programming",
    PROGRAMMING_SECONDS,
  );
  const all = histogram(`${prefix}_duration_seconds`, "Duration of programming", SYNC_SECONDS);
  const full = histogram(
    "kubeproxy_sync_full_proxy_rules_duration_seconds",
    "Duration of programming the whole plan",
    SYNC_SECONDS,
  );
  const partial = histogram(
    "kubeproxy_sync_partial_proxy_rules_duration_seconds",
    "Duration of programming a difference",
    SYNC_SECONDS,
  );
  const lastTime = gauge(`${prefix}_last_timestamp_seconds`, "When something was programmed last");
  const queuedTime = gauge(`${prefix}_last_queued_timestamp_seconds`, "When a change arrived last");
  const endpointsTotal = counter(`${prefix}_endpoint_changes_total`, "Changes of endpoints");
  const servicesTotal = counter(`${prefix}_service_changes_total`, "Changes of Services");
  const endpointsPending = gauge(
    `${prefix}_endpoint_changes_pending`,
    "Changes of endpoints that wait for programming",
  );
  const servicesPending = gauge(
    `${prefix}_service_changes_pending`,
    "Changes of Services that wait for programming",
  );
  const failures = counter(
    `${prefix}_nftables_sync_failures_total`,
    "Programming that failed and was followed by the whole plan",
  );
  addNoLocalEndpoints(options);
  addConnections(options);
  addRevisions(options);
  const healthz = answers(registry, "kubeproxy_proxy_healthz_total");
  const livez = answers(registry, "kubeproxy_proxy_livez_total");
  const flowSeconds = histogram(
    "kubeproxy_conntrack_reconciler_sync_duration_seconds",
    "Duration of looking for flows that lead nowhere",
    SYNC_SECONDS,
  );
  const flowsDeleted = counter(
    "kubeproxy_conntrack_reconciler_deleted_entries_total",
    "Flows deleted",
  );

  let touched = new Set<Family>();
  return {
    queued(changes: QueuedChanges) {
      for (const family of [4, 6] as const) {
        const label = FAMILIES[family];
        const { services, endpoints } = changes[family];
        if (services + endpoints === 0) continue;
        queuedTime.set({ ip_family: label }, wallMs() / 1_000);
        servicesTotal.inc({ ip_family: label }, services);
        endpointsTotal.inc({ ip_family: label }, endpoints);
        servicesPending.inc({ ip_family: label }, services);
        endpointsPending.inc({ ip_family: label }, endpoints);
      }
    },
    taken({ changes }) {
      touched = touched.union(familiesOf(changes));
    },
    nothingPending() {
      for (const ip_family of Object.values(FAMILIES)) {
        servicesPending.set({ ip_family }, 0);
        endpointsPending.set({ ip_family }, 0);
      }
    },
    called({ kind, ok, ms, triggeredMs }) {
      const families = kind === "reset" ? ([4, 6] as const) : [...touched];
      for (const family of families) {
        const ip_family = FAMILIES[family];
        if (!ok) {
          failures.inc({ ip_family });
          continue;
        }
        all.observe({ ip_family }, ms / 1_000);
        (kind === "reset" ? full : partial).observe({ ip_family }, ms / 1_000);
        lastTime.set({ ip_family }, wallMs() / 1_000);
        for (const triggered of triggeredMs) {
          // As upstream: what changed before there was anybody to program it took no time here.
          if (triggered < startedMs) continue;
          programming.observe({ ip_family }, Math.max(0, wallMs() - triggered) / 1_000);
        }
      }
      touched = new Set();
    },
    healthAnswered({ path, code }) {
      (path === "/healthz" ? healthz : livez).inc({ code: String(code) });
    },
    flowsSynced({ family, seconds, deleted }) {
      const ip_family = FAMILIES[family];
      flowSeconds.observe({ ip_family }, seconds);
      flowsDeleted.inc({ ip_family }, deleted);
    },
  };
}

function familiesOf(changes: PlanChanges): Set<Family> {
  const families = new Set<Family>();
  const note = (family: Family): boolean => families.add(family).size === 2;
  const byText = (text: string): boolean => note(text.includes(":") ? 6 : 4);
  for (const { family } of changes.putLists) if (note(family)) return families;
  for (const { family } of changes.putFrontends) if (note(family)) return families;
  for (const key of changes.removeFrontends) if (byText(key)) return families;
  return families;
}

/** Frontends with policy Local that drop: Services without an endpoint here, by upstream's meaning. */
function addNoLocalEndpoints({ registry, revision, plan }: ServicesMetricsOptions): void {
  let counted:
    | { readonly revision: number; readonly numbers: Map<string, Set<string>> }
    | undefined;
  const metric = new Gauge({
    name: "kubeproxy_sync_proxy_rules_no_local_endpoints_total",
    help: "Services with a Local traffic policy and no endpoint on this node",
    labelNames: ["ip_family", "traffic_policy"],
    registers: [registry],
    collect() {
      if (counted?.revision !== revision()) {
        counted = { revision: revision(), numbers: countWithoutLocal(plan()) };
      }
      for (const ip_family of Object.values(FAMILIES)) {
        for (const traffic_policy of ["internal", "external"]) {
          const services = counted.numbers.get(`${ip_family} ${traffic_policy}`);
          metric.set({ ip_family, traffic_policy }, services?.size ?? 0);
        }
      }
    },
  });
}

function countWithoutLocal(plan: ServicePlan): Map<string, Set<string>> {
  const numbers = new Map<string, Set<string>>();
  for (const { family, kind, service, portName, inside, outside } of plan.frontends.values()) {
    const isInternal = kind === "clusterIP";
    if ((isInternal ? inside : outside).kind !== "drop") continue;
    const label = `${FAMILIES[family]} ${isInternal ? "internal" : "external"}`;
    const services = numbers.get(label) ?? new Set();
    services.add(`${service}:${portName}`);
    numbers.set(label, services);
  }
  return numbers;
}

/** Only of Services that ask for it: its labels would be too many otherwise. */
function addConnections({ registry, plan, connectionCounts }: ServicesMetricsOptions): void {
  const metric = new Counter({
    name: "patchbay_service_connections_total",
    help: "New connections of Services that count them",
    labelNames: ["service", "frontend"],
    registers: [registry],
    async collect() {
      const counts = await connectionCounts();
      metric.reset();
      if (counts.size === 0) return;
      const { frontends } = plan();
      for (const [key, connections] of counts) {
        const frontend = frontends.get(key);
        if (!frontend?.countConnections) continue;
        const { service, kind, address, protocol, port } = frontend;
        const place = address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
        metric.inc({ service, frontend: `${kind} ${place}/${protocol}` }, Number(connections));
      }
    },
  });
}

function addRevisions({ registry, revision, programmedRevision }: ServicesMetricsOptions): void {
  const metric = new Gauge({
    name: "patchbay_services_revision",
    help: "Newest revision of the plan, and the newest that every data plane holds",
    labelNames: ["state"],
    registers: [registry],
    collect() {
      metric.set({ state: "planned" }, revision());
      metric.set({ state: "programmed" }, programmedRevision());
    },
  });
}

function answers(registry: Registry, name: string): Counter<"code"> {
  return new Counter({
    name,
    help: "Answers by code",
    labelNames: ["code"],
    registers: [registry],
  });
}

function exponential(start: number, factor: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => start * factor ** index);
}

/** Metrics that are made when there are Services: a node without shows none, and pays for none. */
export class LateMetrics implements AllServicesMetrics {
  readonly #make: () => AllServicesMetrics;
  #made: AllServicesMetrics | undefined;

  constructor(make: () => AllServicesMetrics) {
    this.#make = make;
  }

  begin(): void {
    this.#made ??= this.#make();
  }

  queued(...parts: Parameters<AllServicesMetrics["queued"]>): void {
    this.#made?.queued(...parts);
  }

  nothingPending(): void {
    this.#made?.nothingPending();
  }

  taken(...parts: Parameters<AllServicesMetrics["taken"]>): void {
    this.#made?.taken(...parts);
  }

  called(...parts: Parameters<AllServicesMetrics["called"]>): void {
    this.#made?.called(...parts);
  }

  healthAnswered(...parts: Parameters<AllServicesMetrics["healthAnswered"]>): void {
    this.#made?.healthAnswered(...parts);
  }

  flowsSynced(...parts: Parameters<AllServicesMetrics["flowsSynced"]>): void {
    this.#made?.flowsSynced(...parts);
  }
}
