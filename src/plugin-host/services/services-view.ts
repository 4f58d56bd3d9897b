import type { EndpointView } from "../../rpc/generated/patchbay/host/v1/EndpointView.ts";
import type { FrontendView } from "../../rpc/generated/patchbay/host/v1/FrontendView.ts";
import type { RouteView } from "../../rpc/generated/patchbay/host/v1/RouteView.ts";
import type { ServiceView } from "../../rpc/generated/patchbay/host/v1/ServiceView.ts";
import { formatPrefix } from "../../ip/address.ts";
import type { FrontendKey } from "../../services/model.ts";
import type { NetworkRoute, Route } from "../../services/plan-types.ts";
import type { EndpointState, FrontendState, ServiceState } from "../../services/table-types.ts";
import type { ServicesCore } from "./services-core.ts";

/** A Service in the words of host.v1. */
export function toServiceView(
  core: ServicesCore,
  state: ServiceState,
  counts: ReadonlyMap<FrontendKey, bigint> = new Map(),
): ServiceView {
  return {
    service: state.service,
    frontends: state.frontends.map((frontend) => toFrontendView(core, frontend, counts)),
    revision: state.revision,
    programmed: core.isProgrammed(state),
  };
}

function toFrontendView(
  core: ServicesCore,
  frontend: FrontendState,
  counts: ReadonlyMap<FrontendKey, bigint>,
): FrontendView {
  const { planned, shadowedBy = "" } = frontend;
  // What another Service's frontend has is refused to that one, and its connections are counted there.
  const own = shadowedBy === "";
  return {
    kind: planned.kind,
    address: planned.address,
    protocol: planned.protocol,
    port: planned.port,
    portName: planned.portName,
    inside: toRouteView(planned.onNetwork?.route ?? planned.inside, frontend.inside),
    outside: toRouteView(planned.outside, frontend.outside),
    masquerade: planned.masquerade,
    affinitySeconds: frontend.affinitySeconds,
    refused: own ? core.refusalOf(planned.key) : "",
    sourceRanges: (planned.sourceRanges ?? []).map(formatPrefix),
    connections: own ? Number(counts.get(planned.key) ?? 0n) : 0,
    shadowedBy,
    pick: frontend.pick,
    countsConnections: planned.countConnections,
    network: planned.onNetwork?.network ?? "",
  };
}

function toRouteView(route: Route | NetworkRoute, endpoints: readonly EndpointState[]): RouteView {
  if (route.kind === "reject" || route.kind === "drop")
    return { verdict: route.kind, endpoints: [] };
  return { verdict: "forward", endpoints: endpoints.map(toEndpointView) };
}

/** An endpoint in the words of host.v1. */
export function toEndpointView(endpoint: EndpointState): EndpointView {
  return {
    address: endpoint.address,
    port: endpoint.port,
    weight: endpoint.weight,
    node: endpoint.nodeName ?? "",
    pod: endpoint.podName ?? "",
    zone: endpoint.zone ?? "",
    local: endpoint.isLocal,
  };
}
