import type { Clock } from "./core/ports.ts";

interface Timer {
  readonly atMs: number;
  readonly call: () => void;
}

/** Time that passes only when told to; wall time can jump by itself. */
export class FakeClock implements Clock {
  #monotonicMs = 0;
  #wallMs: number;
  readonly #timers = new Set<Timer>();

  constructor(wallMs = 1_800_000_000_000) {
    this.#wallMs = wallMs;
  }

  wallMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  after(delayMs: number, call: () => void): () => void {
    const timer = { atMs: this.#monotonicMs + delayMs, call };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Lets time pass and fires what is due, in order of time; ties in order of arrival. */
  advance(ms: number): void {
    const untilMs = this.#monotonicMs + ms;
    for (let due = this.#nextDue(untilMs); due; due = this.#nextDue(untilMs)) {
      this.#passTo(due.atMs);
      this.#timers.delete(due);
      due.call();
    }
    this.#passTo(untilMs);
  }

  /** Monotonic time of the next timer; undefined when none is set. */
  nextTimerMs(): number | undefined {
    const times = [...this.#timers].map((timer) => timer.atMs);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Somebody sets the wall clock. */
  jump(ms: number): void {
    this.#wallMs += ms;
  }

  /** A process died: nobody waits any more. */
  clearTimers(): void {
    this.#timers.clear();
  }

  #nextDue(untilMs: number): Timer | undefined {
    let due: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.atMs <= untilMs && (due === undefined || timer.atMs < due.atMs)) due = timer;
    }
    return due;
  }

  #passTo(monotonicMs: number): void {
    const passedMs = Math.max(0, monotonicMs - this.#monotonicMs);
    this.#monotonicMs += passedMs;
    this.#wallMs += passedMs;
  }
}
