import type { Clock } from "../../core/ports.ts";

/** One client's socket towards one endpoint. */
export interface Association {
  close(): void;
}

interface Entry<Kept> {
  readonly kept: Kept;
  lastMs: number;
}

/**
 * UDP has no end of a connection: associations expire when nothing passes for a while, and at
 * their bound the one unused longest gives way, since a resolver with a fresh port for each question
 * would fill any table.
 */
export class Associations<Kept extends Association> {
  readonly #clock: Clock;
  readonly #max: number;
  readonly #idleMs: number;
  /** The one unused longest comes first. */
  readonly #entries = new Map<string, Entry<Kept>>();
  #cancelSweep: (() => void) | undefined;

  constructor(options: { readonly clock: Clock; readonly max: number; readonly idleMs: number }) {
    this.#clock = options.clock;
    this.#max = options.max;
    this.#idleMs = options.idleMs;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Finds one that is used now. */
  use(key: string): Kept | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    entry.lastMs = this.#clock.monotonicMs();
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.kept;
  }

  /** Returns true when another one had to give way. */
  add(key: string, kept: Kept): boolean {
    const [oldest] = this.#entries.keys();
    const isFull = this.#entries.size >= this.#max && oldest !== undefined;
    if (isFull) this.remove(oldest);
    this.#entries.set(key, { kept, lastMs: this.#clock.monotonicMs() });
    this.#scheduleSweep();
    return isFull;
  }

  /** Closes it. With `kept`: only if it is that one and no later one. */
  remove(key: string, kept?: Kept): void {
    const entry = this.#entries.get(key);
    if (entry === undefined || (kept !== undefined && entry.kept !== kept)) return;
    this.#entries.delete(key);
    entry.kept.close();
  }

  removeWhere(isOver: (kept: Kept) => boolean): void {
    for (const [key, { kept }] of [...this.#entries]) {
      if (isOver(kept)) this.remove(key);
    }
  }

  close(): void {
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
    this.removeWhere(() => true);
  }

  /** One timer for all, due when the oldest is. */
  #scheduleSweep(): void {
    if (this.#cancelSweep !== undefined) return;
    const [oldest] = this.#entries.values();
    if (oldest === undefined) return;
    const delayMs = oldest.lastMs + this.#idleMs - this.#clock.monotonicMs();
    this.#cancelSweep = this.#clock.after(Math.max(0, delayMs), () => {
      this.#cancelSweep = undefined;
      this.#sweep();
      this.#scheduleSweep();
    });
  }

  #sweep(): void {
    const untilMs = this.#clock.monotonicMs() - this.#idleMs;
    for (const [key, { lastMs }] of [...this.#entries]) {
      if (lastMs > untilMs) return;
      this.remove(key);
    }
  }
}
