import { prefixContains, type IpPrefix, parseAddress } from "../ip/address.ts";
import { familyOf } from "./address-text.ts";
import {
  type Candidate,
  type Choice,
  chooseEndpoints,
  compareTargets,
  resolveEndpoints,
} from "./choose-endpoints.ts";
import {
  type BuiltList,
  buildList,
  listSuffixOf,
  portKeyOf,
  sameList,
  sameTargets,
} from "./lists.ts";
import {
  type AddressText,
  type EndpointGroup,
  type Frontend,
  frontendKey,
  type NodeFacts,
} from "./model.ts";
import type { ListId, PlannedEndpoint, PlannedFrontend, Route } from "./plan-types.ts";
import { type Decision, decideRoutes } from "./routes.ts";
import type { Unit } from "./unit.ts";

/** A frontend at one address; of several with the same key one has it (claims.ts). */
export interface Claim {
  readonly unit: Unit;
  readonly frontend: Frontend;
  readonly planned: PlannedFrontend;
  /** All serving endpoints, whatever the policy; sorted. */
  readonly serving: readonly PlannedEndpoint[];
}

/** What one Service brings to the plan. */
export interface UnitPlan {
  readonly claims: readonly Claim[];
  /** Lists that its frontends name; none is empty. */
  readonly lists: ReadonlyMap<ListId, BuiltList>;
  readonly clusterIps: readonly AddressText[];
  /** The groups that it was planned from. */
  readonly groups: ReadonlyMap<string, EndpointGroup>;
}

export const emptyPlan: UnitPlan = {
  claims: [],
  lists: new Map(),
  clusterIps: [],
  groups: new Map(),
};

/** Plans a Service from its frontends, groups and facts alone. Whatever equals the plan before is that plan's very object. */
export function planUnit(unit: Unit, facts: NodeFacts): UnitPlan {
  const { frontends } = unit;
  if (frontends.length === 0) return emptyPlan;
  const before = unit.planned ?? emptyPlan;
  const claims: Claim[] = [];
  const lists = new Map<ListId, BuiltList>();
  const clusterIps: AddressText[] = [];
  const groups = new Map<string, EndpointGroup>();
  const ports = new Map<string, PlannedPort>();
  for (const frontend of frontends) {
    let group = groups.get(frontend.group);
    if (group === undefined) {
      group = unit.group(frontend.group);
      if (group) groups.set(frontend.group, group);
    }
    const portKey = portKeyOf(frontend, unit.scope);
    const cacheKey = group?.family === frontend.family ? portKey : "";
    let port = ports.get(cacheKey);
    if (port === undefined) {
      port = new PlannedPort(resolveFrontend(frontend, { group, facts }));
      ports.set(cacheKey, port);
    }
    if (frontend.kind === "clusterIP" && frontend.address !== undefined) {
      if (!clusterIps.includes(frontend.address)) clusterIps.push(frontend.address);
    }
    const choice = port.choice(frontend, facts);
    const decision = decideRoutes(frontend, { choice, facts });
    const suffix = listSuffixOf(frontend);
    const route = (decided: Decision): Route => {
      if (decided.to === "reject" || decided.to === "drop") return { kind: decided.to };
      const id = `${portKey}|${decided.to}${suffix}` as ListId;
      if (!lists.has(id)) {
        const built = buildList(choice[decided.to].chosen, { id, frontend, portKey });
        const old = before.lists.get(id);
        lists.set(id, old && sameList(old, built) ? old : built);
      }
      return { kind: "list", list: id };
    };
    const inside = route(decision.inside);
    const outside = decision.outside === decision.inside ? inside : route(decision.outside);
    for (const address of addressesOf(frontend, facts)) {
      const planned = planFrontend(frontend, {
        address,
        inside,
        outside,
        masquerade: decision.masquerade,
        facts,
      });
      const claim = { unit, frontend, planned, serving: port.serving };
      claims.push(keepClaim(before.claims[claims.length], claim));
    }
  }
  return { claims, lists, clusterIps, groups };
}

/** The claim before, or as much of it as is still true. */
function keepClaim(before: Claim | undefined, after: Claim): Claim {
  if (before === undefined) return after;
  const planned = samePlanned(before.planned, after.planned) ? before.planned : after.planned;
  const serving = sameTargets(before.serving, after.serving) ? before.serving : after.serving;
  const { unit, frontend } = after;
  const same =
    planned === before.planned && serving === before.serving && frontend === before.frontend;
  return same ? before : { unit, frontend, planned, serving };
}

/** What frontends of one port share while a Service is planned. */
class PlannedPort {
  readonly candidates: readonly Candidate[];
  readonly serving: readonly PlannedEndpoint[];
  /** By what of the policy matters to the choice. */
  readonly #choices = new Map<string, Choice>();

