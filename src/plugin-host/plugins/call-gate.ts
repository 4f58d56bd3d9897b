import type { Clock } from "../core/ports.ts";
import { PatchbayError } from "../errors.ts";

export interface CallGateLimits {
  /** Calls under way at the same time. */
  readonly pluginCallsMax: number;
  /** Calls that wait. */
  readonly pluginWaitingMax: number;
  /** Longest wait of one call, ms. */
  readonly pluginWaitMs: number;
  /** Time without an end after which a full gate is shut, ms. */
  readonly pluginStuckMs: number;
}

interface Waiter {
  readonly sinceMs: number;
  readonly go: () => void;
  readonly refuse: (reason: string) => void;
}

/**
 * How much of the host one plugin may occupy. While it ends calls, more wait for their turn: a storm
 * of pods is no failure. When all its places are taken and it ends none, whoever waits is refused,
 * and so is everybody who comes, at once: a plugin that hangs harms its own networks alone.
 */
export class CallGate {
  readonly #name: string;
  readonly #clock: Clock;
  readonly #limits: CallGateLimits;
  readonly #waiting: Waiter[] = [];
  /** Of the calls under way, the oldest first. */
  readonly #startsMs = new Set<{ readonly atMs: number }>();
  #running = 0;
  /** Since when it is full and has ended nothing. */
  #stillSinceMs = 0;
  #cancelLook: (() => void) | undefined;

  constructor(name: string, options: { readonly clock: Clock; readonly limits: CallGateLimits }) {
    this.#name = name;
    this.#clock = options.clock;
    this.#limits = options.limits;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** How long the oldest call under way has been running, ms; 0: there is none. */
  get oldestMs(): number {
    const [oldest] = this.#startsMs;
    return oldest ? this.#clock.monotonicMs() - oldest.atMs : 0;
  }

  /** Why a call would be refused at once; "" when it would not. */
  get trouble(): string {
    if (this.#running < this.#limits.pluginCallsMax) return "";
    if (this.#clock.monotonicMs() - this.#stillSinceMs >= this.#limits.pluginStuckMs) {
      return `${this.#running} calls are under way and it has ended none for ${this.#limits.pluginStuckMs} ms`;
    }
    return this.#waiting.length < this.#limits.pluginWaitingMax
      ? ""
      : `${this.#waiting.length} calls wait for it`;
  }

  /** Throws PatchbayError PLUGIN_UNAVAILABLE when the call was not made; else what the call throws. */
  async run<T>(call: () => Promise<T>): Promise<T> {
    if (this.#running < this.#limits.pluginCallsMax) this.#enter();
    else await this.#wait();
    const start = { atMs: this.#clock.monotonicMs() };
    this.#startsMs.add(start);
    try {
      return await call();
    } finally {
      this.#startsMs.delete(start);
      this.#leave();
    }
  }

  #enter(): void {
    this.#running++;
    if (this.#running === this.#limits.pluginCallsMax) {
      this.#stillSinceMs = this.#clock.monotonicMs();
    }
  }

  #leave(): void {
    this.#stillSinceMs = this.#clock.monotonicMs();
    const next = this.#waiting.shift();
    // The place goes from one to the other: nobody can come in between.
    if (next) next.go();
    else this.#running--;
    if (this.#waiting.length === 0) this.#stopLooking();
  }

  #wait(): Promise<void> {
    const { trouble } = this;
    if (trouble !== "") return Promise.reject(this.#refusal(trouble));
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        sinceMs: this.#clock.monotonicMs(),
        go: resolve,
        refuse: (reason) => reject(this.#refusal(reason)),
      });
      if (!this.#cancelLook) this.#lookLater();
    });
  }

  #lookLater(): void {
    const { pluginStuckMs } = this.#limits;
    const stillMs = this.#clock.monotonicMs() - this.#stillSinceMs;
    this.#cancelLook = this.#clock.after(Math.max(1, pluginStuckMs - stillMs), () => {
      this.#look();
      if (this.#waiting.length > 0) this.#lookLater();
      else this.#stopLooking();
    });
  }

  #look(): void {
    const nowMs = this.#clock.monotonicMs();
    const { pluginStuckMs, pluginWaitMs } = this.#limits;
    const { trouble } = this;
    if (nowMs - this.#stillSinceMs >= pluginStuckMs) {
      for (const waiter of this.#waiting.splice(0)) waiter.refuse(trouble);
      return;
    }
    const late = this.#waiting.findIndex(({ sinceMs }) => nowMs - sinceMs < pluginWaitMs);
    const lateCount = late < 0 ? this.#waiting.length : late;
    for (const waiter of this.#waiting.splice(0, lateCount)) {
      waiter.refuse(`the call waited ${pluginWaitMs} ms for its turn`);
    }
  }

  #stopLooking(): void {
    this.#cancelLook?.();
    this.#cancelLook = undefined;
  }

  #refusal(reason: string): PatchbayError {
    return new PatchbayError("PLUGIN_UNAVAILABLE", `Plugin ${this.#name}: ${reason}`);
  }
}
