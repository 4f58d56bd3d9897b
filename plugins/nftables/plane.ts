import type { Family } from "../../src/ip/address.ts";
import type { ElementRun, Nfnetlink, SetPlace, TablePlace } from "../../src/kernel/nfnetlink.ts";
import type { Nftables } from "../../src/kernel/nftables.ts";
import type { AddressText, FrontendKey } from "../../src/services/model.ts";
import type {
  ListId,
  PlanChanges,
  PlannedFrontend,
  PlannedList,
  ServicePlan,
} from "../../src/services/plan-types.ts";
import type {
  HeldFrontend,
  ProgramOutcome,
  ServicePlane,
} from "../../src/services/service-plane.ts";
import { number32 } from "./codecs.ts";
import { FamilyImage } from "./family-image.ts";
import { readHeld } from "./held.ts";
import { type LoadedRules, noteLoadedRules, rulesAreLoaded } from "./rules-check.ts";
import { skeleton, stickyAddition, TABLE } from "./skeleton.ts";
import { StickyWays } from "./sticky-ways.ts";

export interface NftablesPlaneDeps {
  readonly nftables: Nftables;
  readonly nfnetlink: Nfnetlink;
  /** Bit of the packet mark, 0 to 31. Default 14, as kube-proxy has it. */
  readonly masqueradeBit?: number;
}

const families: readonly Family[] = [4, 6];
/** Elements of one transaction while much is to be written: it holds the kernel's nftables lock. */
const CHUNK_ELEMENTS = 4_000;

interface Held {
  readonly revision: number;
  readonly refused: readonly Refused[];
}

type Refused = { readonly key: FrontendKey; readonly reason: string };

/** The built-in data plane for Services: fixed rules, and maps whose elements are all that changes. */
export function createNftablesPlane(deps: NftablesPlaneDeps): ServicePlane {
  return new NftablesPlane(deps);
}

class NftablesPlane implements ServicePlane {
  readonly name = "nftables";
  readonly #nftables: Nftables;
  readonly #nfnetlink: Nfnetlink;
  readonly #masqueradeBit: number;
  readonly #sticky = new StickyWays();
  readonly #images: readonly FamilyImage[];
  readonly #tamperListeners = new Set<(what: string) => void>();
  /** Transactions of our own nft that the monitor has not told of yet. */
  readonly #ownLoads = new Map<Family, number>();
  #stopMonitor: (() => Promise<void>) | undefined;
  /** What the images are: this revision, all of it, but what was refused. undefined: not known. */
  #held: Held | undefined;
  #hasRefused = false;
  /** Somebody changed something since the last reset: the rules are not believed. */
  #isTampered = false;

  constructor(deps: NftablesPlaneDeps) {
    this.#nftables = deps.nftables;
    this.#nfnetlink = deps.nfnetlink;
    this.#masqueradeBit = deps.masqueradeBit ?? 14;
    this.#images = families.map((family) => new FamilyImage(family, this.#sticky));
  }

  async reset(plan: ServicePlan, revision: number): Promise<ProgramOutcome> {
    await this.#watch();
    const known = this.#held;
    this.#held = undefined;
    // What comes from now on is for the next reset.
    const isTampered = this.#isTampered;
    this.#isTampered = false;
    try {
      return await this.#resetTo({ plan, revision, known, isTampered });
    } catch (error) {
      this.#isTampered ||= isTampered;
      throw error;
    }
  }

