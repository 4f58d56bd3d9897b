import type { Clock } from "../../core/ports.ts";

/** Pause before a port that could not be had is tried again, ms. */
export const RETRY_MS = 5_000;
/** Ports of one set that are listened on at the same time: descriptors are shared with CNI. */
export const LISTENERS_MAX = 8_192;

/** What shall be listened on. Two with the same key are the same listener. */
export interface ListenerSpec {
  readonly key: string;
}

export interface OpenListener {
  /** Frees the port before it returns. */
  close(): void;
}

export type ListenerEvent =
  /** After "failed". */
  | { readonly kind: "recovered"; readonly key: string }
  /** Told once, not at each retry. `code` is the errno's name, "" for anything else. */
  | {
      readonly kind: "failed";
      readonly key: string;
      readonly code: string;
      readonly message: string;
    }
  /** More ports than the bound: so many wait for room. Told when their number changes. */
  | { readonly kind: "over-limit"; readonly count: number };

interface Slot<Spec> {
  readonly spec: Spec;
  isWanted: boolean;
  isReported: boolean;
  listener?: OpenListener;
  cancelRetry?: () => void;
}

/**
 * Keeps ports open that are wanted. One that somebody else has is reported, tried again every
 * RETRY_MS, and holds up no other.
 */
export class ListenerSet<Spec extends ListenerSpec> {
  readonly #open: (spec: Spec) => Promise<OpenListener>;
  readonly #clock: Clock;
  readonly #onEvent: (event: ListenerEvent) => void;
  readonly #listenersMax: number;
  readonly #slots = new Map<string, Slot<Spec>>();
  /** For which there is no room. */
  readonly #waiting = new Map<string, Spec>();
  /** The last attempt under way of each key: the next one waits for it, or they would fight for the port. */
  readonly #opening = new Map<string, Promise<void>>();

  constructor(
    open: (spec: Spec) => Promise<OpenListener>,
    options: {
      readonly clock: Clock;
      readonly onEvent: (event: ListenerEvent) => void;
      readonly listenersMax?: number;
    },
  ) {
    this.#open = open;
    this.#clock = options.clock;
    this.#onEvent = options.onEvent;
    this.#listenersMax = options.listenersMax ?? LISTENERS_MAX;
  }

  /** Closes what is no longer wanted, then starts to open what is new. Others are not touched. */
  reconcile(desired: ReadonlyMap<string, Spec>): void {
    const known = [...this.#slots.keys(), ...this.#waiting.keys()];
    this.change({
      remove: known.filter((key) => !desired.has(key)),
      put: [...desired.values()],
    });
  }

  /** The same for a difference. What is there already is kept as it is. */
  change(change: { readonly put: readonly Spec[]; readonly remove: readonly string[] }): void {
    const waitingBefore = this.#waiting.size;
    for (const key of change.remove) {
      this.#waiting.delete(key);
      this.#remove(key);
    }
    for (const spec of change.put) {
      if (!this.#slots.has(spec.key)) this.#waiting.set(spec.key, spec);
    }
    for (const [key, spec] of this.#waiting) {
      if (this.#slots.size >= this.#listenersMax) break;
      this.#waiting.delete(key);
      this.#add(spec);
    }
    const count = this.#waiting.size;
    if (count > 0 && count !== waitingBefore) this.#onEvent({ kind: "over-limit", count });
  }

  /** Keys that are listened on now. */
  openKeys(): readonly string[] {
    return [...this.#slots.values()]
      .filter((slot) => slot.listener !== undefined)
      .map((slot) => slot.spec.key);
  }

  /** Resolves when no attempt is under way. A port that could not be had counts as settled. */
  async settled(): Promise<void> {
    while (this.#opening.size > 0) await Promise.all(this.#opening.values());
  }

  /** Closes all; resolves when all ports are free. */
  async close(): Promise<void> {
    this.#waiting.clear();
    for (const key of [...this.#slots.keys()]) this.#remove(key);
    await this.settled();
  }

  #add(spec: Spec): void {
    const slot: Slot<Spec> = { spec, isWanted: true, isReported: false };
    this.#slots.set(spec.key, slot);
    this.#start(slot);
  }

  #remove(key: string): void {
    const slot = this.#slots.get(key);
    if (slot === undefined) return;
    this.#slots.delete(key);
    slot.isWanted = false;
    slot.cancelRetry?.();
    slot.listener?.close();
  }

  #start(slot: Slot<Spec>): void {
    const { key } = slot.spec;
    const before = this.#opening.get(key) ?? Promise.resolve();
    const attempt = before.then(() => this.#attempt(slot));
    this.#opening.set(key, attempt);
    void attempt.then(() => {
      if (this.#opening.get(key) === attempt) this.#opening.delete(key);
    });
  }

  /** Never rejects. */
  async #attempt(slot: Slot<Spec>): Promise<void> {
    if (!slot.isWanted) return;
    try {
      const listener = await this.#open(slot.spec);
      if (slot.isWanted) this.#opened(slot, listener);
      else listener.close();
    } catch (error) {
      if (slot.isWanted) this.#failed(slot, error);
    }
  }

  #opened(slot: Slot<Spec>, listener: OpenListener): void {
    slot.listener = listener;
    if (slot.isReported) this.#onEvent({ kind: "recovered", key: slot.spec.key });
  }

  #failed(slot: Slot<Spec>, error: unknown): void {
    slot.cancelRetry = this.#clock.after(RETRY_MS, () => this.#start(slot));
    if (slot.isReported) return;
    slot.isReported = true;
    this.#onEvent({ kind: "failed", key: slot.spec.key, ...describe(error) });
  }
}

/** Name of the errno and message of anything thrown. */
function describe(error: unknown): { code: string; message: string } {
  if (!(error instanceof Error)) return { code: "", message: String(error) };
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  return { code, message: error.message };
}
