/** A set whose members are in it once for each who put them there, and which tells what changed since it was last asked. */
export class CountedSet<T> {
  readonly #counts = new Map<T, number>();
  /** Whether a member was in it when last asked, for those that were touched since. */
  readonly #before = new Map<T, boolean>();

  add(member: T): void {
    const count = this.#counts.get(member) ?? 0;
    if (count === 0) this.#touch(member, false);
    this.#counts.set(member, count + 1);
  }

  remove(member: T): void {
    const count = this.#counts.get(member) ?? 0;
    if (count === 0) return;
    if (count > 1) {
      this.#counts.set(member, count - 1);
    } else {
      this.#touch(member, true);
      this.#counts.delete(member);
    }
  }

  has(member: T): boolean {
    return this.#counts.has(member);
  }

  members(): ReadonlySet<T> {
    return new Set(this.#counts.keys());
  }

  /** What came and went since the last call. */
  takeChanges(): { readonly added: readonly T[]; readonly removed: readonly T[] } {
    const added: T[] = [];
    const removed: T[] = [];
    for (const [member, was] of this.#before) {
      const is = this.#counts.has(member);
      if (is && !was) added.push(member);
      if (was && !is) removed.push(member);
    }
    this.#before.clear();
    return { added, removed };
  }

  #touch(member: T, was: boolean): void {
    if (!this.#before.has(member)) this.#before.set(member, was);
  }
}
