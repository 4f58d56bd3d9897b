import { FullSet, lowestBit } from "./full-set.ts";
import type { Interval } from "./interval.ts";

/** Addresses of one row: as many as a word has bits. */
const ROW_SLOTS = 32;
/** Addresses of one page. A /64 has 2^53 pages, so that a page number is a safe integer. */
export const PAGE_SLOTS = 2048;
const PAGE_BITS = 11;
const SLOT_MASK = PAGE_SLOTS - 1;

/** A place in a segment: page times PAGE_SLOTS plus slot is the offset from the first address. */
export interface Spot {
  readonly page: number;
  readonly slot: number;
}

/** Addresses next to each other of which at least one is in use. */
interface Page<T> {
  /** A row that is not there is free. */
  readonly rows: (Row<T> | undefined)[];
  /** Slots that exist: PAGE_SLOTS, less in the last page of a segment. */
  readonly slots: number;
  used: number;
}

interface Row<T> {
  /** A set bit is an address in use. */
  word: number;
  readonly values: (T | undefined)[];
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
    return this.first + ((BigInt(spot.page) << BigInt(PAGE_BITS)) | BigInt(spot.slot));
  }

  get({ page, slot }: Spot): T | undefined {
    return this.#pages.get(page)?.rows[rowOf(slot)]?.values[slot % ROW_SLOTS];
  }

  /** Puts a value at a place, in the stead of the one that is there. */
  set({ page: pageNumber, slot }: Spot, value: T): void {
    const page = this.#ensurePage(pageNumber);
    const row = ensureRow(page, slot);
    const bit = 1 << (slot % ROW_SLOTS);
    row.values[slot % ROW_SLOTS] = value;
    if ((row.word & bit) !== 0) return;
    row.word |= bit;
    page.used++;
    this.#used++;
    if (page.used === page.slots) this.#fullPages.add(pageNumber);
  }

  /** Frees a place; absent is success. */
  delete({ page: pageNumber, slot }: Spot): void {
    const page = this.#pages.get(pageNumber);
    const row = page?.rows[rowOf(slot)];
    const bit = 1 << (slot % ROW_SLOTS);
    if (page === undefined || row === undefined || (row.word & bit) === 0) return;
    if (page.used === page.slots) this.#fullPages.delete(pageNumber);
    row.word &= ~bit;
    row.values[slot % ROW_SLOTS] = undefined;
    page.used--;
    this.#used--;
    if (row.word === 0) page.rows[rowOf(slot)] = undefined;
    if (page.used === 0) this.#pages.delete(pageNumber);
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
    let mask = -1 << (from % ROW_SLOTS);
    for (let index = rowOf(from); index < page.rows.length; index++) {
      const clear = ~(page.rows[index]?.word ?? 0) & mask;
      if (clear !== 0) {
        const slot = index * ROW_SLOTS + lowestBit(clear);
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
      const rows = new Array<Row<T> | undefined>(Math.ceil(slots / ROW_SLOTS)).fill(undefined);
      page = { rows, slots, used: 0 };
      this.#pages.set(pageNumber, page);
    }
    return page;
  }

  #spotOf(offset: bigint): Spot {
    if (offset <= 0x7fff_ffffn) {
      const small = Number(offset);
      return { page: small >>> PAGE_BITS, slot: small & SLOT_MASK };
    }
    return { page: Number(offset >> BigInt(PAGE_BITS)), slot: Number(offset & BigInt(SLOT_MASK)) };
  }
}

function rowOf(slot: number): number {
  return slot >>> 5;
}

function ensureRow<T>(page: Page<T>, slot: number): Row<T> {
  let row = page.rows[rowOf(slot)];
  if (row === undefined) {
    row = { word: 0, values: new Array<T | undefined>(ROW_SLOTS).fill(undefined) };
    page.rows[rowOf(slot)] = row;
  }
  return row;
}
