import type { ElementDump, ElementRun, SetPlace } from "../../src/kernel/nfnetlink.ts";
import type { Codec } from "./codecs.ts";

export interface ImageMapOptions<K, V> {
  readonly place: SetPlace;
  /** For intervals: of first and last key together. */
  readonly key: Codec<K>;
  /** Absent: a set; its values are true. */
  readonly value?: Codec<V>;
  readonly interval?: "single" | "concatenated";
}

/**
 * What a map or set of the kernel holds, in memory. Changes are remembered until drain() says them as
 * element runs: what was put and taken back in between is not said at all.
 */
export class ImageMap<K extends string | number, V extends string | number | true> {
  readonly #options: ImageMapOptions<K, V>;
  readonly #held = new Map<K, V>();
  /** What the kernel holds for each key changed since the last drain; undefined: nothing. */
  readonly #before = new Map<K, V | undefined>();

  constructor(options: ImageMapOptions<K, V>) {
    this.#options = options;
  }

  get place(): SetPlace {
    return this.#options.place;
  }

  /** Name and sizes of the kernel's set, for a fake one. */
  get shape() {
    const { place, key, value, interval } = this.#options;
    return {
      name: place.set,
      keyBytes: interval === undefined ? key.bytes : key.bytes / 2,
      dataBytes: value?.bytes ?? 0,
      ...(interval === undefined ? {} : { interval }),
    };
  }

  /** Elements changed since the last drain. */
  get pending(): number {
    return this.#before.size;
  }

  get size(): number {
    return this.#held.size;
  }

  get(key: K): V | undefined {
    return this.#held.get(key);
  }

  entries(): IterableIterator<[K, V]> {
    return this.#held.entries();
  }

  readKey(record: Uint8Array): K {
    return this.#options.key.read(new DataView(record.buffer, record.byteOffset, record.length), 0);
  }

  put(key: K, value: V): void {
    const old = this.#held.get(key);
    if (old === value) return;
    if (!this.#before.has(key)) this.#before.set(key, old);
    this.#held.set(key, value);
  }

  remove(key: K): void {
    const old = this.#held.get(key);
    if (old === undefined) return;
    if (!this.#before.has(key)) this.#before.set(key, old);
    this.#held.delete(key);
  }

  /** Removes what is not wanted. */
  keep(isWanted: (key: K) => boolean): void {
    for (const key of this.#held.keys()) if (!isWanted(key)) this.remove(key);
  }

  /** Takes over what the kernel says; undefined: nothing is there. */
  load(dump: ElementDump | undefined): void {
    this.#held.clear();
    this.#before.clear();
    for (const [key, value] of this.#recordsOf(dump)) this.#held.set(key, value);
  }

  /** Keeps what it has; the difference to say is that to what the kernel holds. */
  expect(dump: ElementDump | undefined): void {
    this.#before.clear();
    const found = new Set<K>();
    for (const [key, value] of this.#recordsOf(dump)) {
      found.add(key);
      if (this.#held.get(key) !== value) this.#before.set(key, value);
    }
    for (const key of this.#held.keys()) if (!found.has(key)) this.#before.set(key, undefined);
  }

  /** Deletions and additions since the last drain, deletions first. */
  drain(): { readonly deletions: ElementRun[]; readonly additions: ElementRun[] } {
    const deleted: K[] = [];
    const added: [K, V][] = [];
    for (const [key, before] of this.#before) {
      const now = this.#held.get(key);
      if (now === before) continue;
      if (before !== undefined) deleted.push(key);
      if (now !== undefined) added.push([key, now]);
    }
    this.#before.clear();
    return {
      deletions: deleted.length === 0 ? [] : [this.#deletion(deleted)],
      additions: added.length === 0 ? [] : [this.#addition(added)],
    };
  }

  *#recordsOf(dump: ElementDump | undefined): Iterable<readonly [K, V]> {
    if (dump === undefined) return;
    const { key, value } = this.#options;
    const bytes = key.bytes + (value?.bytes ?? 0);
    const { buffer, byteOffset, length } = dump.records;
    const view = new DataView(buffer, byteOffset, length);
    for (let at = 0; at + bytes <= length; at += bytes) {
      yield [key.read(view, at), value?.read(view, at + key.bytes) ?? (true as V)];
    }
  }

  #deletion(keys: readonly K[]): ElementRun {
    const { key } = this.#options;
    const records = new Uint8Array(keys.length * key.bytes);
    const view = new DataView(records.buffer);
    keys.forEach((each, index) => key.write(view, index * key.bytes, each));
    return { ...this.#run("delete"), dataBytes: 0, records };
  }

  #addition(entries: readonly (readonly [K, V])[]): ElementRun {
    const { key, value } = this.#options;
    const bytes = key.bytes + (value?.bytes ?? 0);
    const records = new Uint8Array(entries.length * bytes);
    const view = new DataView(records.buffer);
    entries.forEach(([each, data], index) => {
      key.write(view, index * bytes, each);
      value?.write(view, index * bytes + key.bytes, data);
    });
    return { ...this.#run("add"), dataBytes: value?.bytes ?? 0, records };
  }

  #run(kind: "add" | "delete"): Omit<ElementRun, "records" | "dataBytes"> {
    const { place, key, interval } = this.#options;
    const keyBytes = interval === undefined ? key.bytes : key.bytes / 2;
    return { kind, set: place, keyBytes, ...(interval === undefined ? {} : { interval }) };
  }
}
