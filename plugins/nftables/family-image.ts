import { strict as assert } from "node:assert";
import type { Family, IpPrefix } from "../../src/ip/address.ts";
import type { ElementRun, SetPlace } from "../../src/kernel/nfnetlink.ts";
import type { AddressText, FrontendKey } from "../../src/services/model.ts";
import type { ListId, PlannedFrontend, PlannedList, Route } from "../../src/services/plan-types.ts";
import {
  addressCodec,
  type Codec,
  endpointCodec,
  endpointText,
  frontendCodec,
  frontendRangeCodec,
  hairpinCodec,
  number32,
  rangeCodec,
  slotCodec,
  slotKey,
} from "./codecs.ts";
import { ImageMap } from "./image-map.ts";
import { maglevTable } from "./maglev.ts";
import { PortIds } from "./port-ids.ts";
import { rangesOf } from "./ranges.ts";
import { TABLE } from "./skeleton.ts";
import { fillSlots, slotWeights } from "./slots.ts";
import type { StickyWays } from "./sticky-ways.ts";
import {
  frontendValue,
  HASH_SIZES,
  hashSize,
  hashWay,
  pickWay,
  SLOTS_MAX,
  WAY_DISCARD,
  WAY_REFUSE,
} from "./ways.ts";

/** A list as the kernel knows it. */
interface HeldList {
  readonly number: number;
  planned: PlannedList;
  /** Seat of each endpoint. */
  readonly seats: Map<string, number>;
  slots: readonly number[];
  /** What the value of a frontend that leads here says. */
  way: number;
  readonly users: Set<FrontendKey>;
}

/** Why something of the plan is not in the kernel. */
export class NoRoom extends Error {}

/**
 * One family of the plan as elements of our table's maps: frontend -> way and list, list and slot -> seat,
 * seat -> endpoint. Pure: put and remove change an image of the kernel, drain() says the difference.
 */
export class FamilyImage {
  readonly family: Family;
  readonly #sticky: StickyWays;
  readonly #ids = new PortIds();
  readonly #lists = new Map<ListId, HeldList>();
  readonly #frontends = new Map<FrontendKey, PlannedFrontend>();
  /** Elements of `allowed` by frontend. */
  readonly #ranges = new Map<FrontendKey, readonly string[]>();
  readonly maps: Maps;

  constructor(family: Family, sticky: StickyWays) {
    this.family = family;
    this.#sticky = sticky;
    this.maps = createMaps(family);
  }

  /** Elements that changed since the last drain. */
  get pending(): number {
    let count = 0;
    for (const map of Object.values(this.maps)) count += map.pending;
    return count;
  }

  findList(id: ListId): HeldList | undefined {
    return this.#lists.get(id);
  }

  /**
   * Starts from what the kernel holds (the maps are loaded): lists that the plan names keep their numbers,
   * endpoints their seats and slots.
   */
  adopt(frontends: Iterable<PlannedFrontend>, lists: ReadonlyMap<ListId, PlannedList>): void {
    this.#ids.clear();
    this.#lists.clear();
    this.#frontends.clear();
    this.#ranges.clear();
    for (const [range] of this.maps.allowed.entries()) {
      const key = range.slice(0, range.lastIndexOf("|")) as FrontendKey;
      this.#ranges.set(key, [...(this.#ranges.get(key) ?? []), range]);
    }
    const slots = slotsByList(this.maps.slots.entries());
    for (const number of slots.keys()) this.#ids.reserve(number);
    for (const frontend of frontends) {
      const inside = this.maps.frontends.get(frontend.key);
      const outside = this.maps.outside.get(frontend.key);
      this.#adoptList({ route: frontend.inside, value: inside, lists, slots });
      this.#adoptList({ route: frontend.outside, value: outside ?? inside, lists, slots });
    }
  }

  /** Throws NoRoom: the list is not there then, as are not the frontends that lead to it. */
  putList(planned: PlannedList): void {
    const held = this.#lists.get(planned.id) ?? this.#newList(planned);
    held.planned = planned;
    const endpoints = planned.endpoints.map((each) => endpointText(each.address, each.port));
    this.#seat(held, endpoints);
    const slots = this.#slotsOf(held, endpoints);
    this.#writeSlots(held, slots);
    this.#writeWay(held);
  }

