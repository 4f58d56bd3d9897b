import { FIRST_STICKY_WAY, STICKY_WAYS } from "./ways.ts";

/** The API's default; it always has the same way. */
const DEFAULT_SECONDS = 10_800;

/**
 * Ways of affinity timeouts. The same timeouts get the same ways in nearly every order, so that what a restarted
 * host finds in the kernel means what it meant. When all ways are taken a timeout shares the way of
 * the nearest longer one (else the longest): affinity then lasts longer than asked, and no Service goes without.
 */
export class StickyWays {
  readonly #seconds = new Map<number, number>();

  /** Seconds by way. */
  get all(): ReadonlyMap<number, number> {
    return this.#seconds;
  }

  clear(): void {
    this.#seconds.clear();
  }

  find(seconds: number): number | undefined {
    for (const [way, known] of this.#seconds) if (known === seconds) return way;
    return this.#seconds.size >= STICKY_WAYS ? this.#nearest(seconds) : undefined;
  }

  /** The way of a timeout; `isNew`: its chains must be made first. */
  ensure(seconds: number): { readonly way: number; readonly isNew: boolean } {
    const known = this.find(seconds);
    if (known !== undefined) return { way: known, isNew: false };
    let at = seconds === DEFAULT_SECONDS ? 0 : 1 + (seconds % (STICKY_WAYS - 1));
    while (this.#seconds.has(FIRST_STICKY_WAY + at)) at = (at + 1) % STICKY_WAYS;
    this.#seconds.set(FIRST_STICKY_WAY + at, seconds);
    return { way: FIRST_STICKY_WAY + at, isNew: true };
  }

  #nearest(seconds: number): number | undefined {
    const sorted = [...this.#seconds].sort(([, a], [, b]) => a - b);
    return (sorted.find(([, known]) => known >= seconds) ?? sorted.at(-1))?.[0];
  }
}