  async #resetTo(how: {
    readonly plan: ServicePlan;
    readonly revision: number;
    readonly known: Held | undefined;
    readonly isTampered: boolean;
  }): Promise<ProgramOutcome> {
    const { plan, revision, known, isTampered } = how;
    const isKnown = known?.revision === revision;
    if (!isKnown) {
      this.#sticky.clear();
      for (const { affinity } of plan.lists.values()) {
        if (affinity) this.#sticky.ensure(affinity.seconds);
      }
    }
    // Side by side: a repair is mostly waiting for nft. Both end before anything else begins.
    const outcomes = await Promise.allSettled(
      this.#images.map(async (image) => {
        const rules = await this.#loadSkeleton(image.family, { isTampered });
        if (isKnown) await this.#rewrite(image, rules);
        const refused = isKnown ? [] : await this.#write(image, { plan, ...rules });
        if (rules.loaded) await noteLoadedRules(this.#nfnetlink, rules.loaded);
        return refused;
      }),
    );
    const refused: Refused[] = isKnown ? [...known.refused] : [];
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") throw outcome.reason;
      refused.push(...outcome.value);
    }
    this.#hasRefused = refused.length > 0;
    this.#held = { revision, refused };
    return { revision, refused };
  }

  async apply(changes: PlanChanges): Promise<ProgramOutcome> {
    const { revision } = changes;
    this.#held = undefined;
    const refused: Refused[] = [];
    await this.#makeStickyChains(changes.putLists);
    for (const image of this.#images) {
      refused.push(...put(image, ofFamily(changes, image.family)));
      remove(image, changes);
      const runs = image.drain();
      if (runs.length > 0) await this.#nfnetlink.commit(runs);
    }
    // Who was refused before is not known here: after it a reset goes by the plan.
    if (refused.length === 0 && !this.#hasRefused) this.#held = { revision, refused };
    else this.#hasRefused = true;
    return { revision, refused };
  }

  async held(key: FrontendKey): Promise<HeldFrontend | undefined> {
    const image = this.#imageOf(key);
    return readHeld(this.#nfnetlink, { maps: image.maps, family: image.family, key });
  }

  onTamper(listener: (what: string) => void): void {
    this.#tamperListeners.add(listener);
  }

  async connectionCounts(): Promise<ReadonlyMap<FrontendKey, bigint>> {
    const counts = new Map<FrontendKey, bigint>();
    for (const image of this.#images) {
      if (image.maps.counted.size === 0) continue;
      for (const { key, packets } of (await this.#nfnetlink.counters(image.maps.counted.place)) ??
        []) {
        counts.set(image.maps.counted.readKey(key), packets);
      }
    }
    return counts;
  }

  async remove(): Promise<void> {
    await this.#unwatch();
    for (const family of families) {
      if ((await this.#nfnetlink.findTable(tableOf(family))) === undefined) continue;
      await this.#nftables.load(`delete table ${tableText(family)}\n`);
    }
  }

  async close(): Promise<void> {
    await this.#unwatch();
  }

  #imageOf(key: FrontendKey): FamilyImage {
    const image = this.#images[key.includes(":") ? 1 : 0];
    if (image === undefined) throw new RangeError(key);
    return image;
  }

  /** Rules, and maps where they are missing; elements stay. Says whether there was no table, and what was loaded. */
  async #loadSkeleton(
    family: Family,
    { isTampered }: { readonly isTampered: boolean },
  ): Promise<{ readonly isEmpty: boolean; readonly loaded?: LoadedRules }> {
    const loaded = { family, text: this.#textOf(family) };
    if ((await this.#nfnetlink.findTable(tableOf(family))) === undefined) {
      await this.#load(loaded.text, family);
      return { isEmpty: true, loaded };
    }
    if (!isTampered && (await rulesAreLoaded(this.#nfnetlink, loaded))) return { isEmpty: false };
    try {
      await this.#load(loaded.text + (await this.#strangersIn(loaded)), family);
      return { isEmpty: false, loaded };
    } catch {
      // A table of another shape, of an older version: replaced, with all that it holds.
      const isThere = (await this.#nfnetlink.findTable(tableOf(family))) !== undefined;
      const clear = isThere ? `delete table ${tableText(family)}\n` : "";
      await this.#load(`${clear}${loaded.text}`, family);
      return { isEmpty: true, loaded };
    }
  }

  /** Text that deletes chains which are not ours: flushing the table leaves them, and a base chain may drop everything. */
  async #strangersIn({ family, text }: LoadedRules): Promise<string> {
    const own = new Set(text.matchAll(/^chain (\S+) \{/gm).map(([, name]) => name));
    const chains = (await this.#nfnetlink.chains(tableOf(family))) ?? [];
    return chains
      .filter((name) => !own.has(name))
      .map((name) => `delete chain ${tableText(family)} ${checkedName(name)}\n`)
      .join("");
  }

  /** Loads text as one transaction, which the monitor will tell of as one event. */
  async #load(text: string, family: Family): Promise<void> {
    this.#ownLoads.set(family, this.#ownLoadsOf(family) + 1);
    try {
      await this.#nftables.load(text);
    } catch (error) {
      // No transaction, no event. If somebody else's was taken for it, all is looked at again.
      const left = this.#ownLoadsOf(family);
      if (left === 0) this.#isTampered = true;
      else this.#ownLoads.set(family, left - 1);
      throw error;
    }
  }

  /** One event for each load is ours. If somebody's nft was quicker, ours is told as his: then a reset follows all the same. */
  #isOwnLoad({ table, processName }: { table: TablePlace; processName: string }): boolean {
    const family = table.family === "ip" ? 4 : 6;
    const expected = this.#ownLoadsOf(family);
    if (processName !== "nft" || expected === 0) return false;
    this.#ownLoads.set(family, expected - 1);
    return true;
  }

  #ownLoadsOf(family: Family): number {
    return this.#ownLoads.get(family) ?? 0;
  }

  #textOf(family: Family): string {
    const stickyWays = this.#sticky.all;
    return skeleton({ family, masqueradeBit: this.#masqueradeBit, stickyWays });
  }

  async #makeStickyChains(lists: readonly PlannedList[]): Promise<void> {
    for (const { affinity } of lists) {
      if (affinity === undefined || this.#sticky.find(affinity.seconds) !== undefined) continue;
      // Both families have the same ways.
      const { way } = this.#sticky.ensure(affinity.seconds);
      const sticky = { way, seconds: affinity.seconds };
      for (const each of families) {
        await this.#load(stickyAddition(each, sticky), each);
        await noteLoadedRules(this.#nfnetlink, { family: each, text: this.#textOf(each) });
      }
    }
  }

  /** The images are what the kernel should hold: the difference to what it does hold. */
  async #rewrite(image: FamilyImage, { isEmpty }: { readonly isEmpty: boolean }): Promise<void> {
    for (const map of Object.values(image.maps)) {
      map.expect(isEmpty ? undefined : await this.#nfnetlink.elements(map.place));
    }
    const runs = image.drain();
    if (runs.length > 0) await this.#nfnetlink.commit(runs);
  }

  /** What clients remember of endpoints that are gone: their seats may be given to others. */
  async #dropStaleAffinity(image: FamilyImage): Promise<void> {
    const runs: ElementRun[] = [];
    for (const seconds of this.#sticky.all.values()) {
      const set: SetPlace = { ...tableOf(image.family), set: `affinity_${seconds}` };
      const dump = await this.#nfnetlink.elements(set);
      if (dump === undefined) continue;
      const { keyBytes, dataBytes, records } = dump;
      const view = new DataView(records.buffer, records.byteOffset, records.length);
      const stale: Uint8Array[] = [];
      for (let at = 0; at < records.length; at += keyBytes + dataBytes) {
        const seat = number32.read(view, at + keyBytes);
        if (image.maps.seats.get(seat) === undefined) stale.push(records.slice(at, at + keyBytes));
      }
      if (stale.length === 0) continue;
      runs.push({ kind: "delete", set, keyBytes, dataBytes: 0, records: Buffer.concat(stale) });
    }
    // One of them may have expired by itself meanwhile: then the next reset drops the others.
    if (runs.length > 0) await this.#nfnetlink.commit(runs).catch(() => {});
  }

  /** Writes a plan over what the image holds, port by port, so that a frontend and its lists never disagree. */
  async #write(
    image: FamilyImage,
    { plan, isEmpty }: { readonly plan: ServicePlan; readonly isEmpty: boolean },
  ): Promise<Refused[]> {
    const { family } = image;
    for (const map of Object.values(image.maps)) {
      map.load(isEmpty ? undefined : await this.#nfnetlink.elements(map.place));
    }
    if (!isEmpty) await this.#dropStaleAffinity(image);
    const frontends = [...plan.frontends.values()].filter((each) => each.family === family);
    image.adopt(frontends, plan.lists);
    image.setPods(plan.podPrefixes);
    image.setServiceCidrs(plan.servicePrefixes);
    const attached = addressesOf(plan.podAddresses, family);
    const clusterIps = addressesOf(plan.clusterIps, family);
    const hairpin = addressesOf(plan.localEndpoints, family);
    for (const address of attached) image.maps.attached.put(address, true);
    for (const address of hairpin) image.maps.hairpin.put(address, true);
    const refused: Refused[] = [];
    let committing: Promise<void> = Promise.resolve();
    const flush = async (): Promise<void> => {
      const runs = image.drain();
      // One transaction under way while the next is written down.
      await committing;
      committing = runs.length === 0 ? Promise.resolve() : this.#nfnetlink.commit(runs);
      committing.catch(() => {});
    };
    for (const unit of unitsOf(frontends, plan.lists)) {
      refused.push(...put(image, unit));
      if (image.pending >= CHUNK_ELEMENTS) await flush();
    }
    // After the frontends: until then a port that is not there yet is let through, not refused.
    for (const address of clusterIps) image.maps.clusterIps.put(address, true);
    image.sweep({ attached, clusterIps, hairpin });
    await flush();
    await committing;
    return refused;
  }

  async #watch(): Promise<void> {
    this.#stopMonitor ??= await this.#nfnetlink.monitor(families.map(tableOf), (event) => {
      if (event.kind === "resync") this.#ownLoads.clear();
      else if (this.#isOwnLoad(event)) return;
      const what =
        event.kind === "resync"
          ? "The kernel dropped events of its ruleset"
          : `${event.processName || "Somebody"} (pid ${event.processId}) changed ${event.what} of table ${event.table.family} ${TABLE}`;
      this.#tell(what);
    });
  }

  #tell(what: string): void {
    this.#isTampered = true;
    for (const listener of this.#tamperListeners) listener(what);
  }

  async #unwatch(): Promise<void> {
    const stop = this.#stopMonitor;
    this.#stopMonitor = undefined;
    await stop?.();
  }
}

/** Throws for what nft might read otherwise: the table is replaced then. */
function checkedName(name: string): string {
  if (!/^[A-Za-z_][\w-]*$/.test(name)) throw new RangeError(`Chain ${JSON.stringify(name)}`);
  return name;
}

interface Puts {
  readonly lists: readonly PlannedList[];
  readonly frontends: readonly PlannedFrontend[];
}

/** Lists first: a frontend's value says how many slots its list has. */
function put(image: FamilyImage, { lists, frontends }: Puts): Refused[] {
  const reasons = new Map<ListId, string>();
  for (const list of lists) {
    const reason = image.putList(list);
    if (reason !== undefined) reasons.set(list.id, reason);
  }
  for (const frontend of frontends) image.putFrontend(frontend);
  const refused: Refused[] = [];
  for (const [list, reason] of reasons) {
    for (const key of image.usersOf(list)) refused.push({ key, reason });
  }
  return refused;
}

function remove(image: FamilyImage, changes: PlanChanges): void {
  const { maps, family } = image;
  for (const key of changes.removeFrontends) if (isOf(key, family)) image.removeFrontend(key);
  for (const list of changes.removeLists) image.removeList(list);
  const sets = [
    [maps.clusterIps, changes.addClusterIps, changes.removeClusterIps],
    [maps.attached, changes.addPodAddresses, changes.removePodAddresses],
    [maps.hairpin, changes.addLocalEndpoints, changes.removeLocalEndpoints],
  ] as const;
  for (const [set, added, removed] of sets) {
    for (const address of removed) if (isOf(address, family)) set.remove(address);
    for (const address of added) if (isOf(address, family)) set.put(address, true);
  }
  if (changes.podPrefixes) image.setPods(changes.podPrefixes);
  if (changes.servicePrefixes) image.setServiceCidrs(changes.servicePrefixes);
}

function ofFamily(changes: PlanChanges, family: Family): Puts {
  return {
    lists: changes.putLists.filter((list) => list.family === family),
    frontends: changes.putFrontends.filter((frontend) => frontend.family === family),
  };
}

/** Frontends with the lists that they lead to; what shares a list is one unit. */
function unitsOf(
  frontends: readonly PlannedFrontend[],
  lists: ReadonlyMap<ListId, PlannedList>,
): Iterable<Puts> {
  const units = new Map<string, { lists: Set<PlannedList>; frontends: PlannedFrontend[] }>();
  for (const frontend of frontends) {
    const routes = [frontend.inside, frontend.outside].flatMap((route) =>
      route.kind === "list" ? [route.list] : [],
    );
    const key = (routes[0] && lists.get(routes[0])?.portKey) ?? frontend.key;
    let unit = units.get(key);
    if (unit === undefined) units.set(key, (unit = { lists: new Set(), frontends: [] }));
    unit.frontends.push(frontend);
    for (const id of routes) {
      const list = lists.get(id);
      if (list) unit.lists.add(list);
    }
  }
  return Iterator.from(units.values()).map((unit) => ({ ...unit, lists: [...unit.lists] }));
}

function addressesOf(addresses: ReadonlySet<AddressText>, family: Family): Set<AddressText> {
  return new Set([...addresses].filter((address) => isOf(address, family)));
}

function isOf(text: string, family: Family): boolean {
  return text.includes(":") === (family === 6);
}

function tableOf(family: Family): TablePlace {
  return { family: family === 4 ? "ip" : "ip6", table: TABLE };
}

function tableText(family: Family): string {
  return `${family === 4 ? "ip" : "ip6"} ${TABLE}`;
}
