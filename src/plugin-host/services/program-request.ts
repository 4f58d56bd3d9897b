import { formatPrefix, type IpPrefix } from "../../ip/address.ts";
import type { FrontendKey as WireKey } from "../../rpc/generated/patchbay/plugin/v1/FrontendKey.ts";
import type { EndpointList } from "../../rpc/generated/patchbay/plugin/v1/EndpointList.ts";
import type { PlannedFrontend as WireFrontend } from "../../rpc/generated/patchbay/plugin/v1/PlannedFrontend.ts";
import type { ProgramRequest } from "../../rpc/generated/patchbay/plugin/v1/ProgramRequest.ts";
import type { RefusedFrontend__Output } from "../../rpc/generated/patchbay/plugin/v1/RefusedFrontend.ts";
import type { ServiceRoute } from "../../rpc/generated/patchbay/plugin/v1/ServiceRoute.ts";
import {
  type AddressText,
  type FrontendKey,
  frontendKey,
  type Protocol,
} from "../../services/model.ts";
import type {
  PlanChanges,
  PlannedFrontend,
  PlannedList,
  Route,
  ServicePlan,
} from "../../services/plan-types.ts";

/** The whole plan as a message. */
export function toSnapshot(plan: ServicePlan, revision: number): ProgramRequest {
  return {
    revision,
    snapshot: true,
    putFrontends: Array.from(plan.frontends.values(), toWireFrontend),
    putLists: Array.from(plan.lists.values(), toWireList),
    addClusterIps: [...plan.clusterIps],
    addPodAddresses: [...plan.podAddresses],
    addLocalEndpoints: [...plan.localEndpoints],
    facts: toFacts(plan),
  };
}

/** A difference as a message; `before` has the prefixes of the plan that it changes. */
export function toDelta(changes: PlanChanges, before: Prefixes): ProgramRequest {
  const facts = {
    podPrefixes: changes.podPrefixes ?? before.podPrefixes,
    servicePrefixes: changes.servicePrefixes ?? before.servicePrefixes,
  };
  return {
    revision: changes.revision,
    snapshot: false,
    putFrontends: changes.putFrontends.map(toWireFrontend),
    removeFrontends: changes.removeFrontends.map(toWireKey),
    putLists: changes.putLists.map(toWireList),
    removeLists: [...changes.removeLists],
    addClusterIps: [...changes.addClusterIps],
    removeClusterIps: [...changes.removeClusterIps],
    addPodAddresses: [...changes.addPodAddresses],
    removePodAddresses: [...changes.removePodAddresses],
    addLocalEndpoints: [...changes.addLocalEndpoints],
    removeLocalEndpoints: [...changes.removeLocalEndpoints],
    ...((changes.podPrefixes || changes.servicePrefixes) && { facts: toFacts(facts) }),
  };
}

export interface Prefixes {
  readonly podPrefixes: readonly IpPrefix[];
  readonly servicePrefixes: readonly IpPrefix[];
}

function toFacts({ podPrefixes, servicePrefixes }: Prefixes) {
  return {
    podPrefixes: podPrefixes.map(formatPrefix),
    servicePrefixes: servicePrefixes.map(formatPrefix),
  };
}

const VERDICTS = { reject: "VERDICT_REJECT", drop: "VERDICT_DROP" } as const;
const MASQUERADES = {
  others: "MASQUERADE_OF_OTHERS",
  everyone: "MASQUERADE_OF_EVERYONE",
  nobody: "MASQUERADE_OF_NOBODY",
} as const;

function toWireFrontend(frontend: PlannedFrontend): WireFrontend {
  const { address, protocol, port, sourceRanges } = frontend;
  return {
    key: { address, protocol: `PROTOCOL_${protocol}`, port },
    kind: frontend.kind,
    service: frontend.service,
    portName: frontend.portName,
    inside: toWireRoute(frontend.inside),
    outside: toWireRoute(frontend.outside),
    masquerade: MASQUERADES[frontend.masquerade],
    restricted: sourceRanges !== undefined,
    sourceRanges: (sourceRanges ?? []).map(formatPrefix),
    countConnections: frontend.countConnections,
  };
}

function toWireRoute(route: Route): ServiceRoute {
  if (route.kind === "list") return { verdict: "VERDICT_FORWARD", list: route.list };
  return { verdict: VERDICTS[route.kind] };
}

function toWireList(list: PlannedList): EndpointList {
  return {
    id: list.id,
    family: list.family,
    endpoints: list.endpoints.map(({ address, port, weight }) => ({ address, port, weight })),
    consistentHash: list.pick === "consistent-hash",
    affinitySeconds: list.affinity?.seconds ?? 0,
    affinityKey: list.affinity?.key ?? "",
  };
}

/** model.ts, frontendKey(): address, protocol and port joined by "|". */
function toWireKey(key: FrontendKey): WireKey {
  const [address = "", protocol = "", port = ""] = key.split("|");
  return { address, protocol: `PROTOCOL_${protocol as Protocol}`, port: Number(port) };
}

const REASON_LENGTH_MAX = 200;

/** Refusals of a plugin; what names no frontend of the message is dropped. */
export function parseRefused(
  refused: readonly RefusedFrontend__Output[],
  isKnown: (key: FrontendKey) => boolean,
): { readonly key: FrontendKey; readonly reason: string }[] {
  return refused.flatMap(({ key, reason }) => {
    if (!key) return [];
    const protocol = key.protocol.replace(/^PROTOCOL_/, "") as Protocol;
    const parsed = frontendKey(key.address as AddressText, { protocol, port: key.port });
    if (!isKnown(parsed)) return [];
    const text = reason.replaceAll(/\p{Cc}/gu, " ").slice(0, REASON_LENGTH_MAX);
    return [{ key: parsed, reason: text || "it did not say why" }];
  });
}
