import { LIMITS } from "../limits.ts";

/**
 * Runs work for many items beside each other: removals share what they cost, and one that hangs
 * holds up nobody else. At most LIMITS.runningMax at a time. `work` must not throw.
 */
export async function forEachAtOnce<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  for (let start = 0; start < items.length; start += LIMITS.runningMax) {
    await Promise.all(items.slice(start, start + LIMITS.runningMax).map(work));
  }
}
