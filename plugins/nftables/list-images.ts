import { strict as assert } from "node:assert";
import type { ListId, PlannedList } from "../../src/services/plan-types.ts";
import { endpointText, listOfSlot, slotKey, slotOf } from "./codecs.ts";
import { maglevTable } from "./maglev.ts";
import type { Maps } from "./maps.ts";
import { type ListName, PortIds } from "./port-ids.ts";
import { fillSlots, slotWeights } from "./slots.ts";
import type { StickyWays } from "./sticky-ways.ts";
import {
  frontendValue,
  HASH_SIZES,
  hashSize,
  hashWay,
  pickWay,
  SLOTS_MAX,
  seatWay,
} from "./ways.ts";

/** An endpoint ("10.1.0.5|8080"), or the seat of one where the list has affinity. */
type Slot = string | number;

/** A list as the kernel knows it. */
export interface HeldList {
  readonly number: number;
  planned: PlannedList;
  /** With affinity: seat of each endpoint. */
  readonly seats: Map<string, number>;
  slots: readonly Slot[];
  /** What the value of a frontend that leads here says; 0: not written yet. */
  way: number;
}

/** Why something of the plan is not in the kernel. */
export class NoRoom extends Error {}

/**
 * Lists of one family as elements: list and slot -> endpoint of the list's protocol; with affinity list and
 * slot -> seat, and seat -> endpoint, so that a client can be remembered by a number.
 */
export class ListImages {
  readonly #maps: Maps;
  readonly #sticky: StickyWays;
  readonly #ids = new PortIds();
  readonly #lists = new Map<ListId, HeldList>();
  /** While adopting: slots by list number, as the kernel holds them. */
  #found = new Map<number, Slot[]>();

  constructor(maps: Maps, sticky: StickyWays) {
    this.#maps = maps;
    this.#sticky = sticky;
  }

  find(id: ListId): HeldList | undefined {
    return this.#lists.get(id);
  }

  /** Forgets all; the maps hold what the kernel does. */
  startAdopting(): void {
    this.#ids.clear();
    this.#lists.clear();
    this.#found = new Map();
    const { slots, TCP, UDP, SCTP } = this.#maps;
    for (const map of [slots, TCP, UDP, SCTP]) {
      for (const [key, slot] of map.entries()) this.#noteFound(key, slot);
    }
    for (const number of this.#found.keys()) this.#ids.reserve(number);
  }

  /** The kernel knows the list by this number: it keeps it, and its endpoints their slots and seats. */
  adopt(planned: PlannedList, number: number): void {
    if (number === 0 || this.#lists.has(planned.id) || !this.#ids.adopt(nameOf(planned), number))
      return;
    const hasSeats = isSticky(planned);
    const found = this.#found.get(number) ?? [];
    const slots = found.map((slot) => ((typeof slot === "number") === hasSeats ? slot : HOLE));
    const seats = new Map<string, number>();
    for (const slot of new Set(slots)) {
      const endpoint = typeof slot === "number" ? this.#maps.seats.get(slot) : undefined;
      if (endpoint === undefined || typeof slot !== "number") continue;
      this.#ids.adoptSeat(planned.id, slot);
      seats.set(endpoint, slot);
    }
    this.#lists.set(planned.id, { number, planned, seats, slots, way: 0 });
  }

  /**
   * True: frontends that lead here have another value now. Throws NoRoom: the list is not there then. Of more
   * endpoints than there are slots the first ones serve: one Service must not stop the others.
   */
  put(given: PlannedList): boolean {
    const isTooLong = given.endpoints.length > SLOTS_MAX;
    const planned = isTooLong
      ? { ...given, endpoints: given.endpoints.slice(0, SLOTS_MAX) }
      : given;
    const held = this.#heldFor(planned);
    held.planned = planned;
    const endpoints = planned.endpoints.map((each) => endpointText(each.address, each.port));
    const names = isSticky(planned) ? this.#seat(held, endpoints) : endpoints;
    this.#writeSlots(held, slotsOf(held, names));
    return this.#writeWay(held);
  }

  remove(id: ListId): void {
    const held = this.#lists.get(id);
    if (held === undefined) return;
    this.#writeSlots(held, []);
    for (const seat of held.seats.values()) this.#unseat(held, seat);
    this.#maps.picks.remove(held.number);
    this.#lists.delete(id);
    this.#ids.forget(id);
  }

  /** Removes what no list has. */
  sweep(): void {
    const lists = new Map<number, HeldList>();
    const seats = new Set<number>();
    for (const held of this.#lists.values()) {
      lists.set(held.number, held);
      for (const seat of held.seats.values()) seats.add(seat);
    }
    const isSlot = (key: number, map: unknown): boolean => {
      const held = lists.get(listOfSlot(key));
      return (
        held !== undefined && this.#slotMap(held.planned) === map && slotOf(key) < held.slots.length
      );
    };
    const { slots, TCP, UDP, SCTP } = this.#maps;
    for (const map of [slots, TCP, UDP, SCTP]) map.keep((key) => isSlot(key, map));
    this.#maps.seats.keep((seat) => seats.has(seat));
    this.#maps.picks.keep((number) => hasPick(lists.get(number)));
    this.#found.clear();
  }

  #noteFound(key: number, slot: Slot): void {
    const number = listOfSlot(key);
    let slots = this.#found.get(number);
    if (slots === undefined) this.#found.set(number, (slots = []));
    // A list of which somebody took a slot has a hole.
    while (slots.length < slotOf(key)) slots.push(HOLE);
    slots[slotOf(key)] = slot;
  }

  /** With and without affinity a list has nothing in common but who leads to it. */
  #heldFor(planned: PlannedList): HeldList {
    const held = this.#lists.get(planned.id);
    if (held === undefined) return this.#newList(planned);
    if (isSticky(held.planned) === isSticky(planned)) return held;
    this.remove(planned.id);
    return this.#newList(planned);
  }

