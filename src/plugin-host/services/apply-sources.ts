import type { ModelChange } from "../../services/table-types.ts";
import { PatchbayError } from "../errors.ts";
import { LIMITS } from "../limits.ts";

interface Held {
  /** When each was put first, ms since 1970. */
  readonly frontends: Map<string, number>;
  /** Endpoints by id of their group. */
  readonly groups: Map<string, number>;
}

/** How much each caller of ApplyServices has given: what bounds the memory of all. Costs what the change has. */
export class ApplySources {
  readonly #onAny: (isAny: boolean) => void;
  readonly #sources = new Map<string, Held>();
  #frontends = 0;
  #endpoints = 0;

  /** `onAny` is called when the first caller gives something, and when nothing of any is left. */
  constructor(onAny: (isAny: boolean) => void = () => {}) {
    this.#onAny = onAny;
  }

  /**
   * Counts a change in, or throws PatchbayError LIMIT_REACHED and counts nothing. Answers the change
   * with the age that each frontend has already: who says the same again does not lose its address.
   */
  note(source: string, change: ModelChange): ModelChange {
    const held: Held = this.#sources.get(source) ?? { frontends: new Map(), groups: new Map() };
    const kept: Held = change.replace ? { frontends: new Map(), groups: new Map() } : held;
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
    const putFrontends = change.putFrontends.map((frontend) => {
      const createdMs = held.frontends.get(frontend.id) ?? frontend.createdMs;
      kept.frontends.set(frontend.id, createdMs);
      return { ...frontend, createdMs };
    });
    for (const id of change.removeFrontends) kept.frontends.delete(id);
    for (const id of change.removeGroups) kept.groups.delete(id);
    for (const group of change.putGroups) kept.groups.set(group.id, sizeOf(group));
    const hadAny = this.#sources.size > 0;
    if (kept.frontends.size + kept.groups.size === 0) this.#sources.delete(source);
    else this.#sources.set(source, kept);
    const hasAny = this.#sources.size > 0;
    if (hasAny !== hadAny) this.#onAny(hasAny);
    return { ...change, putFrontends };
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
