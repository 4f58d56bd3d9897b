import { zoneLabel } from "./choose-endpoints.ts";
import type { NodeFacts } from "./model.ts";
import type { Unit } from "./unit.ts";

/** Which units a change of facts may concern; undefined: none. */
export function concernedBy(
  before: NodeFacts,
  after: NodeFacts,
): ((unit: Unit) => boolean) | undefined {
  if (
    before.nodeName !== after.nodeName ||
    before.masqueradeAll !== after.masqueradeAll ||
    zoneOf(before) !== zoneOf(after)
  ) {
    return () => true;
  }
  const labels = !sameLabels(before.nodeLabels, after.nodeLabels);
  const nodePorts = !sameMembers(before.nodePortAddresses, after.nodePortAddresses);
  const addresses = !sameMembers(before.nodeAddresses, after.nodeAddresses);
  const changed = new Set(after.nodeAddresses).symmetricDifference(new Set(before.nodeAddresses));
  if (!labels && !nodePorts && !addresses) return undefined;
  return (unit) =>
    unit.frontends.some(
      ({ kind, policy, address }) =>
        (labels && policy.topologyKeys.length > 0) ||
        (nodePorts && kind === "nodePort") ||
        (addresses && (kind === "hostPort" || policy.sourceRanges !== undefined)) ||
        (kind === "clusterIP" && address !== undefined && changed.has(address)),
    );
}

function zoneOf({ nodeName, nodeLabels }: NodeFacts): string | undefined {
  return nodeLabels.get(nodeName)?.get(zoneLabel);
}

function sameLabels(one: NodeFacts["nodeLabels"], other: NodeFacts["nodeLabels"]): boolean {
  if (one === other) return true;
  if (one.size !== other.size) return false;
  for (const [node, labels] of one) {
    const there = other.get(node);
    if (there === labels) continue;
    if (there === undefined || there.size !== labels.size) return false;
    for (const [key, value] of labels) if (there.get(key) !== value) return false;
  }
  return true;
}

function sameMembers(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((member, index) => member === other[index]);
}
