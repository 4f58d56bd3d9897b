import type { Clock } from "../core/ports.ts";
import { PatchbayError } from "../errors.ts";
import { LIMITS } from "../limits.ts";

interface Waiter {
  readonly isDone: () => boolean;
  readonly settle: (error?: PatchbayError) => void;
}

/** Callers that wait for something to become true, each with a deadline; their number is bounded. */
export class Waiters {
  readonly #clock: Clock;
  readonly #waiters = new Set<Waiter>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#waiters.size;
  }

  /**
   * Resolves when isDone() is true at a look(). Throws PatchbayError DEADLINE_EXCEEDED, whose text is
   * `why` of that moment, or LIMIT_REACHED.
   */
  wait(
    isDone: () => boolean,
    options: { readonly timeoutMs: number; readonly why: () => string },
  ): Promise<void> {
    if (isDone()) return Promise.resolve();
    if (this.#waiters.size >= LIMITS.servicesWaitersMax) {
      const message = `Cannot hold more than ${LIMITS.servicesWaitersMax} callers that wait`;
      return Promise.reject(new PatchbayError("LIMIT_REACHED", message));
    }
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(options.timeoutMs, () => {
        waiter.settle(new PatchbayError("DEADLINE_EXCEEDED", options.why()));
      });
      const waiter: Waiter = {
        isDone,
        settle: (error) => {
          this.#waiters.delete(waiter);
          cancel();
          if (error) reject(error);
          else resolve();
        },
      };
      this.#waiters.add(waiter);
    });
  }

  /** Something changed: those whose wish came true go. */
  look(): void {
    for (const waiter of [...this.#waiters]) if (waiter.isDone()) waiter.settle();
  }

  /** The host stops: nothing will come true any more. */
  close(): void {
    for (const waiter of [...this.#waiters]) {
      waiter.settle(new PatchbayError("HOST_NOT_READY", "The host is stopping"));
    }
  }
}
