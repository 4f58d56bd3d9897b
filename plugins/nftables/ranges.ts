import {
  type Family,
  formatAddress,
  type IpAddress,
  type IpPrefix,
  lastOf,
  networkOf,
} from "../../src/ip/address.ts";

/**
 * Prefixes of one family as disjoint ranges "first-last", sorted, neighbours joined: interval sets take no two
 * that overlap.
 */
export function rangesOf(prefixes: readonly IpPrefix[], family: Family): readonly string[] {
  const ranges = prefixes
    .filter((prefix) => prefix.family === family)
    .map((prefix) => ({ first: networkOf(prefix).value, last: lastOf(prefix).value }))
    .sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  const joined: { first: bigint; last: bigint }[] = [];
  for (const range of ranges) {
    const previous = joined.at(-1);
    if (previous && range.first <= previous.last + 1n) {
      if (range.last > previous.last) previous.last = range.last;
    } else joined.push({ ...range });
  }
  const text = (value: bigint) => formatAddress({ family, value } satisfies IpAddress);
  return joined.map(({ first, last }) => `${text(first)}-${text(last)}`);
}
