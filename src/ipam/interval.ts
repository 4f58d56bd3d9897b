/** Addresses of one family from `first` to `last`, both included. */
export interface Interval {
  readonly first: bigint;
  readonly last: bigint;
}

/** True when the two share an address. */
export function intervalsOverlap(one: Interval, other: Interval): boolean {
  return one.first <= other.last && other.first <= one.last;
}

/** The parts of `whole` that no hole covers, in order. The holes may overlap and need no order. */
export function subtractIntervals(whole: Interval, holes: readonly Interval[]): Interval[] {
  const parts: Interval[] = [];
  let first = whole.first;
  for (const hole of holes.toSorted((one, other) => compare(one.first, other.first))) {
    if (hole.last < first) continue;
    if (hole.first > whole.last) break;
    if (hole.first > first) parts.push({ first, last: hole.first - 1n });
    first = hole.last + 1n;
  }
  if (first <= whole.last) parts.push({ first, last: whole.last });
  return parts;
}

function compare(one: bigint, other: bigint): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
