import { PatchbayError } from "../errors.ts";
import type { Clock } from "./ports.ts";

/**
 * The promise, or PatchbayError DEADLINE_EXCEEDED after `limitMs`. The work itself goes on: who
 * must not overlap it waits for the promise.
 */
export function withDeadline<T>(
  promise: Promise<T>,
  options: { clock: Clock; limitMs: number; what: string },
): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = options.clock.after(options.limitMs, () => {
      reject(
        new PatchbayError(
          "DEADLINE_EXCEEDED",
          `${options.what} took longer than ${options.limitMs} ms`,
        ),
      );
    });
    promise.then(resolve, reject).finally(cancel);
  });
}
