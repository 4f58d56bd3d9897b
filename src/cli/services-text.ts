import type { EndpointView__Output } from "../rpc/generated/patchbay/host/v1/EndpointView.ts";
import type { FrontendView__Output } from "../rpc/generated/patchbay/host/v1/FrontendView.ts";
import type { RouteView__Output } from "../rpc/generated/patchbay/host/v1/RouteView.ts";
import type { ServiceView__Output } from "../rpc/generated/patchbay/host/v1/ServiceView.ts";
import { formatDuration, formatNumber } from "./format.ts";

/** "10.96.0.10:80/TCP", "[fd00::1]:53/UDP". */
export function formatFrontend(frontend: {
  readonly address: string;
  readonly port: number;
  readonly protocol: string;
}): string {
  return `${formatSocket(frontend)}/${frontend.protocol}`;
}

/** "10.88.0.2:8080", "[fd00:88::2]:8080". */
export function formatSocket(socket: { readonly address: string; readonly port: number }): string {
  const address = socket.address.includes(":") ? `[${socket.address}]` : socket.address;
  return `${address}:${socket.port}`;
}

/** Number of endpoints, "reject" or "drop". */
export function describeRoute(route: RouteView__Output | null): string {
  if (!route) return "";
  return route.verdict === "forward" ? String(route.endpoints.length) : route.verdict;
}

/** One route where both are the same, else "2 inside, drop outside". */
export function describeRoutes({ inside, outside, network }: FrontendView__Output): string {
  if (network !== "") return `${describeRoute(inside) || "-"} on ${network}`;
  if (routeKey(inside) === routeKey(outside)) return describeRoute(inside);
  return `${describeRoute(inside) || "-"} inside, ${describeRoute(outside) || "-"} outside`;
}

/** Equal for routes that do the same. */
export function routeKey(route: RouteView__Output | null): string {
  if (!route) return "";
  const endpoints = route.endpoints.map(
    (endpoint) => `${formatSocket(endpoint)} ${endpoint.weight}`,
  );
  return [route.verdict, ...endpoints.sort()].join("\n");
}

/** "3 h", empty without affinity. */
export function describeAffinity({ affinitySeconds }: FrontendView__Output): string {
  return affinitySeconds > 0 ? formatDuration(affinitySeconds * 1000) : "";
}

export type FrontendStateKind = "programmed" | "pending" | "refused" | "shadowed";

/** What the node's data planes made of a frontend. */
export function stateOf(
  frontend: FrontendView__Output,
  { programmed }: Pick<ServiceView__Output, "programmed">,
): { readonly kind: FrontendStateKind; readonly text: string } {
  if (frontend.refused !== "") return { kind: "refused", text: `refused: ${frontend.refused}` };
  if (frontend.shadowedBy !== "")
    return { kind: "shadowed", text: `shadowed by ${frontend.shadowedBy}` };
  return programmed
    ? { kind: "programmed", text: "programmed" }
    : { kind: "pending", text: "pending" };
}

/** Endpoints that any frontend of a Service uses, by address and port. */
export function endpointsOf(service: ServiceView__Output): Map<string, EndpointView__Output> {
  const endpoints = new Map<string, EndpointView__Output>();
  for (const { inside, outside } of service.frontends) {
    for (const endpoint of [...(inside?.endpoints ?? []), ...(outside?.endpoints ?? [])]) {
      endpoints.set(formatSocket(endpoint), endpoint);
    }
  }
  return endpoints;
}

/** "2 frontends, 3 endpoints, programmed". */
export function describeService(service: ServiceView__Output): string {
  const counts = [
    formatNumber(service.frontends.length, "frontend"),
    formatNumber(endpointsOf(service).size, "endpoint"),
  ];
  return [...counts, service.programmed ? "programmed" : "pending"].join(", ");
}
