import type { Family, IpAddress } from "../ip/address.ts";
import type { IpamConfig } from "./config.ts";
import { CoolingQueue } from "./cooling-queue.ts";
import type { Entry } from "./entry.ts";
import { FullSet } from "./full-set.ts";
import { subtractIntervals } from "./interval.ts";
import type { LeaseSubnet } from "./lease.ts";
import { ipamLimits } from "./limits.ts";
import type { IpamRange } from "./range.ts";
import { Segment, type Spot } from "./segment.ts";

/** An address that may be given out: the segment that it lies in, and where in it. */
export interface Place extends Spot {
  readonly part: Part;
}

/** A segment with what its leases carry. */
export interface Part {
  readonly index: number;
  readonly segment: Segment<Entry>;
  readonly subnet: LeaseSubnet;
}

/**
 * The addresses of one family of one network: which may be given out, which are held, which cool.
 * An entry outside of the ranges ("foreign": adopted, or left behind by a changed config) is kept
 * like any other, but never given out again.
 */
export class FamilySpace {
  readonly family: Family;
  /** Number of addresses that may be given out. */
  readonly capacity: bigint;
  readonly #parts: readonly Part[];
  /** The parts in order of their addresses, for lookups. */
  readonly #sortedParts: readonly Part[];
  readonly #fullParts = new FullSet();
  readonly #foreign = new Map<bigint, Entry>();
  readonly #cooling = new CoolingQueue<Entry>();
  readonly #foreignCooling = new CoolingQueue<Entry>();
  #used = 0;
  #cursor: Place | undefined;
  #lastGiven: IpAddress | undefined;

