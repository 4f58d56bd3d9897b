import type { IpPrefix } from "../ip/address.ts";
import { Claims } from "./claims.ts";
import { CountedSet } from "./counted-set.ts";
import { lostTarget } from "./lists.ts";
import type { AddressText, FrontendKey, NodeFacts } from "./model.ts";
import type {
  ListId,
  PlanChanges,
  PlannedFrontend,
  PlannedList,
  ServicePlan,
} from "./plan-types.ts";
import { samePlanned, samePrefixes } from "./plan-frontend.ts";
import { type Claim, emptyPlan, planUnit, type UnitPlan } from "./plan-unit.ts";
import type { TableChanges } from "./table-types.ts";
import type { Unit } from "./unit.ts";
import { UsedLists } from "./used-lists.ts";

/** The node's plan, kept up to date unit by unit. */
export class LivePlan {
  readonly claims = new Claims();
  readonly #lists = new UsedLists();
  readonly #clusterIps = new CountedSet<AddressText>();
  readonly #podAddresses = new CountedSet<AddressText>();
  #servicePrefixes: readonly IpPrefix[] = [];
  #podPrefixes: readonly IpPrefix[] = [];
  #step = new Step();

  isClusterIp(address: AddressText): boolean {
    return this.#clusterIps.has(address);
  }

  isPodAddress(address: AddressText): boolean {
    return this.#podAddresses.has(address);
  }

  addPodAddress(address: AddressText): void {
    if (this.#podAddresses.has(address)) return;
    this.#podAddresses.add(address);
    // A pod that the host attached is here, whatever its endpoints say of their node.
    this.#lists.localEndpoints.add(address);
  }

  removePodAddress(address: AddressText): void {
    if (!this.#podAddresses.has(address)) return;
    this.#podAddresses.remove(address);
    this.#lists.localEndpoints.remove(address);
  }

  /** Plans a unit anew. */
  replan(unit: Unit, facts: NodeFacts): void {
    const before = unit.planned ?? emptyPlan;
    const after = planUnit(unit, facts);
    unit.planned = after;
    this.#step.note(unit);
    for (const [id, list] of after.lists) {
      if (before.lists.get(id) !== list) this.#lists.update(list);
    }
    if (
      !sameMembers(before.claims, after.claims) ||
      !sameMembers(before.clusterIps, after.clusterIps)
    ) {
      this.#replaceClaims(before, after);
    }
    if (differs(before, after)) this.#step.services.add(unit.service);
  }

  /** A Service came or went, whatever it brings to the plan. */
  noteService(service: string): void {
    this.#step.services.add(service);
  }

  /** Everything since the last call; undefined: nothing. `revision` is the number that it gets. */
  takeChanges(facts: NodeFacts, revision: number): TableChanges | undefined {
    const step = this.#step;
    this.#step = new Step();
    const frontends = this.#resolve(step);
    const lists = this.#lists.takeChanges();
    const clusterIps = this.#clusterIps.takeChanges();
    const pods = this.#podAddresses.takeChanges();
    const local = this.#lists.localEndpoints.takeChanges();
    const podPrefixes = !samePrefixes(this.#podPrefixes, facts.podPrefixes);
    const servicePrefixes = !samePrefixes(this.#servicePrefixes, facts.servicePrefixes);
    this.#podPrefixes = facts.podPrefixes;
    this.#servicePrefixes = facts.servicePrefixes;
    const changes: PlanChanges = {
      revision,
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
    };
    // Flows and views change where the plan does not: an endpoint that only served its last
    // connections goes, a Service comes whose addresses all belong to others.
    if (isEmpty(changes) && step.services.size === 0) return undefined;
    return {
      changes,
      services: [...step.services],
      staleFlows: frontends.stale,
      ...(step.triggeredMs !== undefined && { triggeredMs: step.triggeredMs }),
    };
  }

  /** As of the last takeChanges(). */
  list(id: ListId): PlannedList | undefined {
    return this.#lists.list(id);
  }

  /** As of the last takeChanges(). A copy: it stays as it is. */
  plan(): ServicePlan {
    const frontends = new Map<FrontendKey, PlannedFrontend>();
    for (const { planned } of this.claims.winners()) frontends.set(planned.key, planned);
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

  #replaceClaims(before: UnitPlan, after: UnitPlan): void {
    for (const claim of before.claims) this.#step.touch(claim, this.claims);
    for (const claim of after.claims) this.#step.touch(claim, this.claims);
    for (const claim of before.claims) this.claims.remove(claim);
    for (const claim of after.claims) this.claims.add(claim);
    for (const address of before.clusterIps) this.#clusterIps.remove(address);
    for (const address of after.clusterIps) this.#clusterIps.add(address);
  }

  /** Who has the keys that were touched, and what that means for the plan. */
  #resolve(step: Step): {
    readonly put: readonly PlannedFrontend[];
    readonly removed: readonly FrontendKey[];
    readonly stale: TableChanges["staleFlows"];
  } {
    const put: PlannedFrontend[] = [];
    const removed: FrontendKey[] = [];
    const stale: TableChanges["staleFlows"][number][] = [];
    for (const [key, before] of step.touched) {
      const all = this.claims.all(key);
      const [after] = all;
      const claim = after ?? before;
      if (claim && flowsAreStale(before, after)) {
        const { address, protocol, port } = claim.planned;
        const closes = claim.frontend.policy.closeTcpFlows;
        stale.push({ key, address, protocol, port, ...(closes && { closeTcpFlows: true }) });
      }
      if (before === undefined && after === undefined) continue;
      if (before && after && samePlanned(before.planned, after.planned)) continue;
      if (before) this.#lists.release(before.planned);
      if (after) {
        this.#lists.use(after.planned, (after.unit.planned ?? emptyPlan).lists);
        put.push(after.planned);
      } else {
        removed.push(key);
      }
      for (const { unit } of all) step.services.add(unit.service);
    }
    return { put, removed, stale };
  }
}

/** What is collected between two takeChanges(). */
class Step {
  /** Who had a key before, for keys that somebody may have lost or won. */
  readonly touched = new Map<FrontendKey, Claim | undefined>();
  readonly services = new Set<string>();
  triggeredMs: number | undefined;

  touch(claim: Claim, claims: Claims): void {
    const { key } = claim.planned;
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

/** True where a view of the two would differ; the same objects stand for what is the same (planUnit). */
function differs(before: UnitPlan, after: UnitPlan): boolean {
  if (before.claims.length !== after.claims.length) return true;
  for (const [index, { planned, serving }] of before.claims.entries()) {
    const there = after.claims[index];
    if (planned !== there?.planned || serving !== there.serving) return true;
  }
  for (const [id, list] of after.lists) if (before.lists.get(id) !== list) return true;
  return false;
}

function sameMembers<T>(one: readonly T[], other: readonly T[]): boolean {
  return one.length === other.length && one.every((member, index) => member === other[index]);
}

function isEmpty(changes: PlanChanges): boolean {
  // To have no prefixes any more is a change, too.
  if (changes.servicePrefixes !== undefined || changes.podPrefixes !== undefined) return false;
  return Object.values(changes).every((part) => !Array.isArray(part) || part.length === 0);
}
