import type { IpPrefix } from "../ip/address.ts";
import { Claims } from "./claims.ts";
import { CountedSet } from "./counted-set.ts";
import { explain } from "./explain.ts";
import { concernedBy } from "./facts-changes.ts";
import { healthCheckOf } from "./health-checks.ts";
import { type AddressText, type FrontendKey, frontendKey, type NodeFacts } from "./model.ts";
import { ModelSource } from "./model-source.ts";
import { ObjectSource } from "./object-source.ts";
import type { ObjectEvent } from "./objects.ts";
import type { PlannedFrontend, ServicePlan } from "./plan-types.ts";
import {
  type Claim,
  emptyPlan,
  lostTarget,
  planUnit,
  samePlanned,
  samePrefixes,
} from "./plan-unit.ts";
import { boundProblems, Problems } from "./problems.ts";
import { SharedTexts } from "./shared-texts.ts";
import type {
  Explanation,
  HealthCheck,
  ModelChange,
  ObjectProblem,
  Question,
  ServiceState,
  ServiceTable,
  TableChanges,
} from "./table-types.ts";
import type { Unit } from "./unit.ts";
import { UsedLists } from "./used-lists.ts";
import { viewClaim } from "./view.ts";

/** An empty table. Its first takeChanges() tells the facts' prefixes, if there are any. */
export function createServiceTable(facts: NodeFacts): ServiceTable {
  return new Table(facts);
}

interface Source<T> {
  readonly input: T;
  readonly problems: Problems;
}

/** Changes mark units; takeChanges() plans those anew and tells what that changed. */
class Table implements ServiceTable {
  #revision = 0;
  #facts: NodeFacts;
  /** What the plan is made of; `#facts` may be newer. */
  #plannedFacts: NodeFacts;
  readonly #objects = new Map<string, Source<ObjectSource>>();
  readonly #models = new Map<string, ModelSource>();
  readonly #texts = new SharedTexts();
  readonly #dirty = new Set<Unit>();
  /** Units that the plan knows, by their Service's name. */
  readonly #units = new Map<string, readonly Unit[]>();
  readonly #claims = new Claims();
  readonly #lists = new UsedLists();
  readonly #clusterIps = new CountedSet<AddressText>();
  readonly #podAddresses = new CountedSet<AddressText>();
  #servicePrefixes: readonly IpPrefix[] = [];
  #podPrefixes: readonly IpPrefix[] = [];

  constructor(facts: NodeFacts) {
    this.#facts = facts;
    this.#plannedFacts = facts;
  }

  get revision(): number {
    return this.#revision;
  }

