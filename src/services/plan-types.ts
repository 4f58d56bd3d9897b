import type { Family, IpPrefix } from "../ip/address.ts";
import type { AddressText, FrontendKey, FrontendKind, Protocol } from "./model.ts";

/**
 * What a data plane of this node must hold: every semantic decision (which endpoints, verdict,
 * masquerade) is taken already. A plane only writes it down. Sent to third parties as
 * patchbay.plugin.v1 ServicePlugin.
 */
export interface ServicePlan {
  readonly frontends: ReadonlyMap<FrontendKey, PlannedFrontend>;
  readonly lists: ReadonlyMap<ListId, PlannedList>;
  /** Every cluster IP: a packet to one of them that matches no frontend is rejected. */
  readonly clusterIps: ReadonlySet<AddressText>;
  /** A packet to one of these that is no cluster IP is dropped. */
  readonly servicePrefixes: readonly IpPrefix[];
  /** Sources in these, or among podAddresses, are pods. */
  readonly podPrefixes: readonly IpPrefix[];
  readonly podAddresses: ReadonlySet<AddressText>;
  /** Endpoints on this node, and pods that the host attached: a connection from one of them to itself is masqueraded. */
  readonly localEndpoints: ReadonlySet<AddressText>;
}

/** "default/web/4|http|TCP|cluster": one list of endpoints that frontends share. */
export type ListId = string & { readonly __brand: "ListId" };

export interface PlannedFrontend {
  readonly key: FrontendKey;
  readonly family: Family;
  readonly address: AddressText;
  readonly protocol: Protocol;
  readonly port: number;
  readonly kind: FrontendKind;
  /** "namespace/name" and port name, for people. */
  readonly service: string;
  readonly portName: string;
  /** Where packets of pods go. Packets of this node's own processes go there too. */
  readonly inside: Route;
  /** Where all other packets go. */
  readonly outside: Route;
  /**
   * Who gets the node's address as source. This node's own processes always do.
   * - "others": who is no pod (cluster IP)
   * - "everyone" (external frontend, policy Cluster; masqueradeAll)
   * - "nobody" (external frontend, policy Local)
   */
  readonly masquerade: "others" | "everyone" | "nobody";
  /** Sources that may pass, the frontend's own address among them where upstream says so. Absent: all. */
  readonly sourceRanges?: readonly IpPrefix[];
  readonly countConnections: boolean;
  /** The Service is on a network of its own: what the namespaces of pods on it hold. The node refuses. */
  readonly onNetwork?: OnNetwork;
}

/** A frontend inside the namespaces of pods that are on its Service's network. */
export interface OnNetwork {
  /** "namespace/name" */
  readonly network: string;
  readonly route: NetworkRoute;
  /** TCP and SCTP flows to endpoints that are gone are deleted, not only UDP's. */
  readonly closeTcpFlows: boolean;
}

export type NetworkRoute =
  | {
      readonly kind: "forward";
      /** At least one; sorted by address and port; no two alike; weight at least 1. */
      readonly endpoints: readonly PlannedEndpoint[];
      /** "same": one client always meets the same endpoint, as long as there is this set of them. */
      readonly pick: "random" | "same";
    }
  | { readonly kind: "reject" }
  | { readonly kind: "drop" };

/** "list" names a list that has at least one endpoint. */
export type Route =
  | { readonly kind: "list"; readonly list: ListId }
  | { readonly kind: "reject" }
  | { readonly kind: "drop" };

export interface PlannedList {
  readonly id: ListId;
  readonly family: Family;
  readonly protocol: Protocol;
  /** What all lists of one Service port and family have in common, for example "default/web/4|http|TCP". */
  readonly portKey: string;
  /** At least one; sorted by address and port; no two alike; weight at least 1. */
  readonly endpoints: readonly PlannedEndpoint[];
  readonly pick: "random" | "consistent-hash";
  /** ClientIP affinity. Lists with the same affinityKey share a client's memory. */
  readonly affinity?: { readonly seconds: number; readonly key: string };
}

export interface PlannedEndpoint {
  readonly address: AddressText;
  readonly port: number;
  readonly weight: number;
}

/** Difference of two plans. Puts replace; a plane applies all of it atomically per family, or chunk by chunk such that no frontend ever points to a list that is not there. */
export interface PlanChanges {
  readonly revision: number;
  readonly putFrontends: readonly PlannedFrontend[];
  readonly removeFrontends: readonly FrontendKey[];
  readonly putLists: readonly PlannedList[];
  readonly removeLists: readonly ListId[];
  readonly addClusterIps: readonly AddressText[];
  readonly removeClusterIps: readonly AddressText[];
  readonly addPodAddresses: readonly AddressText[];
  readonly removePodAddresses: readonly AddressText[];
  readonly addLocalEndpoints: readonly AddressText[];
  readonly removeLocalEndpoints: readonly AddressText[];
  /** Whole lists, where they changed. */
  readonly servicePrefixes?: readonly IpPrefix[];
  readonly podPrefixes?: readonly IpPrefix[];
}
