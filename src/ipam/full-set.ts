/** What a node of the tree looks like when nothing below it is missing: 32 ones. */
const FULL_WORD = -1;
const WORD_BITS = 32;

/**
 * A sparse set of full places: page numbers of a segment, segment numbers of a family. It answers
 * "which is the first place at or after this one that is not full" in O(log32 n).
 *
 * It is a tree of 32-way words kept as one map per level, from the leaves up. A bit in a level
 * above says "that whole word is full", so a word exists only where something below is full: the
 * memory follows the number of full places, not the size of the address space.
 */
export class FullSet {
  readonly #levels: Map<number, number>[] = [];

  /** Marks a place, 0 to 2^53-1, as full. */
  add(place: number): void {
    let index = place;
    for (let level = 0; ; level++) {
      const words = (this.#levels[level] ??= new Map());
      const wordIndex = Math.floor(index / WORD_BITS);
      const word = (words.get(wordIndex) ?? 0) | (1 << (index % WORD_BITS));
      words.set(wordIndex, word);
      if (word !== FULL_WORD) return;
      index = wordIndex;
    }
  }

  /** Marks a place as not full; absent is success. */
  delete(place: number): void {
    let index = place;
    for (const words of this.#levels) {
      const wordIndex = Math.floor(index / WORD_BITS);
      const before = words.get(wordIndex);
      if (before === undefined) return;
      const word = before & ~(1 << (index % WORD_BITS));
      if (word === 0) words.delete(wordIndex);
      else words.set(wordIndex, word);
      if (before !== FULL_WORD) return;
      index = wordIndex;
    }
  }

  /** The first place at or after `from` that is not full. It may lie past the end of the caller's space. */
  firstNotFull(from: number): number {
    let index = from;
    let level = 0;
    for (; ; level++) {
      const wordIndex = Math.floor(index / WORD_BITS);
      const word = this.#levels[level]?.get(wordIndex) ?? 0;
      const clear = ~word & (-1 << (index % WORD_BITS));
      if (clear !== 0) {
        index = wordIndex * WORD_BITS + lowestBit(clear);
        break;
      }
      index = wordIndex + 1;
    }
    while (level > 0) {
      level--;
      index = index * WORD_BITS + lowestBit(~(this.#levels[level]?.get(index) ?? 0));
    }
    return index;
  }
}

/** Number of the lowest set bit of a word that is not 0. */
export function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}
