/** Who says that an attachment is leaked. */
export type Witness =
  /** Its network namespace is gone, or another one stands in its place. */
  | "netns-gone"
  /** The runtime's GC list does not have it. */
  | "not-in-gc-list"
  /** The runtime's list of sandboxes does not have it. */
  | "not-in-sandbox-list"
  /** The API server does not have its pod. */
  | "not-in-pod-list"
  /** A plugin holds it and no record does. */
  | "no-record"
  /** The IPAMClaim that addresses are kept for is not defined. */
  | "claim-gone";

/** Two witnesses of one mouth are one: a runtime that lost its state leaves pods out of both its lists. */
const MOUTHS: Readonly<Record<Witness, string>> = {
  "netns-gone": "kernel",
  "not-in-gc-list": "runtime",
  "not-in-sandbox-list": "runtime",
  "not-in-pod-list": "cluster",
  "no-record": "plugin",
  "claim-gone": "definitions",
};

/**
 * Only bears out what another one says, however often it speaks: a pod that was deleted by force is gone from
 * the API server while its containers run, and for as long as its kubelet is away.
 */
function isWeak(witness: Witness): boolean {
  return witness === "not-in-pod-list";
}

/** When a witness said so, first and last, monotonic ms. */
interface Word {
  readonly firstMs: number;
  readonly lastMs: number;
}

/**
 * The two-observations rule: one witness is believed when it says so twice with the grace period
 * between, two of different mouths when both spoke within the grace period: what one said long ago and
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

  /** Records an observation; "new" when it is the first that could come to something by itself, "leaked" when the rule is met. */
  observe(id: string, witness: Witness, nowMs: number): "new" | "candidate" | "leaked" {
    const words = this.#suspicions.get(id) ?? new Map<Witness, Word>();
    const firstMs = words.get(witness)?.firstMs ?? nowMs;
    const isRepeated = words.has(witness) && !isWeak(witness) && nowMs - firstMs >= this.#graceMs;
    const isAgreed = [...words].some(
      ([other, { lastMs }]) => MOUTHS[other] !== MOUTHS[witness] && nowMs - lastMs <= this.#graceMs,
    );
    const isNew = !isWeak(witness) && [...words.keys()].every(isWeak);
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
