import {
  type ObjectEvent,
  type ObjectKey,
  objectKey,
  type ServicesObject,
} from "../../services/objects.ts";
import { sameValue } from "./same-value.ts";

/** Deleted objects that are remembered, so that news of before their deletion does not bring them back. */
const DELETED_MAX = 10_000;

/**
 * The objects of one source, in the order of their resourceVersions: what arrives late or twice
 * changes nothing. resourceVersions compare as numbers (KEP-5504); objects without, or with others,
 * are taken as they come.
 */
export class ObjectCache {
  readonly #objects = new Map<ObjectKey, ServicesObject>();
  /** resourceVersion at the deletion, oldest first. */
  readonly #deleted = new Map<ObjectKey, string | undefined>();
  #isListed = false;

  get size(): number {
    return this.#objects.size;
  }

  get(key: ObjectKey): ServicesObject | undefined {
    return this.#objects.get(key);
  }

  objects(): ServicesObject[] {
    return [...this.#objects.values()];
  }

  /**
   * Takes what a source tells and returns what is new about it, in order. The first relist stays
   * one; a later one becomes what differs.
   */
  apply(events: readonly ObjectEvent[]): ObjectEvent[] {
    return events.flatMap((event) => {
      switch (event.kind) {
        case "put":
          return this.#put(event.object);
        case "delete":
          return this.#delete(event.key);
        case "relist":
          return this.#relist(event.objects);
      }
    });
  }

  #put(object: ServicesObject): ObjectEvent[] {
    const key = objectKey(object);
    const held = this.#objects.get(key);
    const heldVersion = held ? held.metadata.resourceVersion : this.#deleted.get(key);
    const order = compareVersions(object.metadata.resourceVersion, heldVersion);
    if (order === undefined ? sameValue(object, held) : order <= 0) return [];
    this.#objects.set(key, object);
    this.#deleted.delete(key);
    return [{ kind: "put", object }];
  }

  #delete(key: ObjectKey): ObjectEvent[] {
    const held = this.#objects.get(key);
    if (held === undefined) return [];
    this.#objects.delete(key);
    this.#deleted.set(key, held.metadata.resourceVersion);
    const [oldest] = this.#deleted.keys();
    if (this.#deleted.size > DELETED_MAX && oldest !== undefined) this.#deleted.delete(oldest);
    return [{ kind: "delete", key }];
  }

  #relist(objects: readonly ServicesObject[]): ObjectEvent[] {
    const named = new Set(objects.map(objectKey));
    const gone = [...this.#objects.keys()].filter((key) => !named.has(key));
    const deletes = gone.flatMap((key) => this.#delete(key));
    // A list is the whole truth: what it names is there, however it was deleted before.
    this.#deleted.clear();
    const puts = objects.flatMap((object) => this.#put(object));
    if (this.#isListed) return [...deletes, ...puts];
    this.#isListed = true;
    return [{ kind: "relist", objects: this.objects() }];
  }
}

/** Negative: left is older. undefined: nobody knows. */
export function compareVersions(
  left: string | undefined,
  right: string | undefined,
): number | undefined {
  if (!isNumber(left) || !isNumber(right)) return undefined;
  if (left.length !== right.length) return left.length - right.length;
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function isNumber(version: string | undefined): version is string {
  return version !== undefined && /^[1-9]\d*$/.test(version);
}
