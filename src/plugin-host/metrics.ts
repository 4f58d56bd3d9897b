import type { Server } from "node:http";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { CallTrace, HostEvent, Trace } from "./core/ports.ts";
import type { StepName } from "./core/steps.ts";
import type { WriteKind, WriteOutcome } from "./kubernetes/publish/write.ts";

/** What the host counts, besides the registry to print it. */
export interface Metrics {
  readonly registry: Registry;
  readonly trace: Trace;
  countEvent(event: HostEvent): void;
  /** A write to the API server has ended. */
  countWrite(kind: WriteKind, outcome: WriteOutcome): void;
}

/** Numbers read when somebody asks. */
export interface MetricSources {
  readonly attachments: () => number;
  readonly running: () => number;
  readonly waiting: () => number;
}

const SECONDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 30,
];

/**
 * Counts calls, steps and events. `onStep` is called at each step as well: tests kill the process
 * there.
 */
export function createMetrics(
  sources: MetricSources,
  onStep: ((step: StepName) => void) | undefined,
): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const calls = new Histogram({
    name: "patchbay_call_duration_seconds",
    help: "Duration of CNI calls in the host, from arrival to answer",
    labelNames: ["verb", "outcome"],
    buckets: SECONDS,
    registers,
  });
  const steps = new Histogram({
    name: "patchbay_step_duration_seconds",
    help: "Duration of each step of a call, from the end of the step before",
    labelNames: ["step"],
    buckets: SECONDS,
    registers,
  });
  const events = new Counter({
    name: "patchbay_events_total",
    help: "Events by kind",
    labelNames: ["kind"],
    registers,
  });
  const writes = new Counter({
    name: "patchbay_kubernetes_writes_total",
    help: "Writes to the API server by what was written and what became of it",
    labelNames: ["kind", "outcome"],
    registers,
  });
  addGauge(registry, "patchbay_attachments", "Attachments recorded", sources.attachments);
  addGauge(registry, "patchbay_calls_running", "CNI calls that run", sources.running);
  addGauge(registry, "patchbay_calls_waiting", "CNI calls that wait", sources.waiting);
  addGauge(registry, "process_resident_memory_bytes", "Resident memory", () =>
    process.memoryUsage.rss(),
  );

  // prom-client makes a key of the labels anew for each observation; of these there are few.
  const stepSeries = new Map<StepName, Histogram.Internal<"step">>();
  const stepOf = (step: StepName): Histogram.Internal<"step"> => {
    let series = stepSeries.get(step);
    if (series === undefined) {
      series = steps.labels(step);
      stepSeries.set(step, series);
    }
    return series;
  };

  const trace: Trace = {
    begin(verb): CallTrace {
      const startMs = performance.now();
      let lastMs = startMs;
      return {
        reached(step) {
          const nowMs = performance.now();
          stepOf(step).observe((nowMs - lastMs) / 1000);
          lastMs = nowMs;
          onStep?.(step);
        },
        end(outcome) {
          calls.observe({ verb, outcome }, (performance.now() - startMs) / 1000);
        },
      };
    },
  };
  return {
    registry,
    trace,
    countEvent: (event) => events.inc({ kind: event.kind }),
    countWrite: (kind, outcome) => writes.inc({ kind, outcome }),
  };
}

/** Serves /metrics on 127.0.0.1. Resolves when it listens; port 0 picks one. */
export async function serveMetrics(registry: Registry, port: number): Promise<Server> {
  // An import would read every export of the module, the WebSocket among them: 4 MB for ever.
  const { createServer } = process.getBuiltinModule("node:http");
  const server = createServer((request, response) => {
    if (request.method !== "GET" || request.url !== "/metrics") {
      response.writeHead(404).end();
      return;
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { "content-type": registry.contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return server;
}

function addGauge(registry: Registry, name: string, help: string, read: () => number): void {
  const gauge = new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      gauge.set(read());
    },
  });
}
