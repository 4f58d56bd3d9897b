/** Who says that an attachment is leaked. */
export type Witness =
  /** Its network namespace is gone, or another one stands in its place. */
  | "netns-gone"
  /** The runtime's GC list does not have it. */
  | "not-in-gc-list"
  /** A plugin holds it and no record does. */
  | "no-record"
  /** The IPAMClaim that addresses are kept for is not defined. */
  | "claim-gone";

/** When a witness said so, first and last, monotonic ms. */
interface Word {
  readonly firstMs: number;
  readonly lastMs: number;
}

/**
 * The two-observations rule: one witness is believed when it says so twice with the grace period
 * between, two different ones when both spoke within the grace period: what one said long ago and
 * never again is not borne out by what another sees now. A witness that takes its word back starts
 * anew.
 * Others freed the addresses of living pods on one witness: calico#5044, whereabouts#176, dranet#103.
 */
export class LeakWatch {
  readonly #graceMs: number;
  readonly #suspicions = new Map<string, Map<Witness, Word>>();

  constructor(graceMs: number) {
    this.#graceMs = graceMs;
  }

  /** Records an observation; "new" the first time, "leaked" when the rule is met. */
  observe(id: string, witness: Witness, nowMs: number): "new" | "candidate" | "leaked" {
    const words = this.#suspicions.get(id) ?? new Map<Witness, Word>();
    const firstMs = words.get(witness)?.firstMs ?? nowMs;
    const isRepeated = words.has(witness) && nowMs - firstMs >= this.#graceMs;
    const isAgreed = [...words].some(
      ([other, { lastMs }]) => other !== witness && nowMs - lastMs <= this.#graceMs,
    );
    const isNew = words.size === 0;
    words.set(witness, { firstMs, lastMs: nowMs });
    this.#suspicions.set(id, words);
    if (isRepeated || isAgreed) return "leaked";
    return isNew ? "new" : "candidate";
  }

  /** The witness takes its word back, or all do. */
  clear(id: string, witness?: Witness): void {
    const words = this.#suspicions.get(id);
    if (!words) return;
    if (witness !== undefined) words.delete(witness);
    if (witness === undefined || words.size === 0) this.#suspicions.delete(id);
  }

  /** Drops suspicions of what is gone. */
  retain(isKnown: (id: string) => boolean): void {
    for (const id of this.#suspicions.keys()) {
      if (!isKnown(id)) this.#suspicions.delete(id);
    }
  }
}
