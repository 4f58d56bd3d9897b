import type { AnnotationsOf, LabelsOf, ReadKind } from "./read-metadata.ts";

/**
 * The fields that Patchbay reads of Kubernetes objects, as the API serves them. Sources (manifest
 * folder, API watch) check their types before they give them here; whatever else an object has is dropped as it
 * arrives. Sources: k8s.io/api core/v1, discovery/v1, networking/v1.
 */
export type ServicesObject = Service | EndpointSlice | Node | ServiceCidr | Pod;

export interface ObjectMeta {
  readonly name: string;
  /** "" for what lies in no namespace. */
  readonly namespace: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly creationTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Metadata of which only those labels and annotations can be read that are kept: read-metadata.ts. */
export interface MetaOf<Kind extends ReadKind> extends Omit<ObjectMeta, "labels" | "annotations"> {
  readonly labels?: LabelsOf<Kind>;
  readonly annotations?: AnnotationsOf<Kind>;
}

export interface Service {
  readonly kind: "Service";
  readonly metadata: MetaOf<"Service">;
  readonly spec: {
    readonly type?: "ClusterIP" | "NodePort" | "LoadBalancer" | "ExternalName";
    readonly clusterIP?: string;
    readonly clusterIPs?: readonly string[];
    readonly externalIPs?: readonly string[];
    readonly loadBalancerSourceRanges?: readonly string[];
    readonly ports?: readonly ServicePort[];
    readonly sessionAffinity?: "None" | "ClientIP";
    readonly sessionAffinityConfig?: { readonly clientIP?: { readonly timeoutSeconds?: number } };
    readonly internalTrafficPolicy?: "Cluster" | "Local";
    readonly externalTrafficPolicy?: "Cluster" | "Local";
    readonly healthCheckNodePort?: number;
    readonly trafficDistribution?: string;
  };
  readonly status?: {
    readonly loadBalancer?: {
      readonly ingress?: readonly {
        readonly ip?: string;
        readonly hostname?: string;
        readonly ipMode?: "VIP" | "Proxy";
      }[];
    };
  };
}

export interface ServicePort {
  readonly name?: string;
  readonly protocol?: "TCP" | "UDP" | "SCTP";
  readonly port: number;
  readonly nodePort?: number;
}

export interface EndpointSlice {
  readonly kind: "EndpointSlice";
  readonly metadata: MetaOf<"EndpointSlice">;
  readonly addressType: "IPv4" | "IPv6" | "FQDN";
  readonly endpoints?: readonly SliceEndpoint[] | null;
  readonly ports?: readonly SlicePort[] | null;
}

export interface SliceEndpoint {
  readonly addresses: readonly string[];
  readonly conditions?: {
    readonly ready?: boolean | null;
    readonly serving?: boolean | null;
    readonly terminating?: boolean | null;
  };
  readonly nodeName?: string | null;
  readonly zone?: string | null;
  readonly targetRef?: { readonly kind?: string; readonly name?: string } | null;
  readonly hints?: {
    readonly forZones?: readonly { readonly name: string }[] | null;
    readonly forNodes?: readonly { readonly name: string }[] | null;
  } | null;
}

export interface SlicePort {
  readonly name?: string | null;
  readonly protocol?: "TCP" | "UDP" | "SCTP" | null;
  readonly port?: number | null;
}

export interface Node {
  readonly kind: "Node";
  readonly metadata: MetaOf<"Node"> & { readonly deletionTimestamp?: string };
  readonly spec?: {
    readonly podCIDR?: string;
    readonly podCIDRs?: readonly string[];
    readonly taints?: readonly { readonly key: string; readonly effect?: string }[];
  };
  readonly status?: {
    readonly addresses?: readonly { readonly type: string; readonly address: string }[];
  };
}

export interface ServiceCidr {
  readonly kind: "ServiceCIDR";
  readonly metadata: MetaOf<"ServiceCIDR">;
  readonly spec: { readonly cidrs: readonly string[] };
}

/** Of a pod only what networks it has: annotation k8s.v1.cni.cncf.io/network-status. */
export interface Pod {
  readonly kind: "Pod";
  readonly metadata: MetaOf<"Pod">;
  readonly spec?: { readonly nodeName?: string };
}

/** "Service/default/web": one object among all of a source. */
export type ObjectKey = string & { readonly __brand: "ObjectKey" };

export function objectKey(object: ServicesObject): ObjectKey {
  return `${object.kind}/${object.metadata.namespace}/${object.metadata.name}` as ObjectKey;
}

/**
 * What a source of objects tells, in order. "relist" carries everything that the source has: what
 * it does not name is gone. The Kubernetes watch feeds ADDED and MODIFIED as put, DELETED as delete.
 */
export type ObjectEvent =
  | { readonly kind: "put"; readonly object: ServicesObject }
  | { readonly kind: "delete"; readonly key: ObjectKey }
  | { readonly kind: "relist"; readonly objects: readonly ServicesObject[] };
