import { type BenchRow, median } from "../rows.ts";
import type { Options } from "./options.ts";
import { runTask } from "./run-task.ts";
import type { ChainAnswer, ChangeAnswer } from "./task.ts";

const TASK_MS = 180_000;
/** A peer that has not loaded by then is said to load never. */
export const PEER_DEADLINE_MS = 60_000;
const MEMORY_ROUNDS = 3;

/** What a real kube-proxy 1.36.3 took on such a machine (shared/facts); not measured here. */
const quoted = new Map([
  [1000, 150],
  [10_000, 5300],
]);

/** One changed endpoint, from the event to the kernel's acknowledgement, and what the kernel needs for all. */
export async function benchChange(options: Options): Promise<BenchRow[]> {
  const sizes = options.quick ? [100, 1000] : [100, 1000, 10_000, 30_000];
  const memorySize = options.quick ? 1000 : 10_000;
  const rows: BenchRow[] = [];
  const medians: number[] = [];
  for (const services of sizes) {
    const rounds = services === memorySize && !options.quick ? MEMORY_ROUNDS : 1;
    const ours: ChangeAnswer[] = [];
    const theirs: ChainAnswer[] = [];
    for (let round = 0; round < rounds; round++) {
      options.progress(`services: changes, ${services} Services, round ${round + 1} of ${rounds}`);
      const isLast = round === rounds - 1;
      ours.push(await runTask("change", how(services, isLast ? 1000 : 0)));
      // Never loads: ./host-start.ts waits for that while something else must wait as well.
      if (services > 10_000) continue;
      const deadlineMs = PEER_DEADLINE_MS;
      theirs.push(
        await runTask("chains", { ...how(services, isLast ? changesOf(services) : 0), deadlineMs }),
      );
    }
    const change = ours.at(-1)?.change;
    if (change === undefined) throw new Error("Nothing was measured");
    medians.push(change.p50);
    rows.push(...changeRows(services, change, theirs.at(-1)));
    if (services === memorySize) rows.push(memoryRow(services, ours, theirs));
  }
  rows.push({
    name: `services: one endpoint changed, ${count(sizes.at(-1))} against ${sizes[0]}`,
    ours: medians.at(-1) ?? Number.NaN,
    peer: { name: `${sizes[0]} Services`, value: medians[0] ?? Number.NaN },
    unit: "ms",
    target: { kind: "within", times: 1.5 },
    note: "p50: the cost does not grow with the number of Services",
  });
  return rows;
}

function how(services: number, changes: number) {
  return { services, changes, limitMs: TASK_MS };
}

function changesOf(services: number): number {
  return services > 1000 ? 20 : 50;
}

function changeRows(
  services: number,
  change: NonNullable<ChangeAnswer["change"]>,
  chains: ChainAnswer | undefined,
): BenchRow[] {
  const peer = (value: number | undefined) =>
    value === undefined ? {} : { peer: { name: "chains, nft -f", value } };
  const real = quoted.get(services);
  const notes = [`of ${change.samples}`];
  if (chains === undefined) notes.push("the chain layout does not load, see below");
  if (real !== undefined) notes.push(`a real kube-proxy 1.36.3, quoted: ${count(real)} ms`);
  return [
    {
      name: `services: one endpoint changed, ${count(services)}, p50`,
      ours: change.p50,
      ...peer(chains?.change?.p50),
      unit: "ms",
      target: { kind: "below", value: 0.3 },
      note: notes.join("; "),
    },
    {
      name: `services: one endpoint changed, ${count(services)}, p99`,
      ours: change.p99,
      ...peer(chains?.change?.p99),
      unit: "ms",
    },
  ];
}

function memoryRow(
  services: number,
  ours: readonly ChangeAnswer[],
  theirs: readonly ChainAnswer[],
): BenchRow {
  const chains = median(theirs.flatMap(({ kernelMegabytes }) => kernelMegabytes ?? []));
  return {
    name: `services: kernel memory, ${count(services)}`,
    ours: median(ours.map(({ kernelMegabytes }) => kernelMegabytes)),
    peer: { name: "chains", value: chains },
    unit: "MB",
    target: { kind: "within", times: 0.25 },
    note: `median of ${ours.length}; slab, per-CPU and vmalloc, before and after`,
  };
}

function count(services: number | undefined): string {
  return (services ?? 0).toLocaleString("en-US");
}
