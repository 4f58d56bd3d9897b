import type { Family, IpPrefix } from "../../src/ip/address.ts";
import type { ElementRun } from "../../src/kernel/nfnetlink.ts";
import type { AddressText, FrontendKey } from "../../src/services/model.ts";
import type { ListId, PlannedFrontend, PlannedList, Route } from "../../src/services/plan-types.ts";
import type { ImageMap } from "./image-map.ts";
import { ListImages, NoRoom } from "./list-images.ts";
import { createMaps, type Maps } from "./maps.ts";
import { rangesOf } from "./ranges.ts";
import type { StickyWays } from "./sticky-ways.ts";
import { frontendValue, listOf, WAY_DISCARD, WAY_REFUSE } from "./ways.ts";

/**
 * One family of the plan as elements of our table's maps. Pure: put and remove change an image of the
 * kernel, drain() says the difference.
 */
export class FamilyImage {
  readonly family: Family;
  readonly maps: Maps;
  readonly #lists: ListImages;
  readonly #frontends = new Map<FrontendKey, PlannedFrontend>();
  /** Frontends by the lists that they lead to, also where a list is not there. */
  readonly #users = new Map<ListId, Set<FrontendKey>>();
  /** Elements of `allowed` by frontend. */
  readonly #ranges = new Map<FrontendKey, readonly string[]>();

  constructor(family: Family, sticky: StickyWays) {
    this.family = family;
    this.maps = createMaps(family);
    this.#lists = new ListImages(this.maps, sticky);
  }

  /** Elements that changed since the last drain. */
  get pending(): number {
    let count = 0;
    for (const map of Object.values(this.maps)) count += map.pending;
    return count;
  }

  /**
   * Starts from what the kernel holds (the maps are loaded): lists that the plan names keep their numbers,
   * endpoints their seats and slots.
   */
  adopt(frontends: Iterable<PlannedFrontend>, lists: ReadonlyMap<ListId, PlannedList>): void {
    this.#frontends.clear();
    this.#users.clear();
    this.#ranges.clear();
    for (const [range] of this.maps.allowed.entries()) {
      const key = keyOfRange(range);
      this.#ranges.set(key, [...(this.#ranges.get(key) ?? []), range]);
    }
    this.#lists.startAdopting();
    const adopt = (route: Route, value: number | undefined): void => {
      const planned = route.kind === "list" ? lists.get(route.list) : undefined;
      if (planned && value !== undefined) this.#lists.adopt(planned, listOf(value));
    };
    for (const { key, inside, outside } of frontends) {
      const value = this.maps.frontends.get(key);
      adopt(inside, value);
      adopt(outside, this.maps.outside.get(key) ?? value);
    }
  }

  /** Answers why it is not there, if so; the frontends that lead to it refuse then. */
  putList(planned: PlannedList): string | undefined {
    let reason: string | undefined;
    try {
      if (!this.#lists.put(planned)) return undefined;
    } catch (error) {
      if (!(error instanceof NoRoom)) throw error;
      this.#lists.remove(planned.id);
      reason = error.message;
    }
    for (const key of this.usersOf(planned.id)) {
      const frontend = this.#frontends.get(key);
      if (frontend) this.#writeFrontend(frontend);
    }
    return reason;
  }

  usersOf(list: ListId): Iterable<FrontendKey> {
    return this.#users.get(list) ?? [];
  }

  removeList(id: ListId): void {
    this.#lists.remove(id);
  }

  putFrontend(planned: PlannedFrontend): void {
    this.#release(planned.key);
    this.#frontends.set(planned.key, planned);
    for (const route of [planned.inside, planned.outside]) {
      if (route.kind === "list") this.#usersOf(route.list).add(planned.key);
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
    maps.allowed.keep((range) => isPlanned(keyOfRange(range)));
    this.#lists.sweep();
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
    const held = route.kind === "list" ? this.#lists.find(route.list) : undefined;
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
      if (route.kind !== "list") continue;
      const users = this.#users.get(route.list);
      users?.delete(key);
      if (users?.size === 0) this.#users.delete(route.list);
    }
  }

  #usersOf(list: ListId): Set<FrontendKey> {
    let users = this.#users.get(list);
    if (users === undefined) this.#users.set(list, (users = new Set()));
    return users;
  }
}

function keyOfRange(range: string): FrontendKey {
  return range.slice(0, range.lastIndexOf("|")) as FrontendKey;
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
