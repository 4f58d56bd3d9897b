/** So many at once, then one in each pause. */
export class TokenBucket {
  readonly #burst: number;
  readonly #refillMs: number;
  #tokens: number;
  /** From when on the next token grows, monotonic ms; undefined: it is full. */
  #growsMs: number | undefined;

  constructor(options: { readonly burst: number; readonly refillMs: number }) {
    this.#burst = options.burst;
    this.#refillMs = options.refillMs;
    this.#tokens = options.burst;
  }

  /** Monotonic time at which there is one: `nowMs` when there is one now. */
  readyMs(nowMs: number): number {
    this.#grow(nowMs);
    if (this.#tokens > 0 || this.#growsMs === undefined) return nowMs;
    return this.#growsMs + this.#refillMs;
  }

  /** False: there is none. */
  take(nowMs: number): boolean {
    this.#grow(nowMs);
    if (this.#tokens === 0) return false;
    this.#tokens--;
    this.#growsMs ??= nowMs;
    return true;
  }

  #grow(nowMs: number): void {
    if (this.#growsMs === undefined) return;
    const grown = Math.floor((nowMs - this.#growsMs) / this.#refillMs);
    this.#tokens = Math.min(this.#burst, this.#tokens + grown);
    this.#growsMs =
      this.#tokens === this.#burst ? undefined : this.#growsMs + grown * this.#refillMs;
  }
}
