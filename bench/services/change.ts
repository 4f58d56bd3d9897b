import { type BenchRow, median, percentile } from "../rows.ts";
import type { Options } from "./options.ts";
import { runTask } from "./run-task.ts";
import type { ChainAnswer, ChangeAnswer } from "./task.ts";

const TASK_MS = 180_000;
/** A peer that has not loaded by then is said to load never. */
export const PEER_DEADLINE_MS = 60_000;
/** Waits that long for the peer: ./host-start.ts does so while something else must wait as well. */
const PEER_SERVICES_MAX = 10_000;
const MEMORY_SERVICES = 10_000;

/** What a real kube-proxy 1.36.3 took on such a machine (shared/facts); not measured here. */
const quoted = new Map([
  [1000, 150],
  [10_000, 5300],
]);

interface Measured {
  readonly ours: ChangeAnswer[];
  readonly theirs: ChainAnswer[];
}

/** ms that the chain layout took to load, by number of Services: measured once, quoted in two places. */
export type ChainLoads = Map<number, number>;

/**
 * One changed endpoint, from the event to the kernel's acknowledgement, and what the kernel needs for
 * all. Notes in `loads` what the peer took to load.
 */
export async function benchChange(
  options: Options,
  loads: ChainLoads = new Map(),
): Promise<BenchRow[]> {
  const { quick, progress } = options;
  const rounds = quick ? 1 : 3;
  const measured = new Map<number, Measured>();
  for (const services of quick ? [100, 1000] : [100, 1000, 10_000, 30_000]) {
    measured.set(services, { ours: [], theirs: [] });
  }
  // Around all sizes: they are compared with each other.
  for (let round = 1; round <= rounds; round++) {
    for (const [services, { ours, theirs }] of measured) {
      progress(`services: changes among ${services} Services, round ${round} of ${rounds}`);
      const isMemoryRead = services === MEMORY_SERVICES;
      const how = { services, isMemoryRead, limitMs: TASK_MS };
      ours.push(await runTask("change", { ...how, changes: 500 }));
      if (services > PEER_SERVICES_MAX) continue;
      const changes = services > 1000 ? 10 : 20;
      const deadlineMs = PEER_DEADLINE_MS;
      theirs.push(await runTask("chains", { ...how, changes, deadlineMs }));
    }
  }
  for (const [services, { theirs }] of measured) {
    const times = theirs.flatMap(({ loadMs }) => loadMs ?? []);
    if (times.length > 0) loads.set(services, median(times));
  }
  return [
    ...[...measured].flatMap(([services, answers]) => changeRows(services, answers)),
    flatRow(measured),
    ...memoryRows(measured),
  ];
}

function changeRows(services: number, { ours, theirs }: Measured): BenchRow[] {
  const times = ours.flatMap(({ changeMs }) => changeMs);
  const chains = theirs.flatMap(({ changeMs }) => changeMs ?? []);
  const peer = (share: number) =>
    chains.length > 0 && { peer: { name: "chains, nft -f", value: percentile(chains, share) } };
  const real = quoted.get(services);
  const notes = [`of ${times.length}${chains.length > 0 ? `, theirs of ${chains.length}` : ""}`];
  if (chains.length === 0) notes.push("the chain layout does not load, see below");
  if (real !== undefined) notes.push(`a real kube-proxy 1.36.3, quoted: ${count(real)} ms`);
  return [
    {
      name: `services: one endpoint changed, ${count(services)}, p50`,
      ours: percentile(times, 0.5),
      ...peer(0.5),
      unit: "ms",
      target: { kind: "below", value: 0.3 },
      note: notes.join("; "),
    },
    {
      name: `services: one endpoint changed, ${count(services)}, p99`,
      ours: percentile(times, 0.99),
      ...peer(0.99),
      unit: "ms",
    },
  ];
}

function flatRow(measured: ReadonlyMap<number, Measured>): BenchRow {
  const sizes = [...measured.keys()];
  const [least = 0, most = 0] = [sizes[0], sizes.at(-1)];
  const p50 = (services: number) =>
    median(measured.get(services)?.ours.flatMap(({ changeMs }) => changeMs) ?? []);
  return {
    name: `services: one endpoint changed, ${count(most)} against ${least}`,
    ours: p50(most),
    peer: { name: `${least} Services`, value: p50(least) },
    unit: "ms",
    target: { kind: "within", times: 1.5 },
    note: "p50: the cost does not grow with the number of Services",
  };
}

function memoryRows(measured: ReadonlyMap<number, Measured>): BenchRow[] {
  const { ours = [], theirs = [] } = measured.get(MEMORY_SERVICES) ?? {};
  const chains = theirs.flatMap(({ kernelMegabytes }) => kernelMegabytes ?? []);
  if (ours.length === 0 || chains.length === 0) return [];
  return [
    {
      name: `services: kernel memory, ${count(MEMORY_SERVICES)}`,
      ours: median(ours.map(({ kernelMegabytes }) => kernelMegabytes)),
      peer: { name: "chains", value: median(chains) },
      unit: "MB",
      target: { kind: "within", times: 0.25 },
      note: `median of ${ours.length}; all that the kernel allocated, before and after`,
    },
  ];
}

function count(services: number): string {
  return services.toLocaleString("en-US");
}