  constructor(family: Family, ranges: readonly IpamRange[]) {
    this.family = family;
    const own = ranges.filter((range) => range.family === family);
    this.#parts = partsOf(own);
    this.#sortedParts = this.#parts.toSorted((one, other) =>
      one.segment.first < other.segment.first ? -1 : 1,
    );
    this.capacity = this.#parts.reduce(
      (sum, { segment }) => sum + (segment.last - segment.first + 1n),
      0n,
    );
  }

  /** Number of addresses of the ranges that cool. */
  get coolingCount(): number {
    return this.#cooling.size;
  }

  /** Number of addresses of the ranges that are held. */
  get heldCount(): number {
    return this.#used - this.#cooling.size;
  }

  /** The address given last. */
  get lastGiven(): IpAddress | undefined {
    return this.#lastGiven;
  }

  find(address: bigint): Entry | undefined {
    const place = this.findPlace(address);
    return place === undefined ? this.#foreign.get(address) : place.part.segment.get(place);
  }

  /** Where the address lies in the ranges; undefined when it may not be given out. */
  findPlace(address: bigint): Place | undefined {
    const parts = this.#sortedParts;
    let low = 0;
    let high = parts.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const part = parts[middle]!;
      if (address < part.segment.first) high = middle - 1;
      else if (address > part.segment.last) low = middle + 1;
      else return placeIn(part, part.segment.findSpot(address)!);
    }
    return undefined;
  }

  /** The next free address after the one given last; the longest cooled when none is free. */
  findNext(): Place | undefined {
    return this.#findFree() ?? this.#cooling.head?.place;
  }

  /** The address at a place. */
  addressAt(place: Place): IpAddress {
    return { family: this.family, value: place.part.segment.addressAt(place) };
  }

  /** Puts an entry at a place, in the stead of the cooling one there, which is returned. */
  put(entry: Entry, place: Place): Entry | undefined {
    const { segment, index } = place.part;
    const displaced = segment.get(place);
    if (displaced === undefined) this.#used++;
    else this.#cooling.remove(displaced);
    entry.place = place;
    segment.set(place, entry);
    if (segment.isFull) this.#fullParts.add(index);
    if (entry.isCooling) this.#cooling.push(entry);
    return displaced;
  }

  /** Puts an entry into the ranges, or among the foreign ones when its address is in none. */
  putAnywhere(entry: Entry): Entry | undefined {
    const address = entry.address.value;
    const place = this.findPlace(address);
    if (place !== undefined) return this.put(entry, place);
    const displaced = this.#foreign.get(address);
    if (displaced !== undefined) this.#foreignCooling.remove(displaced);
    entry.place = undefined;
    this.#foreign.set(address, entry);
    if (entry.isCooling) this.#foreignCooling.push(entry);
    return displaced;
  }

  /** The next findNext starts after this place, where this address lies. */
  moveCursor(place: Place, address: IpAddress): void {
    this.#cursor = { part: place.part, page: place.page, slot: place.slot + 1 };
    this.#lastGiven = address;
  }

  /** The next findNext starts after this address, which may lie outside of the ranges. */
  moveCursorTo(address: IpAddress): void {
    const place = this.findPlace(address.value);
    if (place !== undefined) return this.moveCursor(place, address);
    this.#cursor = startOf(this.#sortedParts.find(({ segment }) => segment.first > address.value));
    this.#lastGiven = address;
  }

  /** Starts the cooldown of a held entry. */
  cool(entry: Entry, nowMs: number): void {
    entry.isCooling = true;
    entry.releasedAtMs = nowMs;
    entry.displaced = undefined;
    const queue = this.#queueOf(entry);
    queue.push(entry);
    if (queue.size > ipamLimits.coolingAddresses) this.free(queue.head!);
  }

  /** Frees an address, held or cooling, at once. */
  free(entry: Entry): void {
    if (entry.isCooling) this.#queueOf(entry).remove(entry);
    const { place } = entry;
    if (place === undefined) {
      this.#foreign.delete(entry.address.value);
      return;
    }
    const { segment, index } = place.part;
    if (segment.isFull) this.#fullParts.delete(index);
    segment.delete(place);
    this.#used--;
  }

  /** Frees every address that was released at this time or before. */
  expire(releasedAtMs: number): void {
    for (const queue of [this.#cooling, this.#foreignCooling]) {
      for (let head = queue.head; head !== undefined; head = queue.head) {
        if (head.releasedAtMs > releasedAtMs) break;
        this.free(head);
      }
    }
  }

  /** The cooling entries, the longest cooled first, those outside of the ranges last. */
  *cooling(): Generator<Entry> {
    yield* this.#cooling;
    yield* this.#foreignCooling;
  }

  #findFree(): Place | undefined {
    const parts = this.#parts;
    const from = this.#cursor ?? startOf(parts[0]);
    if (from === undefined) return undefined;
    const spot = from.part.segment.findFree(from);
    if (spot !== undefined) return placeIn(from.part, spot);
    let index = this.#fullParts.firstNotFull(from.part.index + 1);
    if (index >= parts.length) index = this.#fullParts.firstNotFull(0);
    const part = parts[index];
    const free = part?.segment.findFree(SEGMENT_START);
    return part === undefined || free === undefined ? undefined : placeIn(part, free);
  }

  #queueOf(entry: Entry): CoolingQueue<Entry> {
    return entry.place === undefined ? this.#foreignCooling : this.#cooling;
  }
}

/** The spaces of both families; that of a family without ranges has no capacity. */
export type FamilySpaces = Readonly<Record<Family, FamilySpace>>;

export function familySpacesOf({ ranges }: IpamConfig): FamilySpaces {
  return { 4: new FamilySpace(4, ranges), 6: new FamilySpace(6, ranges) };
}

const SEGMENT_START: Spot = { page: 0, slot: 0 };

function startOf(part: Part | undefined): Place | undefined {
  return part === undefined ? undefined : placeIn(part, SEGMENT_START);
}

function placeIn(part: Part, { page, slot }: Spot): Place {
  return { part, page, slot };
}

function partsOf(ranges: readonly IpamRange[]): Part[] {
  const gateways = ranges.flatMap(({ gateway }) => (gateway === undefined ? [] : [gateway]));
  const reserved = ranges.flatMap((range) => range.reserved);
  const holes = [...gateways, ...reserved].map(({ value }) => ({ first: value, last: value }));
  const parts: Part[] = [];
  for (const range of ranges) {
    const subnet = { prefixLength: range.subnet.prefixLength, gateway: range.gateway };
    for (const interval of subtractIntervals(range, [...holes, ...range.excludes])) {
      parts.push({ index: parts.length, segment: new Segment(interval), subnet });
    }
  }
  return parts;
}
