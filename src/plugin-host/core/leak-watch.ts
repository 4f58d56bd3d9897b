/** Who says that an attachment is leaked. */
export type Witness =
  /** Its network namespace is gone, or another one stands in its place. */
  | "netns-gone"
  /** The runtime's GC list does not have it. */
  | "not-in-gc-list"
  /** A plugin holds it and no record does. */
  | "no-record";

interface Suspicion {
  /** When each witness first said so, monotonic ms. */
  readonly since: Map<Witness, number>;
}

/**
 * The two-observations rule: one witness is believed when it says so twice with the grace period
 * between, two different witnesses at once. A witness that takes its word back starts anew.
 * Others freed the addresses of living pods on one witness: calico#5044, whereabouts#176, dranet#103.
 */
export class LeakWatch {
  readonly #graceMs: number;
  readonly #suspicions = new Map<string, Suspicion>();

  constructor(graceMs: number) {
    this.#graceMs = graceMs;
  }

  /** Records an observation; "new" the first time, "leaked" when the rule is met. */
  observe(id: string, witness: Witness, nowMs: number): "new" | "candidate" | "leaked" {
    const known = this.#suspicions.get(id);
    if (!known) {
      this.#suspicions.set(id, { since: new Map([[witness, nowMs]]) });
      return "new";
    }
    const since = known.since.get(witness);
    if (since === undefined) known.since.set(witness, nowMs);
    const repeated = since !== undefined && nowMs - since >= this.#graceMs;
    return repeated || known.since.size >= 2 ? "leaked" : "candidate";
  }

  /** The witness takes its word back, or all do. */
  clear(id: string, witness?: Witness): void {
    const known = this.#suspicions.get(id);
    if (!known) return;
    if (witness !== undefined) known.since.delete(witness);
    if (witness === undefined || known.since.size === 0) this.#suspicions.delete(id);
  }

  /** Drops suspicions of what is gone. */
  retain(isKnown: (id: string) => boolean): void {
    for (const id of this.#suspicions.keys()) {
      if (!isKnown(id)) this.#suspicions.delete(id);
    }
  }
}