  removeList(id: ListId): void {
    const held = this.#lists.get(id);
    if (held === undefined) return;
    this.#writeSlots(held, []);
    for (const seat of held.seats.values()) this.#unseat(held, seat);
    this.maps.picks.remove(held.number);
    this.#lists.delete(id);
    this.#ids.forget(id);
  }

  putFrontend(planned: PlannedFrontend): void {
    this.#release(planned.key);
    this.#frontends.set(planned.key, planned);
    for (const route of [planned.inside, planned.outside]) {
      if (route.kind === "list") this.#lists.get(route.list)?.users.add(planned.key);
    }
    this.#writeFrontend(planned);
    this.#writeSpecial(planned);
  }

  removeFrontend(key: FrontendKey): void {
    this.#release(key);
    this.#frontends.delete(key);
    const { frontends, outside, special, counted, restricted } = this.maps;
    for (const map of [frontends, outside, special, counted, restricted]) map.remove(key);
    this.#allow(key, []);
  }

  setPods(prefixes: readonly IpPrefix[]): void {
    replaceRanges(this.maps.pods, rangesOf(prefixes, this.family));
  }

  setServiceCidrs(prefixes: readonly IpPrefix[]): void {
    replaceRanges(this.maps.serviceCidrs, rangesOf(prefixes, this.family));
  }

  /** Removes everything that an earlier process left and this plan does not name. */
  sweep(wanted: {
    readonly clusterIps: ReadonlySet<AddressText>;
    readonly attached: ReadonlySet<AddressText>;
    readonly hairpin: ReadonlySet<AddressText>;
  }): void {
    const { maps } = this;
    const isPlanned = (key: FrontendKey) => this.#frontends.has(key);
    for (const map of [maps.frontends, maps.outside, maps.special, maps.counted, maps.restricted]) {
      map.keep(isPlanned);
    }
    maps.allowed.keep((key) => isPlanned(key.slice(0, key.lastIndexOf("|")) as FrontendKey));
    const slots = new Set<number>();
    const seats = new Set<number>();
    const picks = new Set<number>();
    for (const held of this.#lists.values()) {
      for (let slot = 0; slot < held.slots.length; slot++) slots.add(slotKey(held.number, slot));
      for (const seat of held.seats.values()) seats.add(seat);
      if (held.planned.affinity !== undefined) picks.add(held.number);
    }
    maps.slots.keep((key) => slots.has(key));
    maps.seats.keep((key) => seats.has(key));
    maps.picks.keep((key) => picks.has(key));
    maps.clusterIps.keep((address) => wanted.clusterIps.has(address));
    maps.attached.keep((address) => wanted.attached.has(address));
    maps.hairpin.keep((address) => wanted.hairpin.has(address));
  }

  /** What changed since the last drain, as one transaction. */
  drain(): ElementRun[] {
    const deletions: ElementRun[] = [];
    const additions: ElementRun[] = [];
    for (const map of Object.values(this.maps)) {
      const runs = map.drain();
      deletions.push(...runs.deletions);
      additions.push(...runs.additions);
    }
    return [...deletions, ...additions];
  }

