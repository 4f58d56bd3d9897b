import { type BenchRow, median, percentile } from "../rows.ts";
import type { Reach } from "./reach.ts";

/** What was measured with a number of Services. */
export interface ReachRun {
  readonly services: number;
  readonly ours: readonly Reach[];
  readonly theirs: readonly Reach[];
}

const peer = "kube-proxy 1.36.3";

export function reachRows(few: ReachRun, many: ReachRun): BenchRow[] {
  return [
    ...rowsOf(few),
    ...rowsOf(many),
    {
      name: `kubernetes: the same, p50, ${count(many)} Services against ${few.services}`,
      ours: median(written(many.ours)),
      peer: { name: `${few.services} Services`, value: median(written(few.ours)) },
      unit: "ms",
      target: { kind: "within", times: 1.5 },
      note: "the same at both",
    },
  ];
}

function rowsOf(run: ReachRun): BenchRow[] {
  const what = `kubernetes: EndpointSlice to a connection, ${count(run)} Services`;
  const answered = median(run.ours.map((reach) => reach.answered)).toFixed(1);
  const figures = (share: number) => ({
    ours: percentile(written(run.ours), share),
    peer: { name: peer, value: percentile(written(run.theirs), share) },
    unit: "ms" as const,
  });
  return [
    {
      name: `${what}, p50`,
      ...figures(0.5),
      target: { kind: "below", value: 20 },
      note: `of ${run.ours.length} and ${run.theirs.length}; ours ${answered} ms after the API server's answer to the write`,
    },
    { name: `${what}, p99`, ...figures(0.99), target: { kind: "below", value: 100 } },
  ];
}

function written(reaches: readonly Reach[]): number[] {
  return reaches.map((reach) => reach.written);
}

function count({ services }: ReachRun): string {
  return services.toLocaleString("en-US");
}