  #newList(planned: PlannedList): HeldList {
    const number = this.#ids.give(nameOf(planned));
    if (number === undefined) throw new NoRoom(`No number is left for ${planned.id}`);
    const held = { number, planned, seats: new Map<string, number>(), slots: [], way: 0 };
    this.#lists.set(planned.id, held);
    return held;
  }

  /** Seats of the endpoints, in order. */
  #seat(held: HeldList, endpoints: readonly string[]): readonly number[] {
    const wanted = new Set(endpoints);
    for (const [endpoint, seat] of held.seats) {
      if (wanted.has(endpoint)) continue;
      held.seats.delete(endpoint);
      this.#unseat(held, seat);
    }
    return endpoints.map((endpoint) => {
      const known = held.seats.get(endpoint);
      if (known !== undefined) return known;
      const seat = this.#ids.giveSeat(held.planned.id);
      if (seat === undefined) throw new NoRoom(`No seat is left in ${held.planned.id}`);
      held.seats.set(endpoint, seat);
      this.#maps.seats.put(seat, endpoint);
      return seat;
    });
  }

  #unseat(held: HeldList, seat: number): void {
    this.#maps.seats.remove(seat);
    this.#ids.forgetSeat(held.planned.id, seat);
  }

  #slotMap(planned: PlannedList): SlotMap {
    const { slots } = this.#maps;
    return isSticky(planned) ? slots : this.#maps[planned.protocol];
  }

  #writeSlots(held: HeldList, slots: readonly Slot[]): void {
    assert(slots.length <= SLOTS_MAX);
    const map = this.#slotMap(held.planned);
    // Adopted ones are all looked at: the kernel's may have holes.
    const isAdopted = held.way === 0;
    for (const [slot, value] of slots.entries()) {
      if (isAdopted || held.slots[slot] !== value) map.put(slotKey(held.number, slot), value);
    }
    for (let slot = slots.length; slot < held.slots.length; slot++) {
      map.remove(slotKey(held.number, slot));
    }
    held.slots = slots;
  }

  #writeWay(held: HeldList): boolean {
    const { planned, number, slots } = held;
    const before = held.way;
    if (planned.affinity === undefined || !isSticky(planned)) {
      held.way = isHashed(planned) ? hashWay(slots.length) : pickWay(slots.length);
    } else {
      this.#maps.picks.put(number, frontendValue(seatWay(slots.length), { list: number }));
      const way = this.#sticky.find(planned.affinity.seconds);
      assert(way !== undefined, "the plane makes the chains of a timeout before its lists");
      held.way = way;
    }
    return held.way !== before;
  }
}

const HOLE = 0;

/**
 * A list with affinity is a port of its own: what a client remembers of the cluster list must not lead it around
 * the policy Local of another.
 */
function nameOf(planned: PlannedList): ListName {
  const { id, portKey } = planned;
  return { id, portKey: isSticky(planned) ? id : portKey };
}

/** With more endpoints than there are seats for, and for those that come while others go, clients are not remembered. */
function isSticky({ affinity, endpoints }: PlannedList): boolean {
  return affinity !== undefined && endpoints.length <= SEATED_ENDPOINTS_MAX;
}

/** Endpoints of a list whose clients are remembered: half of its seats. */
const SEATED_ENDPOINTS_MAX = 8_000;

function hasPick(held: HeldList | undefined): boolean {
  return held !== undefined && isSticky(held.planned);
}

interface SlotMap {
  put(key: number, value: Slot): void;
  remove(key: number): void;
}

function slotsOf(held: HeldList, names: readonly Slot[]): readonly Slot[] {
  const { planned } = held;
  const weights = slotWeights(planned.endpoints);
  if (isHashed(planned)) {
    const named = names.map((name, index) => ({ name: String(name), weight: weights[index] ?? 1 }));
    return Array.from(maglevTable(named, hashSize(names.length)), (at) => names[at] ?? HOLE);
  }
  return fillSlots(held.slots, new Map(names.map((name, index) => [name, weights[index] ?? 1])));
}

/** With affinity a client stays anyway. More than the largest table can hold apart: at random. */
function isHashed(planned: PlannedList): boolean {
  const isFew = planned.endpoints.length < (HASH_SIZES.at(-1) ?? 0);
  return planned.pick === "consistent-hash" && !isSticky(planned) && isFew;
}
