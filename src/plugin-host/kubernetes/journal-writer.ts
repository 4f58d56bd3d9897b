import type { Clock } from "../core/ports.ts";
import { LIMITS } from "../limits.ts";
import type { ObjectKey } from "../../services/objects.ts";
import type { Kept } from "./objects/kept.ts";
import type { Journal } from "./object-journal.ts";
import type { Held, StoreChange } from "./resource-store.ts";

/** What the writer reads of a store. */
export interface JournaledStore {
  readonly version: string;
  /** False: what it holds is not to be written as of its version. */
  readonly isTrusted: boolean;
  held(key: ObjectKey): Held | undefined;
  keys(): Iterable<ObjectKey>;
}

/** Wire form of one object in the journal. */
interface JournaledValue {
  /** resourceVersion */
  readonly v: string;
  readonly o: Kept;
}

export interface RestoredResource {
  readonly version: string;
  readonly objects: (readonly [ObjectKey, Held])[];
  /** It was true not long ago: a watch may go on from it. */
  readonly isFresh: boolean;
}

interface Pending {
  readonly store: JournaledStore;
  /** Keys of which the journal knows less than the store. */
  dirty: Set<ObjectKey>;
  /** The journal holds nothing that is complete: everything is written anew, in parts. */
  isNew: boolean;
  /** In the middle of that. */
  isPartial: boolean;
  /** The version that was written last. */
  written: string;
}

/**
 * Writes stores down behind their backs: what changed in a while in one transaction with the version
 * it leads to, a first list in parts, so that nobody waits long. A failure costs the journal for a while,
 * nothing else: what stands there is of one version still, only older.
 */
export class JournalWriter {
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  readonly #resources = new Map<string, Pending>();
  #cancel: (() => void) | undefined;
  /** Nothing is written until forget(). */
  #isHeld = false;
  /** What stands in the journal is still to be forgotten. */
  #isForeign = false;
  /** The last write failed: the disk is full, for example. */
  #isFailing = false;

  constructor(options: {
    readonly journal: Journal;
    readonly clock: Clock;
    readonly onError: (error: unknown) => void;
  }) {
    this.#journal = options.journal;
    this.#clock = options.clock;
    this.#onError = options.onError;
  }

  /**
   * Reads what stands of a resource, for its store; each object as `revive` makes it of what was written. Undefined:
   * nothing, or something that this host did not write.
   */
  read(resource: string, revive: (kept: Kept) => Kept): RestoredResource | undefined {
    const found = this.#journal.read(resource);
    if (found === undefined) return undefined;
    const objects: (readonly [ObjectKey, Held])[] = [];
    for (const { key, value } of found.objects) {
      const held = reviveHeld(key, value, revive);
      if (held === undefined) return undefined;
      objects.push([key as ObjectKey, held]);
    }
    const ageMs = Math.abs(this.#clock.wallMs() - found.writtenMs);
    return { version: found.version, objects, isFresh: ageMs <= LIMITS.kubernetesResumeMs };
  }

  /** From now on what noted() says of the resource is written. */
  follow(resource: string, store: JournaledStore, options: { readonly isRestored: boolean }): void {
    this.#resources.set(resource, {
      store,
      dirty: new Set(),
      isNew: !options.isRestored,
      isPartial: false,
      written: options.isRestored ? store.version : "",
    });
  }

  /** The store has changed, or its version has. */
  noted(resource: string, changes: readonly StoreChange[] = []): void {
    const pending = this.#resources.get(resource);
    if (!pending || this.#isHeld) return;
    // Where everything is written anew, no key need be remembered.
    if (!pending.isNew) for (const { key } of changes) pending.dirty.add(key);
    this.#cancel ??= this.#clock.after(LIMITS.kubernetesJournalMs, () => this.#flush());
  }

  /** Everything that is there is of another cluster. */
  forget(): void {
    this.#isHeld = false;
    this.#isForeign = true;
    for (const pending of this.#resources.values()) {
      Object.assign(pending, { dirty: new Set(), isNew: true, isPartial: false, written: "" });
    }
    try {
      this.#forgetForeign();
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#cancel ??= this.#clock.after(LIMITS.kubernetesJournalMs, () => this.#flush());
  }

  /** It may be that everything that is there is of another cluster: nothing is added until it is forgotten. */
  hold(): void {
    this.#isHeld = true;
  }

  #forgetForeign(): void {
    if (!this.#isForeign) return;
    this.#journal.forget();
    this.#isForeign = false;
  }

  /** Writes what is left, where that is little. */
  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#isHeld || this.#isForeign) return;
    for (const [resource, pending] of this.#resources) {
      const isLittle = pending.dirty.size <= LIMITS.kubernetesJournalBatchMax;
      if (this.#isFailing || pending.isNew || pending.isPartial || !isLittle) continue;
      try {
        this.#write(resource, pending);
      } catch (error) {
        this.#onError(error);
        return;
      }
    }
  }

  #flush(): void {
    this.#cancel = undefined;
    for (const [resource, pending] of this.#resources) {
      let isMore: boolean;
      try {
        this.#forgetForeign();
        isMore = this.#write(resource, pending);
      } catch (error) {
        this.#fail(error);
        return;
      }
      if (!isMore) continue;
      // Others first.
      this.#cancel = this.#clock.after(0, () => this.#flush());
      return;
    }
  }

  /** Tells once of failures in a row. Nothing is remembered for the next try but that all is to be written. */
  #fail(error: unknown): void {
    for (const pending of this.#resources.values()) {
      Object.assign(pending, { dirty: new Set(), isNew: true, isPartial: false });
    }
    this.#cancel?.();
    this.#cancel = this.#clock.after(LIMITS.kubernetesJournalRetryMs, () => this.#flush());
    if (this.#isFailing) return;
    this.#isFailing = true;
    this.#onError(error);
  }

  /** Returns true when there is more to write. Throws what the journal throws. */
  #write(resource: string, pending: Pending): boolean {
    const { store } = pending;
    if (!store.isTrusted) return false;
    if (pending.isNew) {
      // Everything; what changes meanwhile comes once more at the end, with the version.
      pending.dirty = new Set(store.keys());
    } else if (pending.dirty.size === 0 && store.version === pending.written) {
      return false;
    }
    const isPartial = pending.isNew || pending.isPartial;
    const keys = [...pending.dirty].slice(
      0,
      isPartial ? LIMITS.kubernetesJournalBatchMax : undefined,
    );
    const isLast = keys.length === pending.dirty.size;
    const { version } = store;
    this.#journal.write({
      resource,
      version: isLast ? version : undefined,
      objects: keys.map((key) => [key, toWire(store.held(key))] as const),
      isNew: pending.isNew,
      wallMs: this.#clock.wallMs(),
    });
    this.#isFailing = false;
    for (const key of keys) pending.dirty.delete(key);
    pending.isNew = false;
    pending.isPartial = !isLast;
    if (isLast) pending.written = version;
    return !isLast;
  }
}

/** A copy is no reason not to start: what cannot be read is as if it were not there. */
function reviveHeld(key: string, wire: unknown, revive: (kept: Kept) => Kept): Held | undefined {
  const { v, o } = (wire ?? {}) as Partial<JournaledValue>;
  if (typeof v !== "string" || o?.key !== key) return undefined;
  try {
    return { value: revive(o), version: v };
  } catch {
    return undefined;
  }
}

function toWire(held: Held | undefined): JournaledValue | undefined {
  return held && { v: held.version, o: held.value };
}
