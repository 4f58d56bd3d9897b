import type { NodeFacts } from "./model.ts";
import { resolveFrontend } from "./plan-unit.ts";
import type { HealthCheck } from "./table-types.ts";
import type { Unit } from "./unit.ts";

/**
 * How many ready endpoints of a Service are on this node: pods, not ports and not addresses, so a
 * dual-stack pod counts once. Serving-terminating ones do not count (services.md 3.7).
 */
export function healthCheckOf(unit: Unit, facts: NodeFacts): HealthCheck | undefined {
  const port = unit.healthCheckPort;
  if (port === undefined || unit.planned === undefined) return undefined;
  const ready = { 4: new Set<string>(), 6: new Set<string>() };
  for (const { frontend } of unit.planned.claims) {
    const group = unit.planned.groups.get(frontend.group);
    for (const { endpoint, isLocal } of resolveFrontend(frontend, { group, facts })) {
      if (isLocal && endpoint.ready) ready[frontend.family].add(endpoint.address);
    }
  }
  const slash = unit.service.indexOf("/");
  return {
    namespace: unit.service.slice(0, slash),
    name: unit.service.slice(slash + 1),
    port,
    localReadyEndpoints: Math.max(ready[4].size, ready[6].size),
  };
}
