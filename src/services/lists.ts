import { type Candidate, compareTargets, effectiveKeys } from "./choose-endpoints.ts";
import type { AddressText, Frontend } from "./model.ts";
import type { ListId, PlannedEndpoint, PlannedList } from "./plan-types.ts";

/** A list with what only the table needs of it. */
export interface BuiltList {
  readonly planned: PlannedList;
  /** Those of its endpoints that are on this node. */
  readonly local: readonly AddressText[];
}

/** "manifests:default/web/4|http|TCP": a Service port of a source in one family. */
export function portKeyOf(frontend: Frontend, scope: string): string {
  return `${scope}${frontend.group}|${frontend.portName}|${frontend.protocol}`;
}

/**
 * What a list's id ends with. Frontends of a port share its lists; where they differ in what makes
 * a list (host.v1 allows that), the difference is in the name, whoever came first.
 */
export function listSuffixOf({ policy }: Frontend): string {
  let suffix = "";
  if (policy.pick !== "random") suffix += `|${policy.pick}`;
  if (policy.affinitySeconds !== undefined) suffix += `|affinity=${policy.affinitySeconds}`;
  const keys = effectiveKeys(policy);
  if (keys.length > 0) suffix += `|keys=${keys.join(",")}`;
  return suffix;
}

export function buildList(
  candidates: readonly Candidate[],
  {
    id,
    frontend,
    portKey,
  }: { readonly id: ListId; readonly frontend: Frontend; readonly portKey: string },
): BuiltList {
  const { pick, affinitySeconds } = frontend.policy;
  const weighed = weigh(candidates);
  return {
    planned: {
      id,
      family: frontend.family,
      protocol: frontend.protocol,
      portKey,
      endpoints: weighed.map(({ target }) => target),
      pick,
      ...(affinitySeconds !== undefined && {
        affinity: { seconds: affinitySeconds, key: portKey },
      }),
    },
    local: localAddresses(weighed),
  };
}

/** Who gets a share: those that weigh something; where none does, all alike. */
export function weigh(candidates: readonly Candidate[]): readonly Candidate[] {
  if (candidates.every(({ target }) => target.weight > 0)) return candidates;
  const weighty = candidates.filter(({ target }) => target.weight > 0);
  if (weighty.length > 0) return weighty;
  return candidates.map((candidate) => ({
    ...candidate,
    target: { ...candidate.target, weight: 1 },
  }));
}

export function sameList(one: BuiltList, other: BuiltList): boolean {
  return (
    samePlannedList(one.planned, other.planned) &&
    one.local.length === other.local.length &&
    one.local.every((address, index) => address === other.local[index])
  );
}

/** What else a list has is in its id (listSuffixOf). */
export function samePlannedList(one: PlannedList, other: PlannedList): boolean {
  return one.id === other.id && sameTargets(one.endpoints, other.endpoints);
}

export function sameTargets(
  one: readonly PlannedEndpoint[],
  other: readonly PlannedEndpoint[],
): boolean {
  if (one.length !== other.length) return false;
  return one.every((target, index) => {
    const there = other[index];
    return (
      there !== undefined &&
      there.address === target.address &&
      there.port === target.port &&
      there.weight === target.weight
    );
  });
}

/** True where a target of `before` is not in `after`. Both are sorted. */
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

const none: readonly AddressText[] = [];

/** Without repetition: candidates are sorted by address. */
function localAddresses(candidates: readonly Candidate[]): readonly AddressText[] {
  let found: AddressText[] | undefined;
  for (const { isLocal, target } of candidates) {
    if (isLocal && found?.at(-1) !== target.address) (found ??= []).push(target.address);
  }
  return found ?? none;
}
