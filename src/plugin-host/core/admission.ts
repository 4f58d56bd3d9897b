import { PatchbayError } from "../errors.ts";
import type { Clock } from "./ports.ts";

export interface AdmissionLimits {
  readonly runningMax: number;
  readonly waitingMax: number;
  readonly waitMs: number;
}

interface Waiter {
  admit(): void;
}

/**
 * Lets a bounded number of calls run and a bounded number wait; all others are told at once to
 * come again (code 11), so that a node that starts 500 pods neither swaps nor times out.
 */
export class Admission {
  readonly #clock: Clock;
  readonly #limits: AdmissionLimits;
  readonly #waiters = new Set<Waiter>();
  readonly #idle = new Set<() => void>();
  #running = 0;
  #closed = false;

  constructor(clock: Clock, limits: AdmissionLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  /** Runs `work` when its turn comes. Throws PatchbayError QUEUE_FULL or HOST_NOT_READY before it ran. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new PatchbayError("HOST_NOT_READY", "The host is stopping");
    if (this.#running < this.#limits.runningMax) this.#running++;
    else await this.#wait();
    try {
      return await work();
    } finally {
      this.#next();
    }
  }

  /** Refuses new calls and those that wait, and resolves when the running ones are done. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const waiter of this.#waiters) waiter.admit();
    if (this.#running === 0) return;
    await new Promise<void>((resolve) => this.#idle.add(resolve));
  }

  #wait(): Promise<void> {
    if (this.#waiters.size >= this.#limits.waitingMax) {
      const busy = `${this.#running} calls run and ${this.#waiters.size} wait`;
      throw new PatchbayError("QUEUE_FULL", `Cannot take another call: ${busy}`);
    }
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        admit: () => {
          this.#waiters.delete(waiter);
          cancel();
          if (this.#closed) reject(new PatchbayError("HOST_NOT_READY", "The host is stopping"));
          else resolve();
        },
      };
      const cancel = this.#clock.after(this.#limits.waitMs, () => {
        this.#waiters.delete(waiter);
        reject(new PatchbayError("QUEUE_FULL", `Waited ${this.#limits.waitMs} ms in the queue`));
      });
      this.#waiters.add(waiter);
    });
  }

  /** Hands the place to the first waiter, or gives it up. */
  #next(): void {
    const [waiter] = this.#waiters;
    if (waiter && !this.#closed) {
      waiter.admit();
      return;
    }
    this.#running--;
    if (this.#running > 0) return;
    for (const resolve of this.#idle) resolve();
    this.#idle.clear();
  }
}
