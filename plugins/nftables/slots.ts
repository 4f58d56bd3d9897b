import type { PlannedEndpoint } from "../../src/services/plan-types.ts";
import { SLOTS_MAX } from "./ways.ts";

/**
 * Fills a list's slots for random picks: each endpoint as many slots as its weight. Whoever had a slot keeps
 * it, holes are filled from the end, so that a change of one endpoint changes a slot or two.
 *
 * @param old seat of each slot as it is
 * @param weights slots by seat as they should be
 */
export function fillSlots(
  old: readonly number[],
  weights: ReadonlyMap<number, number>,
): readonly number[] {
  let total = 0;
  const missing = new Map<number, number>();
  for (const [seat, weight] of weights) {
    total += weight;
    missing.set(seat, weight);
  }
  const slots = Array<number>(total).fill(HOLE);
  for (let slot = 0; slot < Math.min(old.length, total); slot++) {
    const seat = old[slot] ?? HOLE;
    const left = missing.get(seat) ?? 0;
    if (left === 0) continue;
    slots[slot] = seat;
    missing.set(seat, left - 1);
  }
  let at = 0;
  for (const [seat, count] of missing) {
    for (let left = count; left > 0; left--) {
      while (slots[at] !== HOLE) at++;
      slots[at] = seat;
    }
  }
  return slots;
}

const HOLE = -1;

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
