import type { FakeApi } from "../../../src/plugin-host/kubernetes/fake-api.ts";
import {
  type FakeObject,
  matchesFields,
  matchesLabels,
} from "../../../src/plugin-host/kubernetes/fake-selectors.ts";
import {
  type ResourceName,
  type WatchedResource,
  watchedResources,
} from "../../../src/plugin-host/kubernetes/resources.ts";
import { isPartial, toPartial } from "../../../src/plugin-host/kubernetes/fake-answers.ts";
import { NODE_NAME } from "./objects.ts";

/** By key, what is kept of it; undefined: it cannot be read, and what it was before stands. */
export type State = ReadonlyMap<string, string | undefined>;

interface Lineage {
  readonly cluster: string;
  readonly entries: Entry[];
}

interface Entry {
  readonly version: number;
  readonly states: ReadonlyMap<ResourceName, State>;
}

/** What a server had at each of its versions, as it is kept here. */
export class Truth {
  readonly #resources = watchedResources(NODE_NAME);
  /** Of one cluster; data that are restored from a backup, and another cluster, begin another. */
  readonly #lineages: Lineage[] = [];
  #clusters = 0;

  get resources(): readonly WatchedResource[] {
    return this.#resources;
  }

  /** Of which versions are noted now. */
  get cluster(): string {
    return this.#lineages[0]?.cluster ?? "";
  }

  /** Versions from here on are of another history: of another cluster, or of data that were restored. */
  begin(options: { readonly isSameCluster?: boolean } = {}): void {
    const cluster = options.isSameCluster ? this.cluster : `cluster${this.#clusters++}`;
    this.#lineages.unshift({ cluster, entries: [] });
    this.#lineages.length = Math.min(this.#lineages.length, LINEAGES_MAX);
  }

  /** Notes what is there now; only this collection changed. */
  note(api: FakeApi, collection?: string): void {
    const { entries } = this.#lineages[0] as Lineage;
    const before = entries.at(-1)?.states;
    const states = new Map<ResourceName, State>();
    for (const resource of this.#resources) {
      const old = before?.get(resource.name);
      const isSame = old !== undefined && collection !== undefined && resource.path !== collection;
      states.set(resource.name, isSame ? old : stateOf(resource, api.list(resource.path)));
    }
    entries.push({ version: Number(api.version), states });
  }

  now(name: ResourceName): State {
    return this.#lineages[0]?.entries.at(-1)?.states.get(name) ?? new Map<string, string>();
  }

  /** States that a server had at a version, one for each history, the newest first. */
  at(
    name: ResourceName,
    version: string,
    { ofClusterAlone = false }: { readonly ofClusterAlone?: boolean } = {},
  ): State[] {
    if (version === "") return [new Map()];
    const number = Number(version);
    return this.#lineages.flatMap(({ cluster, entries }) => {
      if (ofClusterAlone && cluster !== this.cluster) return [];
      const entry = entries.findLast((each) => each.version <= number);
      const state = entry?.states.get(name);
      return state ? [state] : [];
    });
  }
}

const LINEAGES_MAX = 8;

function stateOf(resource: WatchedResource, objects: readonly FakeObject[]): State {
  const { query, accept } = resource;
  const found = objects.filter(
    (object) =>
      matchesLabels(String(query["labelSelector"] ?? ""), object.metadata.labels ?? {}) &&
      matchesFields(String(query["fieldSelector"] ?? ""), object),
  );
  return new Map(
    found.map((object): [string, string | undefined] => {
      const kept = resource.keep(isPartial(accept?.list) ? toPartial(object) : object);
      if (kept.kind === "unreadable") return [kept.key ?? "", undefined];
      return [kept.key, textOf(kept.kind === "own-pod" ? kept.pod : kept.object)];
    }),
  );
}

/** Without resourceVersions: of what is the same to Patchbay the earlier one is kept. */
export function textOf(value: object): string {
  return JSON.stringify(value, (key, part: unknown) => {
    if (key === "resourceVersion") return undefined;
    if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** What is wrong with what a host has; "": nothing. Objects that cannot be read may be anything that they were. */
export function difference(has: ReadonlyMap<string, string>, wanted: State): string {
  for (const [key, text] of has) {
    if (!wanted.has(key)) return `${key} is not there any more`;
    const should = wanted.get(key);
    if (should !== undefined && should !== text) return `${key} is ${text}, not ${should}`;
  }
  for (const [key, text] of wanted) {
    if (text !== undefined && !has.has(key)) return `${key} is missing`;
  }
  return "";
}