  #adoptList(found: {
    readonly route: Route;
    readonly value: number | undefined;
    readonly lists: ReadonlyMap<ListId, PlannedList>;
    readonly slots: ReadonlyMap<number, readonly number[]>;
  }): void {
    if (found.route.kind !== "list" || found.value === undefined) return;
    const id = found.route.list;
    const number = found.value & 0x00ff_ffff;
    const planned = found.lists.get(id);
    if (number === 0 || planned === undefined || this.#lists.has(id)) return;
    if (!this.#ids.adopt(id, number)) return;
    const slots = found.slots.get(number) ?? [];
    const seats = new Map<string, number>();
    for (const seat of new Set(slots)) {
      const endpoint = this.maps.seats.get(seat);
      if (endpoint === undefined) continue;
      this.#ids.adoptSeat(id, seat);
      seats.set(endpoint, seat);
    }
    const way = 0;
    this.#lists.set(id, { number, planned, seats, slots, way, users: new Set() });
  }

  #newList(planned: PlannedList): HeldList {
    const number = this.#ids.give(planned.id);
    if (number === undefined) throw new NoRoom(`No number is left for ${planned.id}`);
    const held = {
      number,
      planned,
      seats: new Map(),
      slots: [],
      way: 0,
      users: new Set<FrontendKey>(),
    };
    this.#lists.set(planned.id, held);
    return held;
  }

  #seat(held: HeldList, endpoints: readonly string[]): void {
    const wanted = new Set(endpoints);
    for (const [endpoint, seat] of held.seats) {
      if (wanted.has(endpoint)) continue;
      held.seats.delete(endpoint);
      this.#unseat(held, seat);
    }
    for (const endpoint of endpoints) {
      if (held.seats.has(endpoint)) continue;
      const seat = this.#ids.giveSeat(held.planned.id);
      if (seat === undefined)
        throw new NoRoom(`No seat is left for an endpoint of ${held.planned.id}`);
      held.seats.set(endpoint, seat);
      this.maps.seats.put(seat, endpoint);
    }
  }

  #unseat(held: HeldList, seat: number): void {
    this.maps.seats.remove(seat);
    this.#ids.forgetSeat(held.planned.id, seat);
  }

  #slotsOf(held: HeldList, endpoints: readonly string[]): readonly number[] {
    const seats = endpoints.map((endpoint) => held.seats.get(endpoint) ?? 0);
    const weights = slotWeights(held.planned.endpoints);
    if (isHashed(held.planned)) {
      const named = endpoints.map((name, index) => ({ name, weight: weights[index] ?? 1 }));
      return Array.from(maglevTable(named, hashSize(endpoints.length)), (at) => seats[at] ?? 0);
    }
    return fillSlots(held.slots, new Map(seats.map((seat, index) => [seat, weights[index] ?? 1])));
  }

  #writeSlots(held: HeldList, slots: readonly number[]): void {
    assert(slots.length <= SLOTS_MAX);
    slots.forEach((seat, slot) => {
      if (held.slots[slot] !== seat || held.way === 0) {
        this.maps.slots.put(slotKey(held.number, slot), seat);
      }
    });
    for (let slot = slots.length; slot < held.slots.length; slot++) {
      this.maps.slots.remove(slotKey(held.number, slot));
    }
    held.slots = slots;
  }

  #writeWay(held: HeldList): void {
    const { planned, number } = held;
    const pick = isHashed(planned) ? hashWay(held.slots.length) : pickWay(held.slots.length);
    let way = pick;
    if (planned.affinity === undefined) this.maps.picks.remove(number);
    else {
      this.maps.picks.put(number, frontendValue(pick, { list: number }));
      const sticky = this.#sticky.find(planned.affinity.seconds);
      assert(sticky !== undefined, "the plane makes the chains of a timeout before its lists");
      way = sticky;
    }
    if (way === held.way) return;
    held.way = way;
    for (const key of held.users) {
      const frontend = this.#frontends.get(key);
      if (frontend) this.#writeFrontend(frontend);
    }
  }

  #writeFrontend(planned: PlannedFrontend): void {
    const { key, masquerade } = planned;
    const everyone = masquerade === "everyone";
    const inside = this.#valueOf(planned.inside, everyone);
    const outside = this.#valueOf(planned.outside, false);
    this.maps.frontends.put(key, inside);
    // The rules masquerade who is no pod, unless a frontend has a value of its own for those outside.
    const isSame = masquerade !== "nobody" && outside === (inside & 0x7fff_ffff) >>> 0;
    if (isSame) this.maps.outside.remove(key);
    else this.maps.outside.put(key, outside);
  }

  #valueOf(route: Route, everyone: boolean): number {
    if (route.kind === "drop") return frontendValue(WAY_DISCARD, {});
    const held = route.kind === "list" ? this.#lists.get(route.list) : undefined;
    if (held === undefined) return frontendValue(WAY_REFUSE, {});
    return frontendValue(held.way, { list: held.number, everyone });
  }

  #writeSpecial(planned: PlannedFrontend): void {
    const { key, sourceRanges, countConnections } = planned;
    const { special, counted, restricted } = this.maps;
    toggle(restricted, key, sourceRanges !== undefined);
    toggle(counted, key, countConnections);
    toggle(special, key, sourceRanges !== undefined || countConnections);
    this.#allow(key, sourceRanges === undefined ? [] : rangesOf(sourceRanges, this.family));
  }

  #allow(key: FrontendKey, ranges: readonly string[]): void {
    const old = this.#ranges.get(key);
    if (old === undefined && ranges.length === 0) return;
    const wanted = ranges.map((range) => `${key}|${range}`);
    for (const each of old ?? []) if (!wanted.includes(each)) this.maps.allowed.remove(each);
    for (const each of wanted) this.maps.allowed.put(each, true);
    if (wanted.length === 0) this.#ranges.delete(key);
    else this.#ranges.set(key, wanted);
  }

  #release(key: FrontendKey): void {
    const old = this.#frontends.get(key);
    for (const route of old === undefined ? [] : [old.inside, old.outside]) {
      if (route.kind === "list") this.#lists.get(route.list)?.users.delete(key);
    }
  }
}