  applyObjects(source: string, events: readonly ObjectEvent[]): void {
    let { input } = this.#objects.get(source) ?? {};
    if (input === undefined) {
      const problems = new Problems(source);
      const touch = (unit: Unit): void => void this.#dirty.add(unit);
      input = new ObjectSource({ source, texts: this.#texts, problems, touch });
      this.#objects.set(source, { input, problems });
    }
    for (const event of events) input.apply(event);
  }

  applyModel(source: string, change: ModelChange): void {
    let model = this.#models.get(source);
    if (model === undefined) {
      model = new ModelSource(source, (unit) => void this.#dirty.add(unit));
      this.#models.set(source, model);
    }
    model.apply(change);
  }

  setFacts(facts: NodeFacts): void {
    const concerns = concernedBy(this.#facts, facts);
    this.#facts = facts;
    if (concerns === undefined) return;
    for (const units of this.#units.values()) {
      for (const unit of units) if (concerns(unit)) this.#dirty.add(unit);
    }
  }

  changePodAddresses({
    add,
    remove,
  }: {
    readonly add: readonly AddressText[];
    readonly remove: readonly AddressText[];
  }): void {
    for (const address of remove) this.#podAddresses.remove(address);
    for (const address of add) {
      if (!this.#podAddresses.has(address)) this.#podAddresses.add(address);
    }
  }

  takeChanges(): TableChanges | undefined {
    const facts = this.#facts;
    this.#plannedFacts = facts;
    const step = new Step();
    for (const unit of this.#dirty) this.#replan(unit, step);
    this.#dirty.clear();
    const frontends = this.#resolve(step);
    const lists = this.#lists.takeChanges();
    const clusterIps = this.#clusterIps.takeChanges();
    const pods = this.#podAddresses.takeChanges();
    const local = this.#lists.localEndpoints.takeChanges();
    const podPrefixes = !samePrefixes(this.#podPrefixes, facts.podPrefixes);
    const servicePrefixes = !samePrefixes(this.#servicePrefixes, facts.servicePrefixes);
    this.#podPrefixes = facts.podPrefixes;
    this.#servicePrefixes = facts.servicePrefixes;
    const parts = [
      frontends.put,
      frontends.removed,
      lists.put,
      lists.removed,
      clusterIps.added,
      clusterIps.removed,
      pods.added,
      pods.removed,
      local.added,
      local.removed,
      frontends.stale,
    ];
    const isEmpty = parts.every((part) => part.length === 0) && !podPrefixes && !servicePrefixes;
    if (isEmpty) return undefined;
    this.#revision++;
    for (const service of step.services) {
      for (const unit of this.#units.get(service) ?? []) unit.revision = this.#revision;
    }
    return {
      changes: {
        revision: this.#revision,
        putFrontends: frontends.put,
        removeFrontends: frontends.removed,
        putLists: lists.put,
        removeLists: lists.removed,
        addClusterIps: clusterIps.added,
        removeClusterIps: clusterIps.removed,
        addPodAddresses: pods.added,
        removePodAddresses: pods.removed,
        addLocalEndpoints: local.added,
        removeLocalEndpoints: local.removed,
        ...(servicePrefixes && { servicePrefixes: facts.servicePrefixes }),
        ...(podPrefixes && { podPrefixes: facts.podPrefixes }),
      },
      services: [...step.services],
      staleFlows: frontends.stale,
      ...(step.triggeredMs !== undefined && { triggeredMs: step.triggeredMs }),
    };
  }

  plan(): ServicePlan {
    const frontends = new Map<FrontendKey, PlannedFrontend>();
    for (const { planned } of this.#claims.winners()) frontends.set(planned.key, planned);
    return {
      frontends,
      lists: this.#lists.lists(),
      clusterIps: this.#clusterIps.members(),
      servicePrefixes: this.#servicePrefixes,
      podPrefixes: this.#podPrefixes,
      podAddresses: this.#podAddresses.members(),
      localEndpoints: this.#lists.localEndpoints.members(),
    };
  }

  serviceNames(): readonly string[] {
    return [...this.#units.keys()].sort();
  }

  view(service: string): ServiceState | undefined {
    const units = this.#units.get(service);
    if (units === undefined) return undefined;
    const surroundings = { claims: this.#claims, facts: this.#plannedFacts };
    return {
      service,
      revision: Math.max(...units.map(({ revision }) => revision)),
      frontends: units.flatMap((unit) =>
        (unit.planned ?? emptyPlan).claims.map((claim) => viewClaim(claim, surroundings)),
      ),
    };
  }

  explain(question: Question): Explanation {
    return explain(question, {
      facts: this.#plannedFacts,
      claim: this.#claims.winner(frontendKey(question.address, question)),
      isClusterIp: (address) => this.#clusterIps.has(address),
      isPodAddress: (address) => this.#podAddresses.has(address),
    });
  }

  servingEndpoints(key: FrontendKey): ReadonlySet<string> | undefined {
    const serving = this.#claims.winner(key)?.serving;
    return serving && new Set(serving.map(({ address, port }) => `${address}|${port}`));
  }

  healthChecks(): readonly HealthCheck[] {
    const checks: HealthCheck[] = [];
    for (const units of this.#units.values()) {
      for (const unit of units) {
        const check = healthCheckOf(unit, this.#plannedFacts);
        if (check) checks.push(check);
      }
    }
    return checks;
  }

  problems(): readonly ObjectProblem[] {
    return boundProblems([...this.#objects.values()].flatMap(({ problems }) => problems.list()));
  }

  #replan(unit: Unit, step: Step): void {
    const before = unit.planned ?? emptyPlan;
    const after = planUnit(unit, this.#plannedFacts);
    unit.planned = after;
    step.note(unit);
    let changed = false;
    for (const [id, list] of after.lists) {
      if (before.lists.get(id) === list) continue;
      this.#lists.update(list);
      changed = true;
    }
    const sameClaims =
      before.claims.length === after.claims.length &&
      before.claims.every((claim, index) => claim === after.claims[index]);
    if (!sameClaims) {
      changed = true;
      for (const claim of [...before.claims, ...after.claims]) {
        step.touch(claim.planned.key, this.#claims);
      }
      for (const claim of before.claims) this.#claims.remove(claim);
      for (const claim of after.claims) this.#claims.add(claim);
      for (const address of before.clusterIps) this.#clusterIps.remove(address);
      for (const address of after.clusterIps) this.#clusterIps.add(address);
    }
    if (changed) step.services.add(unit.service);
    this.#index(unit);
  }

  /** Who has the keys that were touched, and what that means for the plan. */
  #resolve(step: Step): {
    readonly put: readonly PlannedFrontend[];
    readonly removed: readonly FrontendKey[];
    readonly stale: TableChanges["staleFlows"];
  } {
    const put: PlannedFrontend[] = [];
    const removed: FrontendKey[] = [];
    const stale: PlannedFrontend[] = [];
    for (const [key, before] of step.touched) {
      const all = this.#claims.all(key);
      const [after] = all;
      const claim = after ?? before;
      if (claim && flowsAreStale(before, after)) stale.push(claim.planned);
      if (before && after && samePlanned(before.planned, after.planned)) continue;
      if (before) this.#lists.release(before.planned);
      if (after) {
        this.#lists.use(after.planned, (after.unit.planned ?? emptyPlan).lists);
        put.push(after.planned);
      } else if (before) {
        removed.push(key);
      }
      for (const { unit } of all) step.services.add(unit.service);
    }
    return {
      put,
      removed,
      stale: stale.map(({ key, address, protocol, port }) => ({ key, address, protocol, port })),
    };
  }

  #index(unit: Unit): void {
    const others = (this.#units.get(unit.service) ?? []).filter((other) => other !== unit);
    const known = unit.frontends.length > 0 ? [...others, unit] : others;
    if (known.length > 0) this.#units.set(unit.service, known);
    else this.#units.delete(unit.service);
    if (!unit.isEmpty) return;
    for (const { input } of this.#objects.values()) input.drop(unit);
    for (const model of this.#models.values()) model.drop(unit);
  }
}

/** What one takeChanges() collects. */
class Step {
  /** Who had a key before, for keys that somebody may have lost or won. */
  readonly touched = new Map<FrontendKey, Claim | undefined>();
  readonly services = new Set<string>();
  triggeredMs: number | undefined;

  touch(key: FrontendKey, claims: Claims): void {
    if (!this.touched.has(key)) this.touched.set(key, claims.winner(key));
  }

  note(unit: Unit): void {
    if (unit.triggeredMs === undefined) return;
    this.triggeredMs = Math.max(this.triggeredMs ?? 0, unit.triggeredMs);
    unit.triggeredMs = undefined;
  }
}

/** New, gone, without one of its endpoints, or with the first ones. */
function flowsAreStale(before: Claim | undefined, after: Claim | undefined): boolean {
  if (before === undefined || after === undefined) return true;
  if (before.serving === after.serving) return false;
  if (before.serving.length === 0) return after.serving.length > 0;
  return lostTarget(before.serving, after.serving);
}
