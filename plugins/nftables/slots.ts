import type { PlannedEndpoint } from "../../src/services/plan-types.ts";
import { SLOTS_MAX } from "./ways.ts";

/**
 * Fills a list's slots for random picks: each endpoint as many slots as its weight. Whoever had a slot keeps
 * it, holes are filled from the end, so that a change of one endpoint changes a slot or two.
 *
 * @param old who has each slot as it is
 * @param weights how many slots each should have
 */
export function fillSlots<T extends string | number>(
  old: readonly T[],
  weights: ReadonlyMap<T, number>,
): readonly T[] {
  let total = 0;
  const missing = new Map<T, number>();
  for (const [name, weight] of weights) {
    total += weight;
    missing.set(name, weight);
  }
  const slots = Array<T | undefined>(total).fill(undefined);
  for (let slot = 0; slot < Math.min(old.length, total); slot++) {
    const name = old[slot];
    const left = name === undefined ? 0 : (missing.get(name) ?? 0);
    if (name === undefined || left === 0) continue;
    slots[slot] = name;
    missing.set(name, left - 1);
  }
  let at = 0;
  for (const [name, count] of missing) {
    for (let left = count; left > 0; left--) {
      while (slots[at] !== undefined) at++;
      slots[at] = name;
    }
  }
  return slots as T[];
}

/** Weights divided by what they have in common, and scaled down where there would be too many slots. */
export function slotWeights(endpoints: readonly PlannedEndpoint[]): readonly number[] {
  let common = 0;
  let total = 0;
  for (const { weight } of endpoints) {
    common = greatestCommonDivisor(common, weight);
    total += weight;
  }
  // Rounding up to one may cost each endpoint a slot more.
  const scale = Math.max(1, total / common / (SLOTS_MAX - endpoints.length));
  return endpoints.map(({ weight }) => Math.max(1, Math.floor(weight / common / scale)));
}

function greatestCommonDivisor(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y !== 0) [x, y] = [y, x % y];
  return x;
}
