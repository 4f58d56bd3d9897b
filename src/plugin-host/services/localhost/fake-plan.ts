import { noPlanChanges } from "../../../services/apply-changes.ts";
import type { Family } from "../../../ip/address.ts";
import { type AddressText, frontendKey, type Protocol } from "../../../services/model.ts";
import type {
  ListId,
  PlanChanges,
  PlannedEndpoint,
  PlannedFrontend,
  PlannedList,
  Route,
  ServicePlan,
} from "../../../services/plan-types.ts";

/** A NodePort frontend as the plan has it; for tests. */
export function makeNodePort(
  fields: Pick<PlannedFrontend, "port"> & Partial<Omit<PlannedFrontend, "key">>,
): PlannedFrontend {
  const family: Family = fields.family ?? 4;
  const address = fields.address ?? ((family === 4 ? "192.168.0.2" : "fd00::2") as AddressText);
  const protocol: Protocol = fields.protocol ?? "TCP";
  return {
    key: frontendKey(address, { protocol, port: fields.port }),
    kind: "nodePort",
    service: "default/web",
    portName: "",
    inside: { kind: "reject" },
    outside: { kind: "drop" },
    masquerade: "everyone",
    countConnections: false,
    ...fields,
    family,
    address,
    protocol,
  };
}

export function makeEndpoint(address: string, port: number, weight = 1): PlannedEndpoint {
  return { address: address as AddressText, port, weight };
}

export function makeList(
  endpoints: readonly PlannedEndpoint[],
  fields: Partial<PlannedList> = {},
): PlannedList {
  return {
    id: "web" as ListId,
    portKey: "web",
    protocol: "TCP",
    family: 4,
    pick: "random",
    ...fields,
    endpoints,
  };
}

export function toList(list: string): Route {
  return { kind: "list", list: list as ListId };
}

export function makeChanges(changes: Partial<PlanChanges>): PlanChanges {
  return {
    ...noPlanChanges,
    revision: 1,
    ...changes,
  };
}

export function makePlan(frontends: readonly PlannedFrontend[]): ServicePlan {
  return {
    frontends: new Map(frontends.map((frontend) => [frontend.key, frontend])),
    lists: new Map(),
    clusterIps: new Set(),
    servicePrefixes: [],
    podPrefixes: [],
    podAddresses: new Set(),
    localEndpoints: new Set(),
  };
}