  constructor(candidates: readonly Candidate[]) {
    this.candidates = candidates;
    this.serving = this.candidates
      .filter(({ endpoint }) => endpoint.serving)
      .map(({ target }) => target);
  }

  choice(frontend: Frontend, facts: NodeFacts): Choice {
    const key = listSuffixOf(frontend);
    let choice = this.#choices.get(key);
    if (choice === undefined) {
      choice = chooseEndpoints(this.candidates, { policy: frontend.policy, facts });
      this.#choices.set(key, choice);
    }
    return choice;
  }
}

/** The endpoints behind a frontend, as planUnit() and explain() see them. */
export function resolveFrontend(
  frontend: Frontend,
  { group, facts }: { readonly group: EndpointGroup | undefined; readonly facts: NodeFacts },
): readonly Candidate[] {
  // Families never mix, whatever a group says.
  if (group === undefined || group.family !== frontend.family) return [];
  const { portName, protocol } = frontend;
  return resolveEndpoints(group, { portName, protocol, nodeName: facts.nodeName });
}

/** Endpoints that served and do no more. Both are sorted. */
export function lostTarget(
  before: readonly PlannedEndpoint[],
  after: readonly PlannedEndpoint[],
): boolean {
  let index = 0;
  for (const target of before) {
    while (true) {
      const there = after[index];
      if (there === undefined) return true;
      const order = compareTargets(there, target);
      if (order === 0) break;
      if (order > 0) return true;
      index++;
    }
  }
  return false;
}

function addressesOf(frontend: Frontend, facts: NodeFacts): readonly AddressText[] {
  if (frontend.address !== undefined) return [frontend.address];
  const all = frontend.kind === "hostPort" ? facts.nodeAddresses : facts.nodePortAddresses;
  return all.filter((address) => familyOf(address) === frontend.family);
}

function planFrontend(
  frontend: Frontend,
  {
    address,
    inside,
    outside,
    masquerade,
    facts,
  }: {
    readonly address: AddressText;
    readonly inside: Route;
    readonly outside: Route;
    readonly masquerade: PlannedFrontend["masquerade"];
    readonly facts: NodeFacts;
  },
): PlannedFrontend {
  const { family, protocol, port, kind, service, portName, policy } = frontend;
  const sourceRanges =
    kind === "loadBalancer" && policy.sourceRanges
      ? passRanges(policy.sourceRanges, { address, facts })
      : undefined;
  return {
    key: frontendKey(address, { protocol, port }),
    family,
    address,
    protocol,
    port,
    kind,
    service,
    portName,
    inside,
    outside,
    masquerade,
    ...(sourceRanges && { sourceRanges }),
    countConnections: policy.countConnections,
  };
}

/**
 * Source ranges, and the address itself where they hold an address of the node: the node's packets
 * to a load-balancer address that it has itself carry that address as source (services.md 3.3).
 */
function passRanges(
  ranges: readonly IpPrefix[],
  { address, facts }: { readonly address: AddressText; readonly facts: NodeFacts },
): readonly IpPrefix[] {
  const family = familyOf(address);
  const own = ranges.filter((range) => range.family === family);
  const holdsNode = facts.nodeAddresses.some((node) => {
    const parsed = parseAddress(node);
    return own.some((range) => prefixContains(range, parsed));
  });
  if (!holdsNode) return own;
  const self = parseAddress(address);
  if (own.some((range) => prefixContains(range, self))) return own;
  return [...own, { ...self, prefixLength: self.family === 4 ? 32 : 128 }];
}

export function samePlanned(one: PlannedFrontend, other: PlannedFrontend): boolean {
  return (
    one.key === other.key &&
    one.kind === other.kind &&
    one.service === other.service &&
    one.portName === other.portName &&
    one.masquerade === other.masquerade &&
    one.countConnections === other.countConnections &&
    sameRoute(one.inside, other.inside) &&
    sameRoute(one.outside, other.outside) &&
    samePrefixes(one.sourceRanges, other.sourceRanges)
  );
}

function sameRoute(one: Route, other: Route): boolean {
  if (one.kind === "list") return other.kind === "list" && one.list === other.list;
  return one.kind === other.kind;
}

export function samePrefixes(
  one: readonly IpPrefix[] | undefined,
  other: readonly IpPrefix[] | undefined,
): boolean {
  if (one === other) return true;
  if (one === undefined || other === undefined || one.length !== other.length) return false;
  return one.every((prefix, index) => {
    const there = other[index];
    return (
      there !== undefined &&
      prefix.family === there.family &&
      prefix.value === there.value &&
      prefix.prefixLength === there.prefixLength
    );
  });
}
