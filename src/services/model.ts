import type { Family, IpPrefix } from "../ip/address.ts";

/**
 * The Services model: groups of endpoints apart from the ways in (proto/patchbay/host/v1, contracts).
 * Kubernetes objects, manifest files and host.v1 are translated into it; families never mix.
 */

/** An IP address in canonical text (RFC 5952 for IPv6): the key of nearly every table here. */
export type AddressText = string & { readonly __brand: "AddressText" };

export type Protocol = "TCP" | "UDP" | "SCTP";

/** Endpoints of one family that do the same. */
export interface EndpointGroup {
  /** Unique, for example "default/web/4". */
  readonly id: string;
  readonly family: Family;
  readonly endpoints: readonly Endpoint[];
  /** Those that cannot be dialled: their pods have no address of this family on the Service's network. */
  readonly absent?: readonly Endpoint[];
}

export interface Endpoint {
  readonly address: AddressText;
  /** Ports by name and protocol; endpoints of one EndpointSlice share the array. */
  readonly ports: readonly EndpointPort[];
  /** Absent: on no node that we know, so never local. */
  readonly nodeName?: string;
  readonly podName?: string;
  readonly zone?: string;
  /** Nodes and zones that should use this endpoint (EndpointSlice hints). Absent: no hint. */
  readonly nodeHints?: readonly string[];
  readonly zoneHints?: readonly string[];
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  /** Share of connections, 0 to 256; 1 where nobody says. 0: none. */
  readonly weight: number;
}

export interface EndpointPort {
  /** "" for the unnamed port of a Service with one port. */
  readonly name: string;
  readonly protocol: Protocol;
  /** 1 to 65535. */
  readonly port: number;
}

export type FrontendKind = "clusterIP" | "nodePort" | "externalIP" | "loadBalancer" | "hostPort";

/** A way in. */
export interface Frontend {
  /** Unique, for example "default/web/http/clusterIP/10.96.0.10". */
  readonly id: string;
  readonly family: Family;
  readonly kind: FrontendKind;
  /** Absent: the node's own addresses that NodeFacts.nodePortAddresses names (nodePort), or all of the node's (hostPort). */
  readonly address?: AddressText;
  readonly protocol: Protocol;
  /** 1 to 65535. */
  readonly port: number;
  /** Id of the EndpointGroup, which may come later or never: no endpoints then. */
  readonly group: string;
  /** Which of the endpoints' ports. */
  readonly portName: string;
  readonly policy: FrontendPolicy;
  /** "namespace/name": only pods on this network reach it, by rules in their own namespaces. Absent: the node forwards. */
  readonly network?: string;
  /** For people and metrics: "namespace/name" of the Service. */
  readonly service: string;
  /** Of two frontends with the same key the one with the lower kind, then the earlier time, then the smaller id has it. Milliseconds since 1970, 0 unknown. */
  readonly createdMs: number;
}

export interface FrontendPolicy {
  readonly internalTrafficPolicy: "Cluster" | "Local";
  readonly externalTrafficPolicy: "Cluster" | "Local";
  /** ClientIP affinity, 1 to 86400 s. Absent: none. */
  readonly affinitySeconds?: number;
  /** Who may use a load-balancer address. Absent: anyone. Prefixes of the frontend's family only; an empty list: nobody. */
  readonly sourceRanges?: readonly IpPrefix[];
  /** How one of the endpoints is picked. */
  readonly pick: "random" | "consistent-hash";
  /** Ordered node-label keys, "*" last for any (KEP-536 topologyKeys, as annotation). Empty: hints alone decide. */
  readonly topologyKeys: readonly string[];
  /** Count new connections of this Service. */
  readonly countConnections: boolean;
  /** Delete TCP flows of removed endpoints too (UDP always). */
  readonly closeTcpFlows: boolean;
}

/** What the choice of endpoints depends on besides the model. */
export interface NodeFacts {
  /** "" when nobody said: then no endpoint is local and no hint is for us. */
  readonly nodeName: string;
  /** Labels by node name, ours among them: zone, topology keys. */
  readonly nodeLabels: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** All addresses of this node, both families, without loopback. */
  readonly nodeAddresses: readonly AddressText[];
  /** Addresses that serve NodePorts (nodePortAddresses of the config, resolved); loopback is not among them. */
  readonly nodePortAddresses: readonly AddressText[];
  /** NodePorts of the plan are served on loopback too, TCP and UDP, by the host's own proxy. Absent: no. */
  readonly servesLocalhost?: boolean;
  /** podCIDRs of all nodes and cluster CIDRs of the config: sources in them are pods. */
  readonly podPrefixes: readonly IpPrefix[];
  /** ServiceCIDRs: an address in them without a Service is dropped. */
  readonly servicePrefixes: readonly IpPrefix[];
  /** Masquerade everything to cluster IPs, pods' too. */
  readonly masqueradeAll: boolean;
}

/** "10.96.0.10|TCP|80": what a packet is matched by. */
export type FrontendKey = string & { readonly __brand: "FrontendKey" };

export function frontendKey(
  address: AddressText,
  { protocol, port }: { readonly protocol: Protocol; readonly port: number },
): FrontendKey {
  return `${address}|${protocol}|${port}` as FrontendKey;
}
