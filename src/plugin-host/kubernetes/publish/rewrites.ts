import { LIMITS } from "../../limits.ts";

/** What was written of one object, and how often somebody undid it. Monotonic ms; replaced, not changed. */
export interface WriteMemory {
  /** What was written last. */
  readonly text: string;
  readonly writtenMs: number;
  /** The first write of the hour. */
  readonly sinceMs: number;
  /** Writes of the same text within the hour. */
  readonly writes: number;
}

export type WritePlan =
  | { readonly kind: "settled" }
  | { readonly kind: "write" }
  /** Not before then, monotonic ms. */
  | { readonly kind: "wait"; readonly untilMs: number }
  /** Somebody undoes it again and again: not before then. */
  | { readonly kind: "fought"; readonly untilMs: number };

/**
 * What to do about an object that is seen to say `observed` and is to say `wanted`. After a write the watch
 * needs its time to show it; who undoes it wants it otherwise, and gets the last word of the hour.
 */
export function planWrite(given: {
  readonly wanted: string;
  readonly observed: string | undefined;
  readonly memory: WriteMemory | undefined;
  readonly nowMs: number;
}): WritePlan {
  const { wanted, observed, memory, nowMs } = given;
  if (observed === wanted) return { kind: "settled" };
  if (memory?.text !== wanted) return { kind: "write" };
  const settledMs = memory.writtenMs + LIMITS.publishSettleMs;
  if (nowMs < settledMs) return { kind: "wait", untilMs: settledMs };
  const hourMs = memory.sinceMs + LIMITS.publishRewritesMs;
  if (memory.writes > LIMITS.publishRewritesMax && nowMs < hourMs) {
    return { kind: "fought", untilMs: hourMs };
  }
  return { kind: "write" };
}

/** The memory after a write of `text`. */
export function rememberWrite(
  memory: WriteMemory | undefined,
  text: string,
  nowMs: number,
): WriteMemory {
  const isSame = memory?.text === text && nowMs < memory.sinceMs + LIMITS.publishRewritesMs;
  if (!isSame) return { text, writtenMs: nowMs, sinceMs: nowMs, writes: 1 };
  return { ...memory, writtenMs: nowMs, writes: memory.writes + 1 };
}
