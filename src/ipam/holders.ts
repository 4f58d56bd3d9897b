import type { Entry } from "./entry.ts";

/** Attachments without an address that may stay in the map before it is made anew. */
const EMPTY_LIMIT = 256;
const NONE: readonly Entry[] = [];

/**
 * The addresses of each attachment.
 *
 * One that gives up its last address stays in the map with none until there are more such than
 * holders. Deleting would make the map rehash all the time, and V8 links each outgrown table to
 * the next: one that is old keeps all that follow, and what they held, from the scavenger. At a
 * million changes a second that costs a third of the speed.
 */
export class Holders {
  #entriesOf = new Map<string, readonly Entry[]>();
  #emptyCount = 0;

  /** What the attachment holds, in the order in which it got it. */
  get(attachmentId: string): readonly Entry[] {
    return this.#entriesOf.get(attachmentId) ?? NONE;
  }

  add(entry: Entry): void {
    const { attachmentId } = entry.owner;
    const before = this.#entriesOf.get(attachmentId);
    if (before === NONE) this.#emptyCount--;
    this.#entriesOf.set(attachmentId, before === undefined ? [entry] : [...before, entry]);
  }

  remove(entry: Entry): void {
    const { attachmentId } = entry.owner;
    const after = this.get(attachmentId).filter((other) => other !== entry);
    this.#entriesOf.set(attachmentId, after.length === 0 ? NONE : after);
    if (after.length > 0) return;
    this.#emptyCount++;
    if (this.#emptyCount > EMPTY_LIMIT + this.#entriesOf.size / 2) this.#dropEmpty();
  }

  /** Everything that is held; what is added or removed meanwhile does no harm. */
  *[Symbol.iterator](): Generator<Entry> {
    for (const entries of this.#entriesOf.values()) yield* entries;
  }

  #dropEmpty(): void {
    const full = new Map<string, readonly Entry[]>();
    for (const [attachmentId, entries] of this.#entriesOf) {
      if (entries !== NONE) full.set(attachmentId, entries);
    }
    this.#entriesOf = full;
    this.#emptyCount = 0;
  }
}
