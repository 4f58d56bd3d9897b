import type { AddressText, FrontendKey } from "../../services/model.ts";
import type {
  ListId,
  PlanChanges,
  PlannedFrontend,
  PlannedList,
  Route,
  ServicePlan,
} from "../../services/plan-types.ts";
import type {
  HeldFrontend,
  HeldRoute,
  ProgramOutcome,
  ServicePlane,
} from "../../services/service-plane.ts";

/**
 * A plane that writes into a plan of its own. A test may make its calls fail or hang, let it refuse
 * frontends, and change what it holds behind the host's back. Strict where a kernel is: what a
 * difference removes must be there, what a frontend points to as well.
 */
export class FakeServicePlane implements ServicePlane {
  readonly name: string;
  readonly calls: string[] = [];
  /** Awaited before each call has its effect: held back while pending, failed when it rejects. */
  before: (call: "reset" | "apply") => Promise<void> = async () => {};
  readonly refuses = new Map<FrontendKey, string>();
  readonly counts = new Map<FrontendKey, bigint>();
  isRemoved = false;
  #plan: MutablePlan | undefined;
  #listeners: ((what: string) => void)[] = [];

  constructor(name = "fake") {
    this.name = name;
  }

  async reset(plan: ServicePlan, revision: number): Promise<ProgramOutcome> {
    // What a real one does first: read the plan before anybody else changes it.
    const fresh = copyPlan(plan);
    this.calls.push(`reset ${revision}`);
    await this.before("reset");
    this.#plan = fresh;
    this.#requireWhole();
    return this.#outcome(revision);
  }

  async apply(changes: PlanChanges): Promise<ProgramOutcome> {
    this.calls.push(`apply ${changes.revision}`);
    await this.before("apply");
    if (!this.#plan) throw new Error("apply before the first reset");
    const next = copyPlan(this.#plan);
    applyChanges(next, changes);
    this.#plan = next;
    this.#requireWhole();
    return this.#outcome(changes.revision);
  }

  async held(key: FrontendKey): Promise<HeldFrontend | undefined> {
    const frontend = this.#plan?.frontends.get(key);
    if (!frontend || this.refuses.has(key)) return undefined;
    return { inside: this.#heldRoute(frontend.inside), outside: this.#heldRoute(frontend.outside) };
  }

  onTamper(listener: (what: string) => void): void {
    this.#listeners.push(listener);
  }

  async connectionCounts(): Promise<ReadonlyMap<FrontendKey, bigint>> {
    return this.counts;
  }

  async remove(): Promise<void> {
    this.isRemoved = true;
    this.#plan = undefined;
  }

  async close(): Promise<void> {}

  /** Somebody else empties it, and says so. */
  tamper(what = "somebody flushed everything"): void {
    this.#plan = emptyPlan();
    for (const listener of this.#listeners) listener(what);
  }

  /** What it holds as sorted lines: equal texts, equal planes. */
  print(): string {
    return printPlan(this.#plan ?? emptyPlan());
  }

  #outcome(revision: number): ProgramOutcome {
    const refused = [...this.refuses]
      .filter(([key]) => this.#plan?.frontends.has(key))
      .map(([key, reason]) => ({ key, reason }));
    return { revision, refused };
  }

  #heldRoute(route: Route): HeldRoute {
    if (route.kind !== "list") return route;
    return { kind: "list", endpoints: this.#plan?.lists.get(route.list)?.endpoints ?? [] };
  }

  #requireWhole(): void {
    for (const frontend of this.#plan?.frontends.values() ?? []) {
      for (const route of [frontend.inside, frontend.outside]) {
        if (route.kind === "list" && !this.#plan?.lists.has(route.list)) {
          throw new Error(`${frontend.key} points to ${route.list}, which is not there`);
        }
      }
    }
  }
}

interface MutablePlan extends ServicePlan {
  readonly frontends: Map<FrontendKey, PlannedFrontend>;
  readonly lists: Map<ListId, PlannedList>;
  readonly clusterIps: Set<AddressText>;
  readonly podAddresses: Set<AddressText>;
  readonly localEndpoints: Set<AddressText>;
  servicePrefixes: ServicePlan["servicePrefixes"];
  podPrefixes: ServicePlan["podPrefixes"];
}

/** A plan as sorted lines. */
export function printPlan(plan: ServicePlan): string {
  const lines = [
    ...[...plan.frontends.values()].map((frontend) => `frontend ${toJson(frontend)}`),
    ...[...plan.lists.values()].map((list) => `list ${toJson(list)}`),
    ...[...plan.clusterIps].map((address) => `cluster-ip ${address}`),
    ...[...plan.podAddresses].map((address) => `pod ${address}`),
    ...[...plan.localEndpoints].map((address) => `local ${address}`),
    ...plan.servicePrefixes.map((prefix) => `service-prefix ${toJson(prefix)}`),
    ...plan.podPrefixes.map((prefix) => `pod-prefix ${toJson(prefix)}`),
  ];
  return lines.sort().join("\n");
}

/** Keys in order, so that equal objects have equal texts. */
function toJson(value: object): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === "bigint") return `${part}`;
    if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

function emptyPlan(): MutablePlan {
  return {
    frontends: new Map(),
    lists: new Map(),
    clusterIps: new Set(),
    podAddresses: new Set(),
    localEndpoints: new Set(),
    servicePrefixes: [],
    podPrefixes: [],
  };
}

function copyPlan(plan: ServicePlan): MutablePlan {
  return {
    frontends: new Map(plan.frontends),
    lists: new Map(plan.lists),
    clusterIps: new Set(plan.clusterIps),
    podAddresses: new Set(plan.podAddresses),
    localEndpoints: new Set(plan.localEndpoints),
    servicePrefixes: [...plan.servicePrefixes],
    podPrefixes: [...plan.podPrefixes],
  };
}

function applyChanges(plan: MutablePlan, changes: PlanChanges): void {
  for (const key of changes.removeFrontends) mustDelete(plan.frontends, key);
  for (const frontend of changes.putFrontends) plan.frontends.set(frontend.key, frontend);
  for (const id of changes.removeLists) mustDelete(plan.lists, id);
  for (const list of changes.putLists) plan.lists.set(list.id, list);
  for (const address of changes.removeClusterIps) mustDelete(plan.clusterIps, address);
  for (const address of changes.addClusterIps) plan.clusterIps.add(address);
  for (const address of changes.removePodAddresses) mustDelete(plan.podAddresses, address);
  for (const address of changes.addPodAddresses) plan.podAddresses.add(address);
  for (const address of changes.removeLocalEndpoints) mustDelete(plan.localEndpoints, address);
  for (const address of changes.addLocalEndpoints) plan.localEndpoints.add(address);
  plan.servicePrefixes = changes.servicePrefixes ?? plan.servicePrefixes;
  plan.podPrefixes = changes.podPrefixes ?? plan.podPrefixes;
}

function mustDelete<Key>(from: { delete(key: Key): boolean }, key: Key): void {
  if (!from.delete(key)) throw new Error(`${String(key)} is removed and was not there`);
}
