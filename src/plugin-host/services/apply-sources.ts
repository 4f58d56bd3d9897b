import type { ModelChange } from "../../services/table-types.ts";
import { PatchbayError } from "../errors.ts";
import { LIMITS } from "../limits.ts";

interface Held {
  readonly frontends: Set<string>;
  /** Endpoints by id of their group. */
  readonly groups: Map<string, number>;
}

/** How much each caller of ApplyServices has given: what bounds the memory of all. Costs what the change has. */
export class ApplySources {
  readonly #onFirst: () => void;
  readonly #sources = new Map<string, Held>();
  #frontends = 0;
  #endpoints = 0;

  /** `onFirst` is called when the first caller gives something. */
  constructor(onFirst: () => void = () => {}) {
    this.#onFirst = onFirst;
  }

  /** Counts a change in, or throws PatchbayError LIMIT_REACHED and counts nothing. */
  note(source: string, change: ModelChange): void {
    const held = this.#sources.get(source) ?? { frontends: new Set(), groups: new Map() };
    const kept = change.replace ? { frontends: new Set<string>(), groups: new Map() } : held;
    const next = {
      frontends: this.#frontends + growthOfFrontends(kept, change),
      endpoints: this.#endpoints + growthOfEndpoints(kept, change),
      sources: this.#sources.has(source) ? this.#sources.size : this.#sources.size + 1,
    };
    if (change.replace) {
      next.frontends -= held.frontends.size;
      next.endpoints -= sum(held.groups.values());
    }
    bound(next.sources, LIMITS.servicesSourcesMax, "sources");
    bound(next.frontends, LIMITS.servicesFrontendsMax, "frontends");
    bound(next.endpoints, LIMITS.servicesEndpointsMax, "endpoints");
    this.#frontends = next.frontends;
    this.#endpoints = next.endpoints;
    for (const id of change.removeFrontends) kept.frontends.delete(id);
    for (const { id } of change.putFrontends) kept.frontends.add(id);
    for (const id of change.removeGroups) kept.groups.delete(id);
    for (const group of change.putGroups) kept.groups.set(group.id, sizeOf(group));
    if (kept.frontends.size + kept.groups.size === 0) this.#sources.delete(source);
    else {
      if (this.#sources.size === 0) this.#onFirst();
      this.#sources.set(source, kept);
    }
  }
}

function growthOfFrontends({ frontends }: Held, change: ModelChange): number {
  const added = change.putFrontends.filter(({ id }) => !frontends.has(id)).length;
  return added - change.removeFrontends.filter((id) => frontends.has(id)).length;
}

function growthOfEndpoints({ groups }: Held, change: ModelChange): number {
  const put = change.putGroups.map((group) => sizeOf(group) - (groups.get(group.id) ?? 0));
  return sum(put) - sum(change.removeGroups.map((id) => groups.get(id) ?? 0));
}

/** A group without endpoints takes room as well. */
function sizeOf({ endpoints }: { readonly endpoints: readonly unknown[] }): number {
  return Math.max(1, endpoints.length);
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}

function bound(count: number, max: number, what: string): void {
  if (count <= max) return;
  const message = `Cannot hold ${count} ${what} of ApplyServices, at most ${max}`;
  throw new PatchbayError("LIMIT_REACHED", message);
}
