/** What a queue needs of its entries: when they were released, and two links that are the queue's own. */
export interface CoolingLinks<T> {
  releasedAtMs: number;
  previous: T | undefined;
  next: T | undefined;
}

/**
 * Released addresses in the order of their release, the longest cooled at the head. Every entry
 * is in at most one queue and may be taken out of its middle at once.
 */
export class CoolingQueue<T extends CoolingLinks<T>> {
  #head: T | undefined;
  #tail: T | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The entry that has cooled longest. */
  get head(): T | undefined {
    return this.#head;
  }

  /**
   * Adds an entry in the order of its release: at once when it is the newest or the oldest, else by
   * a walk from the nearer end in time.
   */
  push(entry: T): void {
    const { releasedAtMs } = entry;
    const head = this.#head;
    const tail = this.#tail;
    if (head === undefined || tail === undefined) return this.#insertAfter(undefined, entry);
    if (releasedAtMs - head.releasedAtMs < tail.releasedAtMs - releasedAtMs) {
      let after: T | undefined = head;
      while (after !== undefined && after.releasedAtMs <= releasedAtMs) after = after.next;
      return this.#insertAfter(after === undefined ? tail : after.previous, entry);
    }
    let before: T | undefined = tail;
    while (before !== undefined && before.releasedAtMs > releasedAtMs) before = before.previous;
    this.#insertAfter(before, entry);
  }

  remove(entry: T): void {
    if (entry.previous === undefined) this.#head = entry.next;
    else entry.previous.next = entry.next;
    if (entry.next === undefined) this.#tail = entry.previous;
    else entry.next.previous = entry.previous;
    entry.previous = undefined;
    entry.next = undefined;
    this.#size--;
  }

  /** The entries, the longest cooled first. */
  *[Symbol.iterator](): Generator<T> {
    for (let entry = this.#head; entry !== undefined; entry = entry.next) yield entry;
  }

  #insertAfter(before: T | undefined, entry: T): void {
    const after = before === undefined ? this.#head : before.next;
    entry.previous = before;
    entry.next = after;
    if (before === undefined) this.#head = entry;
    else before.next = entry;
    if (after === undefined) this.#tail = entry;
    else after.previous = entry;
    this.#size++;
  }
}
