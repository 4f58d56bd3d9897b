import type { Clock } from "./ports.ts";

/**
 * Work beside the calls, by name. Each is waited for with a patience: one plugin that hangs must not keep the
 * others' pods from being looked after. What takes longer goes on, and is not begun again meanwhile.
 */
export class Chores {
  readonly #clock: Clock;
  readonly #patienceMs: number;
  readonly #running = new Map<string, Promise<void>>();

  constructor(clock: Clock, patienceMs: number) {
    this.#clock = clock;
    this.#patienceMs = patienceMs;
  }

  /** Begins the work unless it is under way; resolves when it ends or the patience does. Throws what the work throws in that time. */
  async run(name: string, work: () => Promise<void>): Promise<void> {
    const running = this.#running.get(name) ?? this.#begin(name, work);
    let cancel = (): void => {};
    const patience = new Promise<void>((resolve) => {
      cancel = this.#clock.after(this.#patienceMs, resolve);
    });
    try {
      await Promise.race([running, patience]);
    } finally {
      cancel();
    }
  }

  /** Resolves when no work is under way. Never throws. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running.values());
  }

  #begin(name: string, work: () => Promise<void>): Promise<void> {
    const running = work().finally(() => this.#running.delete(name));
    this.#running.set(name, running);
    // Nobody may be waiting any more when it fails.
    running.catch(() => {});
    return running;
  }
}
