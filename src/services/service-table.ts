import { NODE_FRONTENDS_MAX } from "./bounds.ts";
import { describeShadowed } from "./claims.ts";
import { explain } from "./explain.ts";
import { concernedBy } from "./facts-changes.ts";
import { FrontendRoom } from "./frontend-room.ts";
import { healthCheckOf } from "./health-checks.ts";
import { LivePlan } from "./live-plan.ts";
import { type AddressText, type FrontendKey, frontendKey, type NodeFacts } from "./model.ts";
import { ModelSource } from "./model-source.ts";
import { ObjectSource } from "./object-source.ts";
import type { ObjectEvent } from "./objects.ts";
import type { ListId, PlannedFrontend, PlannedList, ServicePlan } from "./plan-types.ts";
import { emptyPlan } from "./plan-unit.ts";
import { type PodNetworkAddresses, PodNetworks } from "./pod-networks.ts";
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
import { viewClaim } from "./view.ts";

/** An empty table. Its first takeChanges() tells the facts' prefixes, if there are any. */
export function createServiceTable(
  facts: NodeFacts,
  { maxFrontends = NODE_FRONTENDS_MAX }: { readonly maxFrontends?: number } = {},
): ServiceTable {
  return new Table(facts, maxFrontends);
}

/** Changes mark units; takeChanges() plans those anew and tells what that changed. */
class Table implements ServiceTable {
  #revision = 0;
  #facts: NodeFacts;
  /** What the plan is made of; `#facts` may be newer. */
  #plannedFacts: NodeFacts;
  readonly #plan = new LivePlan();
  readonly #texts = new SharedTexts();
  readonly #problems = new Map<string, Problems>();
  readonly #objects = new Map<string, ObjectSource>();
  readonly #models = new Map<string, ModelSource>();
  readonly #dirty = new Set<Unit>();
  readonly #room: FrontendRoom;
  readonly #podNetworks = new PodNetworks((pod, networks) => {
    for (const objects of this.#objects.values()) objects.touchPod(pod, networks);
  });
  /** Units that the plan knows, by their Service's name. */
  readonly #units = new Map<string, readonly Unit[]>();
  readonly #healthChecked = new Set<Unit>();
  /** Units with a cluster IP that is the node's. */
  readonly #withOwnAddress = new Set<Unit>();

  constructor(facts: NodeFacts, maxFrontends: number) {
    this.#facts = facts;
    this.#room = new FrontendRoom(maxFrontends);
    this.#plannedFacts = facts;
  }

  get revision(): number {
    return this.#revision;
  }

  applyObjects(source: string, events: readonly ObjectEvent[]): void {
    const objects = this.#objects.get(source) ?? this.#addObjectSource(source);
    for (const event of events) objects.apply(event);
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
    for (const address of remove) this.#plan.removePodAddress(address);
    for (const address of add) this.#plan.addPodAddress(address);
  }

  changePodNetworks({
    put,
    remove,
  }: {
    readonly put: readonly PodNetworkAddresses[];
    readonly remove: readonly string[];
  }): void {
    for (const id of remove) this.#podNetworks.remove(id);
    for (const entry of put) this.#podNetworks.put(entry);
  }

  takeChanges(): TableChanges | undefined {
    this.#plannedFacts = this.#facts;
    this.#room.takeTurns();
    for (const unit of this.#dirty) {
      this.#plan.replan(unit, this.#plannedFacts);
      this.#index(unit);
    }
    this.#dirty.clear();
    const taken = this.#plan.takeChanges(this.#plannedFacts, this.#revision + 1);
    if (taken === undefined) return undefined;
    this.#revision++;
    for (const service of taken.services) {
      for (const unit of this.#units.get(service) ?? []) unit.revision = this.#revision;
    }
    return taken;
  }

  plan(): ServicePlan {
    return this.#plan.plan();
  }

  planned(key: FrontendKey): PlannedFrontend | undefined {
    return this.#plan.claims.winner(key)?.planned;
  }

  list(id: ListId): PlannedList | undefined {
    return this.#plan.list(id);
  }

  serviceNames(): readonly string[] {
    return [...this.#units.keys()].sort();
  }

  unserved(prefix: string): readonly string[] {
    const found: string[] = [];
    for (const objects of this.#objects.values()) {
      for (const [service, reason] of objects.unserved()) {
        if (service.startsWith(prefix)) found.push(`${service}: ${reason}`);
      }
    }
    return [...new Set(found)].sort();
  }

  view(service: string): ServiceState | undefined {
    const units = this.#units.get(service);
    if (units === undefined) return undefined;
    const surroundings = { claims: this.#plan.claims, facts: this.#plannedFacts };
    return {
      service,
      revision: Math.max(...units.map(({ revision }) => revision)),
      frontends: units.flatMap((unit) =>
        (unit.planned ?? emptyPlan).claims.map((claim) => viewClaim(claim, surroundings)),
      ),
    };
  }

  explain(question: Question): Explanation {
    const { claims } = this.#plan;
    return explain(question, {
      facts: this.#plannedFacts,
      claims: claims.all(frontendKey(question.address, question)),
      findNodePort: (wanted) => claims.findNodePort(wanted),
      isClusterIp: (address) => this.#plan.isClusterIp(address),
      isPodAddress: (address) => this.#plan.isPodAddress(address),
    });
  }

  servingEndpoints(key: FrontendKey): ReadonlySet<string> | undefined {
    const serving = this.#plan.claims.winner(key)?.serving;
    return serving && new Set(serving.map(({ address, port }) => `${address}|${port}`));
  }

  healthChecks(): readonly HealthCheck[] {
    const checks = new Map<string, HealthCheck>();
    // Of two sources with the same Service the first one by name is asked: a port has one server.
    for (const unit of [...this.#healthChecked].sort(compareUnits)) {
      const check = healthCheckOf(unit, this.#plannedFacts);
      if (check && !checks.has(unit.service)) checks.set(unit.service, check);
    }
    return [...checks.values()];
  }

  problems(): readonly ObjectProblem[] {
    return boundProblems([
      ...[...this.#problems.values()].flatMap((problems) => problems.list()),
      ...[...this.#objects.values()].flatMap((objects) => [...objects.problems()]),
      ...this.#plan.claims.shadowed().map((shadowed) => ({
        source: shadowed.claim.unit.scope.slice(0, -1),
        object: `Service ${shadowed.claim.unit.service}`,
        message: describeShadowed(shadowed),
      })),
      ...[...this.#withOwnAddress].flatMap(describeOwnAddresses),
    ]);
  }

  #addObjectSource(source: string): ObjectSource {
    const problems = new Problems(source);
    const touch = (unit: Unit): void => void this.#dirty.add(unit);
    const objects = new ObjectSource({
      source,
      texts: this.#texts,
      problems,
      room: this.#room,
      podNetworks: this.#podNetworks,
      nodeName: () => this.#facts.nodeName,
      touch,
    });
    this.#problems.set(source, problems);
    this.#objects.set(source, objects);
    return objects;
  }

  /** Files a unit that was planned under its name, or forgets it. */
  #index(unit: Unit): void {
    const { service } = unit;
    const filed = this.#units.get(service) ?? [];
    const wanted = unit.frontends.length > 0;
    if (wanted !== filed.includes(unit)) {
      const left = filed.filter((other) => other !== unit);
      if (wanted) left.push(unit);
      if (left.length > 0) this.#units.set(service, left.sort(compareUnits));
      else this.#units.delete(service);
      this.#plan.noteService(service);
    }
    if (unit.healthCheckPort === undefined) this.#healthChecked.delete(unit);
    else this.#healthChecked.add(unit);
    if (unit.planned?.ownClusterIps.length) this.#withOwnAddress.add(unit);
    else this.#withOwnAddress.delete(unit);
    if (!unit.isEmpty) return;
    for (const objects of this.#objects.values()) objects.drop(unit);
    for (const model of this.#models.values()) model.drop(unit);
  }
}

function describeOwnAddresses(unit: Unit): readonly ObjectProblem[] {
  return (unit.planned ?? emptyPlan).ownClusterIps.map((address) => ({
    source: unit.scope.slice(0, -1),
    object: `Service ${unit.service}`,
    message: `${unit.addressField}: ${address} is an address of this node: ports that the Service does not name stay the node's`,
  }));
}

/** An order that does not depend on who came first. */
function compareUnits(one: Unit, other: Unit): number {
  if (one.service !== other.service) return one.service < other.service ? -1 : 1;
  if (one.scope === other.scope) return 0;
  return one.scope < other.scope ? -1 : 1;
}
