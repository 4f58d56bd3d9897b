import type { EndpointView__Output } from "../rpc/generated/patchbay/host/v1/EndpointView.ts";
import type { FrontendView__Output } from "../rpc/generated/patchbay/host/v1/FrontendView.ts";
import type { RouteView__Output } from "../rpc/generated/patchbay/host/v1/RouteView.ts";
import type { ServiceView__Output } from "../rpc/generated/patchbay/host/v1/ServiceView.ts";
import { formatFrontend, routeKey, stateOf } from "./services-text.ts";

/** What a Services map shows of one Service: its frontends as cards, and where they lead. */

export type Tone = "forward" | "reject" | "drop";

/** One frontend, or a port of the node on several of its addresses. */
export interface Card {
  readonly frontend: FrontendView__Output;
  readonly addresses: readonly string[];
  readonly state: ReturnType<typeof stateOf>;
}

/** NodePorts and host ports that differ in nothing but the node's address are one card. */
export function mergeCards(service: ServiceView__Output): Card[] {
  const cards = new Map<string, Card>();
  for (const frontend of service.frontends) {
    const state = stateOf(frontend, service);
    const { kind, address, port, protocol, portName, masquerade, affinitySeconds, pick } = frontend;
    const isNodes = kind === "nodePort" || kind === "hostPort";
    const routes = [routeKey(frontend.inside), routeKey(frontend.outside)];
    const facts = [kind, port, protocol, portName, masquerade, affinitySeconds, pick, state.text];
    const key = JSON.stringify([...facts, ...routes, isNodes || [address, cards.size]]);
    const addresses = [...(cards.get(key)?.addresses ?? []), formatFrontend(frontend)];
    cards.set(key, { frontend: cards.get(key)?.frontend ?? frontend, addresses, state });
  }
  return [...cards.values()];
}

/** A verdict, with the endpoints by node when it is to forward. */
export interface Group {
  readonly key: string;
  readonly tone: Tone;
  readonly size: number;
  readonly nodes: readonly NodeGroup[];
  /** Namespace of the Service: pods of the same one are named without. */
  readonly namespace: string;
}

export interface NodeGroup {
  readonly name: string;
  readonly isLocal: boolean;
  readonly endpoints: readonly EndpointView__Output[];
}

/** Distinct lists and verdicts of a Service, in the order in which its frontends need them. */
export function collectGroups(cards: readonly Card[], namespace: string): Group[] {
  const groups = new Map<string, Group>();
  for (const { frontend } of cards) {
    for (const route of [frontend.inside, frontend.outside]) {
      const key = routeKey(route);
      if (!route || groups.has(key)) continue;
      const nodes = groupByNode(route.endpoints);
      const size = route.endpoints.length;
      groups.set(key, { key, tone: toneOf(route), size, nodes, namespace });
    }
  }
  return [...groups.values()];
}

function toneOf({ verdict }: RouteView__Output): Tone {
  return verdict === "forward" || verdict === "reject" ? verdict : "drop";
}

/** "node-9" before "node-10". */
const byNumber = new Intl.Collator("en", { numeric: true });

/** This node first, then by name, unknown ones last. */
function groupByNode(endpoints: readonly EndpointView__Output[]): NodeGroup[] {
  const nodes = new Map<string, EndpointView__Output[]>();
  for (const endpoint of endpoints) {
    const key = `${endpoint.local ? 0 : endpoint.node ? 1 : 2} ${endpoint.node}`;
    const list = nodes.get(key);
    if (list) list.push(endpoint);
    else nodes.set(key, [endpoint]);
  }
  return [...nodes]
    .sort(([left], [right]) => byNumber.compare(left, right))
    .map(([key, list]) => ({ name: key.slice(2), isLocal: key.startsWith("0"), endpoints: list }));
}

/** The zone of all endpoints of a node, which is the node's; empty where they say different things. */
export function zoneOf({ endpoints }: NodeGroup): string {
  const zone = endpoints[0]?.zone ?? "";
  return endpoints.every((endpoint) => endpoint.zone === zone) ? zone : "";
}