type Maps = ReturnType<typeof createMaps>;

function createMaps(family: Family) {
  const frontend = frontendCodec(family);
  const address = addressCodec(family);
  const place = (set: string): SetPlace => ({
    family: family === 4 ? "ip" : "ip6",
    table: TABLE,
    set,
  });
  const map = <K extends string | number, V extends string | number>(
    set: string,
    codecs: { key: Codec<K>; value: Codec<V> },
  ) => new ImageMap<K, V>({ place: place(set), ...codecs });
  const set = <K extends string | number>(
    name: string,
    options: {
      key: Codec<K>;
      interval?: "single" | "concatenated";
    },
  ) => new ImageMap<K, true>({ place: place(name), ...options });
  return {
    seats: map("seats", { key: number32, value: endpointCodec(family) }),
    slots: map("slots", { key: slotCodec, value: number32 }),
    picks: map("picks", { key: number32, value: number32 }),
    outside: map("outside-frontends", { key: frontend, value: number32 }),
    frontends: map("frontends", { key: frontend, value: number32 }),
    special: set("special", { key: frontend }),
    counted: set("counted", { key: frontend }),
    restricted: set("restricted", { key: frontend }),
    allowed: set("allowed", { key: frontendRangeCodec(family), interval: "concatenated" }),
    clusterIps: set("cluster-ips", { key: address }),
    attached: set("attached", { key: address }),
    hairpin: set("hairpin", { key: hairpinCodec(family) }),
    pods: set("pods", { key: rangeCodec(family), interval: "single" }),
    serviceCidrs: set("service-cidrs", { key: rangeCodec(family), interval: "single" }),
  };
}

/** Seats by slot of every list that the kernel holds. */
function slotsByList(entries: Iterable<[number, number]>): Map<number, number[]> {
  const lists = new Map<number, number[]>();
  for (const [key, seat] of entries) {
    const number = Math.floor(key / slotKey(1, 0));
    let slots = lists.get(number);
    if (slots === undefined) lists.set(number, (slots = []));
    slots[key - slotKey(number, 0)] = seat;
  }
  // A hole of a damaged list: no seat has number 0.
  for (const slots of lists.values()) {
    for (let slot = 0; slot < slots.length; slot++) slots[slot] ??= 0;
  }
  return lists;
}

/** More than the largest table can hold apart: at random then. */
function isHashed(planned: PlannedList): boolean {
  return planned.pick === "consistent-hash" && planned.endpoints.length < (HASH_SIZES.at(-1) ?? 0);
}

function toggle<K extends string | number>(set: ImageMap<K, true>, key: K, isIn: boolean): void {
  if (isIn) set.put(key, true);
  else set.remove(key);
}

function replaceRanges(set: ImageMap<string, true>, ranges: readonly string[]): void {
  const wanted = new Set(ranges);
  set.keep((range) => wanted.has(range));
  for (const range of wanted) set.put(range, true);
}
