import type { Endpoint, EndpointGroup, FrontendPolicy, NodeFacts, Protocol } from "./model.ts";
import type { PlannedEndpoint } from "./plan-types.ts";
import type { ChoiceRule } from "./rules.ts";

/** An endpoint at one port. */
export interface Candidate {
  readonly endpoint: Endpoint;
  readonly target: PlannedEndpoint;
  readonly isLocal: boolean;
}

/** The endpoints of one list before weights, and why these. */
export interface ChosenList {
  readonly rule: ChoiceRule;
  readonly chosen: readonly Candidate[];
}

/** services.md 3.2: Cluster and Local, each with its own fallback. */
export interface Choice {
  readonly candidates: readonly Candidate[];
  readonly cluster: ChosenList;
  readonly local: ChosenList;
  /** Some endpoint, wherever, is ready or terminates and still serves. */
  readonly anyUsable: boolean;
}

export const zoneLabel = "topology.kubernetes.io/zone";

/**
 * A group's endpoints at a port, by name and protocol and never by number: sorted by address and
 * port, no two alike. Of two alike a local one counts, then one that may be used, then the first.
 */
export function resolveEndpoints(
  group: EndpointGroup | undefined,
  {
    portName,
    protocol,
    nodeName,
  }: { readonly portName: string; readonly protocol: Protocol; readonly nodeName: string },
): readonly Candidate[] {
  const found: Candidate[] = [];
  for (const endpoint of group?.endpoints ?? []) {
    for (const port of endpoint.ports) {
      if (port.name !== portName || port.protocol !== protocol) continue;
      found.push({
        endpoint,
        target: { address: endpoint.address, port: port.port, weight: endpoint.weight },
        isLocal: nodeName !== "" && endpoint.nodeName === nodeName,
      });
    }
  }
  if (found.length < 2) return found;
  found.sort(compareCandidates);
  return found.filter((candidate, index) => {
    const before = found[index - 1];
    return before === undefined || compareTargets(before.target, candidate.target) !== 0;
  });
}

/** The two lists that frontends of a port with this policy may use. */
export function chooseEndpoints(
  candidates: readonly Candidate[],
  { policy, facts }: { readonly policy: FrontendPolicy; readonly facts: NodeFacts },
): Choice {
  const ready = candidates.filter(isReady);
  const keys = effectiveKeys(policy);
  const local = candidates.filter(({ isLocal }) => isLocal);
  return {
    candidates,
    cluster:
      keys.length > 0
        ? chooseByKeys(candidates, { keys, facts })
        : chooseByHints(candidates, facts),
    local: withFallback(local, { rule: "local", chosen: local.filter(isReady) }),
    anyUsable: ready.length > 0 || candidates.some(isLastResort),
  };
}

/** Keys and Local exclude each other, and Local wins (KEP-536). */
export function effectiveKeys(policy: FrontendPolicy): readonly string[] {
  return policy.externalTrafficPolicy === "Local" ? [] : policy.topologyKeys;
}

/** Order of endpoints in a plan. */
export function compareTargets(one: PlannedEndpoint, other: PlannedEndpoint): number {
  if (one.address !== other.address) return one.address < other.address ? -1 : 1;
  return one.port - other.port;
}

export function isReady({ endpoint }: Candidate): boolean {
  return endpoint.ready;
}

/** Used where nothing is ready: it terminates, and still serves (KEP-1669). */
export function isLastResort({ endpoint }: Candidate): boolean {
  return !endpoint.ready && endpoint.serving && endpoint.terminating;
}

/** services.md 3.2.3; the fallback knows no topology. */
function chooseByHints(candidates: readonly Candidate[], facts: NodeFacts): ChosenList {
  const ready = candidates.filter(isReady);
  const { nodeName } = facts;
  const zone = facts.nodeLabels.get(nodeName)?.get(zoneLabel);
  const sameNode =
    nodeName === "" ? [] : chooseHinted(ready, { hint: nodeName, field: "nodeHints" });
  if (sameNode.length > 0) return { rule: "same-node", chosen: sameNode };
  const sameZone = zone ? chooseHinted(ready, { hint: zone, field: "zoneHints" }) : [];
  if (sameZone.length > 0) return { rule: "same-zone", chosen: sameZone };
  return withFallback(candidates, { rule: "ready", chosen: ready });
}

/** Endpoints whose hint names us, provided that every one has a hint of that kind. */
function chooseHinted(
  ready: readonly Candidate[],
  { hint, field }: { readonly hint: string; readonly field: "nodeHints" | "zoneHints" },
): readonly Candidate[] {
  const chosen: Candidate[] = [];
  for (const candidate of ready) {
    const hints = candidate.endpoint[field];
    if (hints === undefined || hints.length === 0) return [];
    if (hints.includes(hint)) chosen.push(candidate);
  }
  return chosen;
}

/** Keys are a condition, not a wish: they hold for the fallback as well. */
function chooseByKeys(
  candidates: readonly Candidate[],
  { keys, facts }: { readonly keys: readonly string[]; readonly facts: NodeFacts },
): ChosenList {
  const ready = filterByKeys(candidates.filter(isReady), { keys, facts });
  if (ready.length > 0) return { rule: "topology-keys", chosen: ready };
  const last = filterByKeys(candidates.filter(isLastResort), { keys, facts });
  return last.length > 0
    ? { rule: "serving-terminating", chosen: last }
    : { rule: "topology-keys", chosen: [] };
}

function filterByKeys(
  candidates: readonly Candidate[],
  { keys, facts }: { readonly keys: readonly string[]; readonly facts: NodeFacts },
): readonly Candidate[] {
  const ours = facts.nodeLabels.get(facts.nodeName);
  if (ours === undefined) return keys.at(-1) === "*" ? candidates : [];
  for (const key of keys) {
    if (key === "*") return candidates;
    const value = ours.get(key);
    if (value === undefined) continue;
    const matching = candidates.filter(
      ({ endpoint }) => labelOf(endpoint, { key, facts }) === value,
    );
    if (matching.length > 0) return matching;
  }
  return [];
}

/** A label of the endpoint's node; its zone is also in the endpoint, for nodes that we do not know. */
function labelOf(
  endpoint: Endpoint,
  { key, facts }: { readonly key: string; readonly facts: NodeFacts },
): string | undefined {
  const label =
    endpoint.nodeName === undefined ? undefined : facts.nodeLabels.get(endpoint.nodeName)?.get(key);
  return label ?? (key === zoneLabel ? endpoint.zone : undefined);
}

function withFallback(candidates: readonly Candidate[], preferred: ChosenList): ChosenList {
  if (preferred.chosen.length > 0) return preferred;
  const chosen = candidates.filter(isLastResort);
  return chosen.length > 0 ? { rule: "serving-terminating", chosen } : preferred;
}

function compareCandidates(one: Candidate, other: Candidate): number {
  return (
    compareTargets(one.target, other.target) ||
    Number(other.isLocal) - Number(one.isLocal) ||
    usefulness(other) - usefulness(one)
  );
}

function usefulness(candidate: Candidate): number {
  if (isReady(candidate)) return 3;
  if (isLastResort(candidate)) return 2;
  return candidate.endpoint.serving ? 1 : 0;
}
