import type { ObjectKey } from "../../services/objects.ts";
import type { KindName } from "../manifests/kinds.ts";
import type { ApiQuery } from "./api.ts";
import { findKey, type Keeping, keepObject } from "./objects/keep-object.ts";
import type { Kept, Unreadable } from "./objects/kept.ts";
import { SharedValues } from "./objects/shared-values.ts";

/** Objects of one resource of the API server that the host follows. */
export interface WatchedResource {
  /** As RBAC names it, with its group; a word behind it where one is followed twice: "nodes (own)". */
  readonly name: ResourceName;
  /** "/apis/discovery.k8s.io/v1/endpointslices": of all namespaces. */
  readonly path: string;
  /** Which objects of it: labelSelector, fieldSelector. */
  readonly query: ApiQuery;
  /** Accept headers; undefined: JSON of the whole object. */
  readonly accept?: { readonly list: string; readonly watch: string };
  /** The server may not have it: it is defined by others, or newer than the server. */
  readonly isOptional: boolean;
  /** Never throws. */
  keep(json: unknown): Kept | Unreadable;
  /**
   * What keep() gave, after it was written as JSON and read again: takes no more memory than before. Throws where
   * it is something else.
   */
  restore(kept: Kept): Kept;
  /** Of an object that may be wrong everywhere else, such as one that was deleted; undefined: it has none. */
  keyOf(json: unknown): ObjectKey | undefined;
}

export type ResourceName =
  | "services"
  | "endpointslices.discovery.k8s.io"
  | "nodes (own)"
  | "nodes (others)"
  | "pods"
  | "servicecidrs.networking.k8s.io"
  | "network-attachment-definitions.k8s.cni.cncf.io"
  | "ipamclaims.k8s.cni.cncf.io";

/** All of them, the first to be listed first: Services wait for slices and nodes. */
export function watchedResources(nodeName: string): readonly WatchedResource[] {
  const shared = new SharedValues();
  const inputs: readonly ResourceInput[] = [
    {
      name: "nodes (own)",
      path: "/api/v1/nodes",
      kind: "Node",
      keeping: "own-node",
      query: { fieldSelector: `metadata.name=${nodeName}` },
    },
    {
      name: "services",
      path: "/api/v1/services",
      kind: "Service",
      // Those left to other proxies come too, although kube-proxy does without them: one may name Patchbay.
      query: { labelSelector: "!service.kubernetes.io/headless" },
    },
    {
      name: "endpointslices.discovery.k8s.io",
      path: "/apis/discovery.k8s.io/v1/endpointslices",
      kind: "EndpointSlice",
      query: { labelSelector: "!service.kubernetes.io/headless" },
    },
    {
      name: "nodes (others)",
      path: "/api/v1/nodes",
      kind: "Node",
      query: { fieldSelector: `metadata.name!=${nodeName}` },
      accept: METADATA_ALONE,
    },
    {
      name: "pods",
      path: "/api/v1/pods",
      kind: "Pod",
      keeping: "own-pod",
      query: { fieldSelector: `spec.nodeName=${nodeName}` },
      accept: METADATA_ALONE,
    },
    {
      name: "servicecidrs.networking.k8s.io",
      path: "/apis/networking.k8s.io/v1/servicecidrs",
      kind: "ServiceCIDR",
      // v1 since 1.33.
      isOptional: true,
    },
    {
      name: "network-attachment-definitions.k8s.cni.cncf.io",
      path: "/apis/k8s.cni.cncf.io/v1/network-attachment-definitions",
      kind: "NetworkAttachmentDefinition",
      isOptional: true,
    },
    {
      name: "ipamclaims.k8s.cni.cncf.io",
      path: "/apis/k8s.cni.cncf.io/v1alpha1/ipamclaims",
      kind: "IPAMClaim",
      isOptional: true,
    },
  ];
  return inputs.map((input) => resource(input, shared));
}

/** Of a watch each event's object is one, of a list the list (endpoints/handlers/response.go). */
const METADATA_ALONE = {
  list: "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
  watch: "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
};

interface ResourceInput extends Partial<Pick<WatchedResource, "query" | "accept" | "isOptional">> {
  readonly name: ResourceName;
  readonly path: string;
  readonly kind: KindName;
  readonly keeping?: Keeping;
}

function resource(input: ResourceInput, shared: SharedValues): WatchedResource {
  const { name, path, kind, keeping = "object", query = {}, accept, isOptional = false } = input;
  return {
    name,
    path,
    query,
    ...(accept !== undefined && { accept }),
    isOptional,
    keep: (json) => keepObject(json, { resource: name, kind, keeping, shared }),
    restore: (kept) => restoreKept(kept, { keeping, kind, shared }),
    keyOf: (json) => findKey(json, kind),
  };
}

function restoreKept(
  kept: Kept,
  as: { readonly keeping: Keeping; readonly kind: KindName; readonly shared: SharedValues },
): Kept {
  const { keeping, kind, shared } = as;
  if (kept.kind !== keeping || !isWhole(kept, kind)) throw new Error(`${kept.key} is no ${kind}`);
  return kept.kind === "object" ? { ...kept, object: shared.share(kept.object) } : kept;
}

/** As far as it takes to tell another format; whoever writes to the journal by hand can still lie. */
function isWhole(kept: Kept, kind: KindName): boolean {
  const { namespace, name } = kept.kind === "own-pod" ? kept.pod : kept.object.metadata;
  if (kept.key !== `${kind}/${namespace}/${name}`) return false;
  if (kept.kind === "own-node" && !Array.isArray(kept.node.podCidrs)) return false;
  return kept.kind === "own-pod" || kept.object.kind === kind;
}
