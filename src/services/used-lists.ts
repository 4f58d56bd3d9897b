import { CountedSet } from "./counted-set.ts";
import { type BuiltList, samePlannedList } from "./lists.ts";
import type { AddressText } from "./model.ts";
import type { ListId, PlannedFrontend, PlannedList } from "./plan-types.ts";

/** The lists that programmed frontends name, and nothing else: what the plan holds. */
export class UsedLists {
  readonly #held = new Map<ListId, BuiltList>();
  readonly #uses = new Map<ListId, number>();
  /** What may differ from what is held. undefined: only its uses changed. */
  readonly #touched = new Map<ListId, BuiltList | undefined>();
  /** Addresses of this node in the lists that are held. */
  readonly localEndpoints = new CountedSet<AddressText>();

  /** A list has this content now, if anybody uses it. */
  update(list: BuiltList): void {
    this.#touched.set(list.planned.id, list);
  }

  /** A frontend is programmed; `lists` are those of its Service. */
  use(frontend: PlannedFrontend, lists: ReadonlyMap<ListId, BuiltList>): void {
    for (const id of listsOf(frontend)) {
      this.#uses.set(id, (this.#uses.get(id) ?? 0) + 1);
      const list = lists.get(id);
      if (list) this.#touched.set(id, list);
    }
  }

  /** A frontend is programmed no more. */
  release(frontend: PlannedFrontend): void {
    for (const id of listsOf(frontend)) {
      const uses = (this.#uses.get(id) ?? 0) - 1;
      if (uses > 0) this.#uses.set(id, uses);
      else this.#uses.delete(id);
      if (!this.#touched.has(id)) this.#touched.set(id, undefined);
    }
  }

  takeChanges(): { readonly put: readonly PlannedList[]; readonly removed: readonly ListId[] } {
    const put: PlannedList[] = [];
    const removed: ListId[] = [];
    for (const [id, content] of this.#touched) {
      const before = this.#held.get(id);
      const after = this.#uses.has(id) ? (content ?? before) : undefined;
      if (after === before) continue;
      if (after === undefined) {
        this.#held.delete(id);
        removed.push(id);
      } else {
        this.#held.set(id, after);
        if (!(before && samePlannedList(before.planned, after.planned))) put.push(after.planned);
      }
      for (const address of before?.local ?? []) this.localEndpoints.remove(address);
      for (const address of after?.local ?? []) this.localEndpoints.add(address);
    }
    this.#touched.clear();
    return { put, removed };
  }

  list(id: ListId): PlannedList | undefined {
    return this.#held.get(id)?.planned;
  }

  lists(): ReadonlyMap<ListId, PlannedList> {
    const lists = new Map<ListId, PlannedList>();
    for (const [id, { planned }] of this.#held) lists.set(id, planned);
    return lists;
  }
}

function listsOf({ inside, outside }: PlannedFrontend): readonly ListId[] {
  const ids: ListId[] = [];
  if (inside.kind === "list") ids.push(inside.list);
  if (outside.kind === "list") ids.push(outside.list);
  return ids;
}
