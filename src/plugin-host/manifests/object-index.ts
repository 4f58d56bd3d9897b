import type { ObjectKey } from "../../services/objects.ts";
import type { ManifestEvent, ManifestObject } from "./manifest-object.ts";
import { sameValue } from "./same-value.ts";

/** An object that two files have: the one that had it first counts. */
export interface Conflict {
  readonly key: ObjectKey;
  readonly file: string;
  readonly heldBy: string;
}

/**
 * The objects of all files. Of files that have the same object the one that had it first counts, so
 * that a new file takes nothing from one in force; when it lets go, the next one by name does.
 */
export class ObjectIndex {
  readonly #files = new Map<string, ReadonlyMap<ObjectKey, ManifestObject>>();
  /** Files that have an object: the one that counts, then the others by name; a plain name while it is only one. */
  readonly #holders = new Map<ObjectKey, string | readonly string[]>();
  #contested = new Set<ObjectKey>();

  get objectCount(): number {
    return this.#holders.size;
  }

  objectsOf(file: string): ReadonlyMap<ObjectKey, ManifestObject> {
    return this.#files.get(file) ?? NOTHING;
  }

  /** What counts, in no order. */
  *objects(): Generator<ManifestObject> {
    for (const [key, holders] of this.#holders) {
      const object = this.#files.get(firstOf(holders))?.get(key);
      if (object !== undefined) yield object;
    }
  }

  /**
   * Replaces what a file has; none at all when it is gone. Returns what changes by it. `copy`: keep
   * copies of the objects that are new.
   */
  replace(
    file: string,
    objects: ReadonlyMap<ObjectKey, ManifestObject>,
    options: { readonly copy?: boolean } = {},
  ): ManifestEvent[] {
    const events: ManifestEvent[] = [];
    const before = this.objectsOf(file);
    const kept = keepSame(objects, { before, copy: options.copy === true });
    this.#files.set(file, kept);
    for (const [key, object] of before) {
      if (!kept.has(key)) this.#release(file, { key, before: object }, events);
    }
    for (const [key, object] of kept) {
      if (before.has(key)) {
        const isHeld = firstOf(this.#holders.get(key) ?? file) === file;
        if (isHeld && before.get(key) !== object) events.push({ kind: "put", object });
      } else {
        this.#hold(file, key, events);
      }
    }
    if (kept.size === 0) this.#files.delete(file);
    return events;
  }

  conflicts(): Conflict[] {
    const conflicts: Conflict[] = [];
    for (const key of this.#contested) {
      const [heldBy = "", ...files] = listOf(this.#holders.get(key));
      for (const file of files) conflicts.push({ key, file, heldBy });
    }
    return conflicts;
  }

  #hold(file: string, key: ObjectKey, events: ManifestEvent[]): void {
    const holders = this.#holders.get(key);
    if (holders !== undefined) {
      const [first = "", ...others] = listOf(holders);
      this.#holders.set(key, [first, ...[...others, file].sort()]);
      this.#contested.add(key);
      return;
    }
    this.#holders.set(key, file);
    const object = this.#files.get(file)?.get(key);
    if (object !== undefined) events.push({ kind: "put", object });
  }

  #release(
    file: string,
    gone: { readonly key: ObjectKey; readonly before: ManifestObject },
    events: ManifestEvent[],
  ): void {
    const { key, before } = gone;
    const holders = listOf(this.#holders.get(key));
    const left = holders.filter((holder) => holder !== file);
    const [next] = left;
    if (next === undefined) {
      this.#holders.delete(key);
      events.push({ kind: "delete", key });
      return;
    }
    this.#holders.set(key, left.length === 1 ? next : left);
    if (left.length === 1) this.#contested.delete(key);
    const object = this.#files.get(next)?.get(key);
    if (holders[0] !== file || object === undefined) return;
    if (!sameValue(before, object)) events.push({ kind: "put", object });
  }
}

const NOTHING: ReadonlyMap<ObjectKey, ManifestObject> = new Map();

/** The new objects, and the old ones themselves where nothing is new about them. */
function keepSame(
  objects: ReadonlyMap<ObjectKey, ManifestObject>,
  options: { readonly before: ReadonlyMap<ObjectKey, ManifestObject>; readonly copy: boolean },
): ReadonlyMap<ObjectKey, ManifestObject> {
  const kept = new Map<ObjectKey, ManifestObject>();
  for (const [key, object] of objects) {
    const old = options.before.get(key);
    const isSame = old !== undefined && sameValue(old, object);
    kept.set(key, isSame ? old : options.copy ? copyOf(object) : object);
  }
  return kept;
}

/** With strings of its own: those of a reader may be slices of the text of the whole file. */
function copyOf(object: ManifestObject): ManifestObject {
  return JSON.parse(JSON.stringify(object)) as ManifestObject;
}

function firstOf(holders: string | readonly string[]): string {
  return typeof holders === "string" ? holders : (holders[0] ?? "");
}

function listOf(holders: string | readonly string[] | undefined): readonly string[] {
  if (holders === undefined) return [];
  return typeof holders === "string" ? [holders] : holders;
}
