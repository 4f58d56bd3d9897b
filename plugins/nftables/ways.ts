/**
 * What a frontend's value in the kernel says, in 32 bits: who is masqueraded, which way to go, which
 * list. It travels in the packet's priority (skb->priority) from one rule to the next, for the first packet
 * of a connection only; the packet mark of others is never used as a carrier.
 *
 *     31        30..24   23..6     5..0
 *     everyone  way      port id   kind of list
 *
 * A seat (an endpoint of a list with affinity) has its number in 31..24 and 5..0, so that a list and its
 * seats have the same port id in the same bits: the key of the affinity map.
 */
export const EVERYONE_FLAG = 0x8000_0000;
export const WAY_MASK = 0x7f00_0000;
export const LIST_MASK = 0x00ff_ffff;
export const PORT_MASK = 0x00ff_ffc0;

export const PORTS_MAX = 1 << 18;
export const KINDS_MAX = 1 << 6;
/** Seats of one port: what bits 31..24 and 5..0 hold. */
export const SEATS_MAX = 1 << 14;

export const WAY_REFUSE = 1;
export const WAY_DISCARD = 2;
const FIRST_PICK_WAY = 3;
const LAST_WAY = 127;

export const SLOTS_MAX = 65_536;

/**
 * Sizes of the pick chains. A list of n slots uses the smallest size from n on; a random number
 * that meets no slot is drawn again, so that every slot has the same chance whatever n is.
 */
export const PICK_SIZES: readonly number[] = sizesGrowingBy(1.5);
/** The same for lists with affinity, where a pick is made once for a client: fewer. */
export const SEAT_SIZES: readonly number[] = sizesGrowingBy(2);

/** Sizes of consistent-hash tables: primes, as Maglev asks for (Eisenbud et al., NSDI 2016, 3.4). */
export const HASH_SIZES: readonly number[] = [251, 509, 1021, 2039, 4093, 8191, 16_381, 32_749];

export const FIRST_HASH_WAY = FIRST_PICK_WAY + PICK_SIZES.length;
export const FIRST_STICKY_WAY = FIRST_HASH_WAY + HASH_SIZES.length;
/** Different affinity timeouts at the same time. */
export const STICKY_WAYS = LAST_WAY - FIRST_STICKY_WAY + 1;

/** Way of a random pick among this many slots, 1 to SLOTS_MAX. */
export function pickWay(slots: number): number {
  const at = PICK_SIZES.findIndex((size) => size >= slots);
  return FIRST_PICK_WAY + (at < 0 ? PICK_SIZES.length - 1 : at);
}

/** Size of the table that pickWay() leads to. */
export function pickSizeOf(way: number): number | undefined {
  return PICK_SIZES[way - FIRST_PICK_WAY];
}

/** Way of a pick of a seat; these numbers are their own. */
export function seatWay(slots: number): number {
  const at = SEAT_SIZES.findIndex((size) => size >= slots);
  return 1 + (at < 0 ? SEAT_SIZES.length - 1 : at);
}

/** Size of the table that seatWay() leads to. */
export function seatSizeOf(way: number): number | undefined {
  return SEAT_SIZES[way - 1];
}

/** Table size for consistent hashing: a hundred slots for each endpoint keep shares within a percent or so. */
export function hashSize(endpoints: number): number {
  return HASH_SIZES.find((size) => size >= endpoints * 100) ?? HASH_SIZES.at(-1) ?? 0;
}

export function hashWay(size: number): number {
  return FIRST_HASH_WAY + HASH_SIZES.indexOf(size);
}

export function frontendValue(way: number, options: { list?: number; everyone?: boolean }): number {
  const flag = options.everyone === true ? EVERYONE_FLAG : 0;
  return (flag | (way << 24) | (options.list ?? 0)) >>> 0;
}

export function wayOf(value: number): number {
  return (value & WAY_MASK) >>> 24;
}

export function listOf(value: number): number {
  return value & LIST_MASK;
}

export function listNumber(port: number, kind: number): number {
  return (port << 6) | kind;
}

export function seatNumber(port: number, seat: number): number {
  return (((seat >>> 6) << 24) | (port << 6) | (seat & 63)) >>> 0;
}

/** The inverse of seatNumber(). */
export function seatOf(number: number): { readonly port: number; readonly seat: number } {
  return { port: (number & PORT_MASK) >>> 6, seat: ((number >>> 24) << 6) | (number & 63) };
}

/** Exact up to 16, then each larger by this factor. */
function sizesGrowingBy(factor: number): number[] {
  const sizes: number[] = [];
  for (let size = 1; size <= 16; size++) sizes.push(size);
  for (let size = 16 * factor; size < SLOTS_MAX; size = Math.ceil(size * factor)) sizes.push(size);
  sizes.push(SLOTS_MAX);
  return sizes;
}
