import type {
  AddressText,
  EndpointGroup,
  Frontend,
  FrontendKey,
  FrontendKind,
  FrontendPolicy,
  NodeFacts,
  Protocol,
} from "./model.ts";
import type { ObjectEvent } from "./objects.ts";
import type { PodNetworkAddresses } from "./pod-networks.ts";
import type {
  ListId,
  PlanChanges,
  PlannedFrontend,
  PlannedList,
  ServicePlan,
} from "./plan-types.ts";

/**
 * The node's Services: objects and model changes of all sources in, plan and differences out. Pure
 * and synchronous; what it costs depends on what changed, never on how many Services there are.
 * Made by createServiceTable() of service-table.ts.
 */
export interface ServiceTable {
  /** Grows with each takeChanges() that has something. */
  readonly revision: number;
  /** Kubernetes objects of one source; sources do not disturb each other. */
  applyObjects(source: string, events: readonly ObjectEvent[]): void;
  /** Frontends and groups of one source (host.v1 ApplyServices, hostPorts). Ids are the source's own. */
  applyModel(source: string, change: ModelChange): void;
  setFacts(facts: NodeFacts): void;
  changePodAddresses(change: {
    readonly add: readonly AddressText[];
    readonly remove: readonly AddressText[];
  }): void;
  /** Addresses of pods on their networks, as their node's host knows them. An id that is there is replaced. */
  changePodNetworks(change: {
    readonly put: readonly PodNetworkAddresses[];
    readonly remove: readonly string[];
  }): void;
  /** Everything since the last call, as one revision; undefined: nothing of the plan changed. */
  takeChanges(): TableChanges | undefined;
  /** The whole plan as of the last takeChanges(). A copy of everything. */
  plan(): ServicePlan;
  /** Of the plan one frontend, without a copy of the rest. */
  planned(key: FrontendKey): PlannedFrontend | undefined;
  /** Of the plan one list, without a copy of the rest. */
  list(id: ListId): PlannedList | undefined;
  /** Names of Services, sorted. */
  serviceNames(): readonly string[];
  /** Services whose names begin so and of which nothing is to be programmed: "default/db: it is headless, ...", sorted. */
  unserved(prefix: string): readonly string[];
  view(service: string): ServiceState | undefined;
  explain(question: Question): Explanation;
  /** Addresses and ports of all serving endpoints (ready or not, local or not, any policy) behind a frontend, as "10.1.0.5|8080". undefined: no such frontend. */
  servingEndpoints(key: FrontendKey): ReadonlySet<string> | undefined;
  /** Services with a healthCheckNodePort and how many local ready endpoints they have. */
  healthChecks(): readonly HealthCheck[];
  /** What is wrong with objects: a sentence each, with the field. Bounded. */
  problems(): readonly ObjectProblem[];
}

export interface ModelChange {
  /** Forget everything of this source that is not put here. */
  readonly replace: boolean;
  readonly putGroups: readonly EndpointGroup[];
  readonly removeGroups: readonly string[];
  readonly putFrontends: readonly Frontend[];
  readonly removeFrontends: readonly string[];
}

export interface TableChanges {
  readonly changes: PlanChanges;
  /** Services whose view may have changed. */
  readonly services: readonly string[];
  /** Frontends whose flows may lead to endpoints that serve no more: see servingEndpoints(). */
  readonly staleFlows: readonly {
    readonly key: FrontendKey;
    readonly address: AddressText;
    readonly protocol: Protocol;
    readonly port: number;
    /** TCP and SCTP flows too (FrontendPolicy.closeTcpFlows); UDP always. */
    readonly closeTcpFlows?: true;
  }[];
  /** Newest last-change-trigger-time of the endpoint objects in it, ms since 1970; for network_programming_duration. */
  readonly triggeredMs?: number;
}

export interface ServiceState {
  readonly service: string;
  readonly revision: number;
  readonly frontends: readonly FrontendState[];
}

export interface FrontendState {
  readonly planned: PlannedFrontend;
  /** The Service whose frontend has the same key and comes first. */
  readonly shadowedBy?: string;
  readonly affinitySeconds: number;
  readonly pick: FrontendPolicy["pick"];
  readonly inside: readonly EndpointState[];
  readonly outside: readonly EndpointState[];
}

export interface EndpointState {
  readonly address: AddressText;
  readonly port: number;
  readonly weight: number;
  readonly nodeName?: string;
  readonly podName?: string;
  readonly zone?: string;
  readonly isLocal: boolean;
}

export interface Question {
  readonly source:
    | {
        readonly kind: "address";
        readonly address: AddressText;
        /** Networks that this pod is on, "namespace/name". */
        readonly networks?: readonly string[];
      }
    /** A process of this node. */
    | { readonly kind: "node" };
  readonly address: AddressText;
  readonly protocol: Protocol;
  readonly port: number;
}

export interface Explanation {
  readonly verdict: "forward" | "reject" | "drop" | "no-service";
  readonly endpoints: readonly EndpointState[];
  readonly masquerade: boolean;
  readonly masqueradeReason: string;
  readonly key: FrontendKey;
  readonly service?: string;
  readonly portName?: string;
  readonly frontendKind?: FrontendKind;
  readonly sourceKind: "pod" | "node" | "outside";
  readonly sourceReason: string;
  /** Stable word, one for each row of services.md 3.2-3.4, for example "external-local-no-endpoint". */
  readonly rule: string;
  readonly ruleText: string;
  /** Endpoints of the group that are not used, each with the reason; port 0: it has no such port. */
  readonly unused: readonly { readonly endpoint: EndpointState; readonly reason: string }[];
  /** Services whose frontends have the same address and port and come later, without repetition. */
  readonly shadowed: readonly string[];
  /** With "forward": how long a client stays with its endpoint, 0 not at all, and how it gets one. */
  readonly affinitySeconds: number;
  readonly pick: FrontendPolicy["pick"];
}

export interface HealthCheck {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
  readonly localReadyEndpoints: number;
}

export interface ObjectProblem {
  readonly source: string;
  /** "Service default/web". */
  readonly object: string;
  readonly message: string;
}
