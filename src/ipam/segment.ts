import { FullSet, lowestBit } from "./full-set.ts";
import type { Interval } from "./interval.ts";

/** Addresses of one page. A /64 has 2^52 pages, so that a page number is a safe integer. */
export const PAGE_SLOTS = 4096;
const PAGE_BITS = 12n;
const SLOT_MASK = 4095n;
const WORD_BITS = 32;

/** A place in a segment: page times PAGE_SLOTS plus slot is the offset from the first address. */
export interface Spot {
  readonly page: number;
  readonly slot: number;
}

/** Addresses next to each other of which at least one is in use. */
interface Page<T> {
  /** A set bit is an address in use. */
  readonly words: Int32Array;
  /** What the addresses in use hold, by slot. */
  readonly values: Map<number, T>;
  /** Slots that exist: PAGE_SLOTS, less in the last page of a segment. */
  readonly slots: number;
}

/**
 * A run of up to 2^64 addresses of which some are in use, each with a value. Only pages with an
 * address in use exist, so the memory follows the number of addresses in use.
 */
export class Segment<T> {
  readonly first: bigint;
  readonly last: bigint;
  /** Number of addresses; exact up to 2^53, which is more than can ever be in use. */
  readonly size: number;
  readonly #pageCount: number;
  readonly #lastPageSlots: number;
  readonly #pages = new Map<number, Page<T>>();
  readonly #fullPages = new FullSet();
  #used = 0;

  constructor({ first, last }: Interval) {
    this.first = first;
    this.last = last;
    this.size = Number(last - first + 1n);
    const lastSpot = this.#spotOf(last - first);
    this.#pageCount = lastSpot.page + 1;
    this.#lastPageSlots = lastSpot.slot + 1;
  }

  /** Number of addresses in use. */
  get used(): number {
    return this.#used;
  }

  get isFull(): boolean {
    return this.#used === this.size;
  }

  /** Number of pages that exist in memory. */
  get pagesInMemory(): number {
    return this.#pages.size;
  }

  /** The place of an address, or undefined when it lies outside. */
  findSpot(address: bigint): Spot | undefined {
    if (address < this.first || address > this.last) return undefined;
    return this.#spotOf(address - this.first);
  }

  /** The address at a place. */
  addressAt(spot: Spot): bigint {
    return this.first + ((BigInt(spot.page) << PAGE_BITS) | BigInt(spot.slot));
  }

  get(spot: Spot): T | undefined {
    return this.#pages.get(spot.page)?.values.get(spot.slot);
  }

  /** Puts a value at a place, in the stead of the one that is there. */
  set(spot: Spot, value: T): void {
    const page = this.#ensurePage(spot.page);
    const used = page.values.size;
    page.values.set(spot.slot, value);
    if (page.values.size === used) return;
    this.#used++;
    const word = spot.slot >>> 5;
    page.words[word] = page.words[word]! | (1 << (spot.slot % WORD_BITS));
    if (page.values.size === page.slots) this.#fullPages.add(spot.page);
  }

  /** Frees a place; absent is success. */
  delete(spot: Spot): void {
    const page = this.#pages.get(spot.page);
    if (page === undefined || !page.values.delete(spot.slot)) return;
    this.#used--;
    const word = spot.slot >>> 5;
    page.words[word] = page.words[word]! & ~(1 << (spot.slot % WORD_BITS));
    if (page.values.size === page.slots - 1) this.#fullPages.delete(spot.page);
    if (page.values.size === 0) this.#pages.delete(spot.page);
  }

  /** The first free place at or after `from`, which may lie one past the end of its page or segment. */
  findFree(from: Spot): Spot | undefined {
    if (from.page < this.#pageCount) {
      const slot = this.#findFreeSlot(from.page, from.slot);
      if (slot !== undefined) return { page: from.page, slot };
    }
    const page = this.#fullPages.firstNotFull(from.page + 1);
    if (page >= this.#pageCount) return undefined;
    return { page, slot: this.#findFreeSlot(page, 0)! };
  }

  #findFreeSlot(pageNumber: number, from: number): number | undefined {
    const slots = pageNumber === this.#pageCount - 1 ? this.#lastPageSlots : PAGE_SLOTS;
    if (from >= slots) return undefined;
    const page = this.#pages.get(pageNumber);
    if (page === undefined) return from;
    const { words } = page;
    let mask = -1 << (from % WORD_BITS);
    for (let index = from >>> 5; index < words.length; index++) {
      const clear = ~words[index]! & mask;
      if (clear !== 0) {
        const slot = index * WORD_BITS + lowestBit(clear);
        return slot < slots ? slot : undefined;
      }
      mask = -1;
    }
    return undefined;
  }

  #ensurePage(pageNumber: number): Page<T> {
    let page = this.#pages.get(pageNumber);
    if (page === undefined) {
      const slots = pageNumber === this.#pageCount - 1 ? this.#lastPageSlots : PAGE_SLOTS;
      page = { words: new Int32Array(Math.ceil(slots / WORD_BITS)), values: new Map(), slots };
      this.#pages.set(pageNumber, page);
    }
    return page;
  }

  #spotOf(offset: bigint): Spot {
    if (offset <= 0x7fff_ffffn) {
      const small = Number(offset);
      return { page: small >>> 12, slot: small & 4095 };
    }
    return { page: Number(offset >> PAGE_BITS), slot: Number(offset & SLOT_MASK) };
  }
}
