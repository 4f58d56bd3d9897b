/** A measured figure, with the one of a peer where there is one. */
export interface BenchRow {
  /** "area: what". */
  readonly name: string;
  readonly ours: number;
  readonly unit: Unit;
  readonly peer?: Peer;
  readonly target?: Target;
  readonly note?: string;
}

export type Unit = "s" | "ms" | "us" | "MB" | "pairs/s" | "steps/s" | "elements";

/** Whom the figure is held against. */
export interface Peer {
  readonly name: string;
  readonly value: number;
}

/** What the figure must reach. */
export type Target =
  /** The peer takes at least so many times as long. */
  | { readonly kind: "faster"; readonly times: number }
  /** Less than so many times the peer's. */
  | { readonly kind: "within"; readonly times: number }
  | { readonly kind: "below"; readonly value: number }
  | { readonly kind: "above"; readonly value: number };

/** Whether a row reaches its target; undefined when it has none. */
export function isMet(row: BenchRow): boolean | undefined {
  const { target, ours, peer } = row;
  switch (target?.kind) {
    case undefined:
      return undefined;
    case "faster":
      return peer !== undefined && peer.value >= ours * target.times;
    case "within":
      return peer !== undefined && ours < peer.value * target.times;
    case "below":
      return ours < target.value;
    case "above":
      return ours > target.value;
  }
}

/** "10 x faster", "< 100 MB". */
export function formatTarget(row: BenchRow): string {
  const { target, unit } = row;
  switch (target?.kind) {
    case undefined:
      return "";
    case "faster":
      return `${target.times} x faster`;
    case "within":
      return `< ${target.times} x`;
    case "below":
      return `< ${formatValue(target.value, unit)}`;
    case "above":
      return `> ${formatValue(target.value, unit)}`;
  }
}

/** How the figure stands to its peer's, in the words of its target: "13.2 x faster", "1.40 x". */
export function formatRatio(row: BenchRow): string {
  const { peer, ours, target, unit } = row;
  if (peer === undefined || ours === 0 || peer.value === 0) return "";
  if (target?.kind === "within" || unit === "MB") return `${(ours / peer.value).toFixed(2)} x`;
  const times = peer.value / ours;
  return times >= 1 ? `${times.toFixed(1)} x faster` : `${(1 / times).toFixed(1)} x slower`;
}

/** Three digits, with the unit. */
export function formatValue(value: number, unit: Unit): string {
  return `${formatNumber(value)} ${unit}`;
}

function formatNumber(value: number): string {
  if (value === 0) return "0";
  if (value >= 1000) return Math.round(value).toLocaleString("en-US");
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
}

/** The value that a share of all samples does not exceed (nearest rank). */
export function percentile(samples: readonly number[], share: number): number {
  if (samples.length === 0) throw new RangeError("Cannot take a percentile of no samples");
  const sorted = Float64Array.from(samples).sort();
  const rank = Math.ceil(share * sorted.length) - 1;
  return sorted[Math.max(0, Math.min(rank, sorted.length - 1))] ?? Number.NaN;
}

export function median(samples: readonly number[]): number {
  return percentile(samples, 0.5);
}
