import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { readRssMegabytes } from "../host-process.ts";
import { type BenchRow, formatValue, median } from "../rows.ts";
import { type ChainLoads, PEER_DEADLINE_MS } from "./change.ts";
import { startServicesHost } from "./host.ts";
import { type Format, writeManifests } from "./manifests.ts";
import { createNamespace } from "./namespaces.ts";
import type { Options } from "./options.ts";
import { runTask } from "./run-task.ts";
import { sampleServices } from "./sample-services.ts";

const PROGRAM_MS = 60_000;
const IDLE_MS = 60_000;

/** Start of `patchbay host --manifests` until all is programmed; and its memory, with many endpoints. */
export async function benchHostStart(
  options: Options,
  loads: ChainLoads = new Map(),
): Promise<BenchRow[]> {
  const sizes = options.quick ? [1000] : [10_000, 30_000];
  const limits = new Map([
    [10_000, 2000],
    [30_000, 5000],
  ]);
  const rows: BenchRow[] = [];
  for (const services of sizes) {
    for (const format of ["json", "yaml"] as const) {
      const times = await startAgain(services, format, options);
      const loadMs = loads.get(services);
      const limit = limits.get(services);
      rows.push({
        name: `services: cold start, ${services.toLocaleString("en-US")}, ${format.toUpperCase()}`,
        ours: median(times),
        ...(loadMs !== undefined && { peer: { name: "chains, nft -f alone", value: loadMs } }),
        unit: "ms",
        ...(limit !== undefined && { target: { kind: "below", value: limit } as const }),
        note: `median of ${times.length}; process start to programmed${services === 10_000 ? "; a real kube-proxy 1.36.3, quoted: 16 s" : ""}`,
      });
    }
  }
  rows.push(...(await measureMemory(options)));
  return rows;
}

async function startAgain(services: number, format: Format, options: Options): Promise<number[]> {
  const manifests = join(options.folder, `start-${services}-${format}`);
  writeManifests(manifests, { services: sampleServices(services, 3), format });
  const rounds = options.quick ? 1 : 3;
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    options.progress(
      `services: start with ${services} Services, ${format}, ${round + 1}/${rounds}`,
    );
    const root = join(options.folder, `start-${services}-${format}-${round}`);
    await using namespace = createNamespace("start");
    await using host = startServicesHost(namespace, { root, manifests });
    await host.untilProgrammed(`bench/svc-${services - 1}`, PROGRAM_MS);
    times.push(performance.now() - host.startedMs);
  }
  return times;
}

/** Resident memory with ten endpoints a Service; while the host idles the peer gets its minute to load. */
async function measureMemory(options: Options): Promise<BenchRow[]> {
  const services = options.quick ? 1000 : 10_000;
  const endpoints = 10;
  const manifests = join(options.folder, "memory-manifests");
  writeManifests(manifests, { services: sampleServices(services, endpoints), format: "yaml" });
  await using namespace = createNamespace("memory");
  const root = join(options.folder, "memory-host");
  await using host = startServicesHost(namespace, { root, manifests });
  options.progress(`services: memory of a host with ${services} Services`);
  await host.untilProgrammed(`bench/svc-${services - 1}`, PROGRAM_MS);
  const first = readRssMegabytes(host.pid);
  const idle = delay(options.quick ? 5000 : IDLE_MS);
  const never = options.quick ? undefined : await neverLoads(30_000, options);
  await idle;
  const later = readRssMegabytes(host.pid);
  const what = `services: host, ${count(services)} Services, ${count(services * endpoints)} endpoints`;
  const target = { kind: "below", value: 300 } as const;
  return [
    { name: `${what}, RSS`, ours: first, unit: "MB", target, note: "when programmed" },
    {
      name: `${what}, RSS a minute later`,
      ours: later,
      unit: "MB",
      target,
      note: "a real kube-proxy 1.36.3, quoted: 343 MB with 30,000 endpoints",
    },
    ...(never ?? []),
  ];
}

async function neverLoads(services: number, options: Options): Promise<BenchRow[]> {
  const deadlineMs = PEER_DEADLINE_MS;
  const limit = formatValue(deadlineMs / 1000, "s");
  options.progress(`services: the chain layout with ${services} Services, for at most ${limit}`);
  const { loadMs } = await loadChains(services);
  return [
    {
      name: `services: the chain layout's load, ${count(services)}`,
      ours: loadMs ?? deadlineMs,
      unit: "ms",
      note:
        loadMs === undefined
          ? `theirs alone: NOT LOADED in ${limit}, stopped there`
          : "theirs alone, nft -f",
    },
  ];
}

function loadChains(services: number) {
  const deadlineMs = PEER_DEADLINE_MS;
  const how = { services, changes: 0, deadlineMs, isMemoryRead: false };
  return runTask("chains", { ...how, limitMs: 3 * deadlineMs });
}

function count(number: number): string {
  return number.toLocaleString("en-US");
}
