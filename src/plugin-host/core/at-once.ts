import { LIMITS } from "../limits.ts";

/**
 * Runs work for many items beside each other: removals share what they cost, and one that hangs
 * holds up nobody else. At most LIMITS.runningMax at a time. `work` must not throw.
 */
export async function forEachAtOnce<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = items[Symbol.iterator]();
  const run = async (): Promise<void> => {
    for (let next = left.next(); !next.done; next = left.next()) await work(next.value);
  };
  const runners = Math.min(items.length, LIMITS.runningMax);
  await Promise.all(Array.from({ length: runners }, run));
}
