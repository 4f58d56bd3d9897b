import { type IpPrefix, parseAddress, prefixContains } from "../ip/address.ts";
import { familyOf } from "./address-text.ts";
import { type AddressText, type Frontend, frontendKey, type NodeFacts } from "./model.ts";
import { sameTargets } from "./lists.ts";
import type { OnNetwork, PlannedFrontend, Route } from "./plan-types.ts";

/** Where a frontend without an address of its own is. */
export function addressesOf(frontend: Frontend, facts: NodeFacts): readonly AddressText[] {
  if (frontend.address !== undefined) return [frontend.address];
  const all = frontend.kind === "hostPort" ? facts.nodeAddresses : facts.nodePortAddresses;
  return all.filter((address) => familyOf(address) === frontend.family);
}

/** A frontend at one of its addresses. */
export function planFrontend(
  frontend: Frontend,
  {
    address,
    inside,
    outside,
    masquerade,
    onNetwork,
    facts,
  }: {
    readonly address: AddressText;
    readonly inside: Route;
    readonly outside: Route;
    readonly masquerade: PlannedFrontend["masquerade"];
    readonly onNetwork: OnNetwork | undefined;
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
    ...(onNetwork && { onNetwork }),
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
    samePrefixes(one.sourceRanges, other.sourceRanges) &&
    sameOnNetwork(one.onNetwork, other.onNetwork)
  );
}

function sameOnNetwork(one: OnNetwork | undefined, other: OnNetwork | undefined): boolean {
  if (one === other) return true;
  if (one === undefined || other === undefined) return false;
  if (one.network !== other.network || one.closeTcpFlows !== other.closeTcpFlows) return false;
  const { route } = one;
  if (route.kind !== "forward" || other.route.kind !== "forward") {
    return route.kind === other.route.kind;
  }
  return route.pick === other.route.pick && sameTargets(route.endpoints, other.route.endpoints);
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
