import {
  type Candidate,
  type Choice,
  chooseEndpoints,
  resolveEndpoints,
} from "./choose-endpoints.ts";
import {
  type BuiltList,
  buildList,
  listSuffixOf,
  portKeyOf,
  sameList,
  sameTargets,
  weigh,
} from "./lists.ts";
import type { AddressText, EndpointGroup, Frontend, NodeFacts } from "./model.ts";
import { addressesOf, planFrontend, samePlanned } from "./plan-frontend.ts";
import type { ListId, OnNetwork, PlannedEndpoint, PlannedFrontend, Route } from "./plan-types.ts";
import { type Decision, decideOnNetwork, decideRoutes } from "./routes.ts";
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
  /** Without those that are the node's own. */
  readonly clusterIps: readonly AddressText[];
  /** Cluster IPs that are addresses of this node: its other ports are not the Service's to refuse. */
  readonly ownClusterIps: readonly AddressText[];
  /** The groups that it was planned from. */
  readonly groups: ReadonlyMap<string, EndpointGroup>;
}

export const emptyPlan: UnitPlan = {
  claims: [],
  lists: new Map(),
  clusterIps: [],
  ownClusterIps: [],
  groups: new Map(),
};

/** Plans a Service from its frontends, groups and facts alone. Whatever equals the plan before is that plan's very object. */
export function planUnit(unit: Unit, facts: NodeFacts): UnitPlan {
  const { frontends } = unit;
  if (frontends.length === 0) return emptyPlan;
  const before = unit.planned ?? emptyPlan;
  const claims: Claim[] = [];
  const lists = new Map<ListId, BuiltList>();
  const clusterIps = new Set<AddressText>();
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
      clusterIps.add(frontend.address);
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
        onNetwork: planOnNetwork(frontend, choice),
        facts,
      });
      const claim = { unit, frontend, planned, serving: port.serving };
      claims.push(keepClaim(before.claims[claims.length], claim));
    }
  }
  const isOwn = (address: AddressText): boolean => facts.nodeAddresses.includes(address);
  return {
    claims,
    lists,
    clusterIps: [...clusterIps].filter((address) => !isOwn(address)),
    ownClusterIps: [...clusterIps].filter(isOwn),
    groups,
  };
}

/** What namespaces of pods on the frontend's network hold; undefined: it has none. */
function planOnNetwork(frontend: Frontend, choice: Choice): OnNetwork | undefined {
  const { network, policy } = frontend;
  const decided = decideOnNetwork(frontend, choice);
  if (network === undefined || decided === undefined) return undefined;
  const { closeTcpFlows } = policy;
  const { to } = decided;
  if (to === "reject" || to === "drop") return { network, route: { kind: to }, closeTcpFlows };
  const endpoints = weigh(choice[to].chosen).map(({ target }) => target);
  // The one client of a namespace is its pod: to remember it is to choose by its name.
  const isSame = policy.pick === "consistent-hash" || policy.affinitySeconds !== undefined;
  const pick = isSame ? "same" : "random";
  return { network, route: { kind: "forward", endpoints, pick }, closeTcpFlows };
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
