import type { MetaOf, ObjectKey, ServicesObject } from "../../services/objects.ts";

/** What is read from manifests: objects of Services, and what networks are made of. */
export type ManifestObject = ServicesObject | NetworkAttachmentDefinition | IpamClaim;

/** k8s.cni.cncf.io/v1, multi-network standard 1.3, section 3. */
export interface NetworkAttachmentDefinition {
  readonly kind: "NetworkAttachmentDefinition";
  readonly metadata: MetaOf<"NetworkAttachmentDefinition">;
  /** A CNI configuration as text; "": the node's own of the same name. */
  readonly spec: { readonly config: string };
  /** "networks.yaml:12" or "networks.yaml"; "": unknown. */
  readonly place: string;
}

/** k8s.cni.cncf.io/v1alpha1: while it is there, the addresses of who refers to it stay. */
export interface IpamClaim {
  readonly kind: "IPAMClaim";
  readonly metadata: MetaOf<"IPAMClaim">;
  readonly spec: {
    readonly network: string;
    readonly interface: string;
  };
}

/** Like services' ObjectEvent, with every object that manifests have. */
export type ManifestEvent =
  | { readonly kind: "put"; readonly object: ManifestObject }
  | { readonly kind: "delete"; readonly key: ObjectKey }
  | { readonly kind: "relist"; readonly objects: readonly ManifestObject[] };

/** "NetworkAttachmentDefinition/default/storage": as objectKey() of services. */
export function manifestKey({ kind, metadata }: ManifestObject): ObjectKey {
  return `${kind}/${metadata.namespace}/${metadata.name}` as ObjectKey;
}

export function isServicesObject(object: ManifestObject): object is ServicesObject {
  return !isNetworksKind(object.kind);
}

export function isServicesKey(key: ObjectKey): boolean {
  return !isNetworksKind(key.slice(0, key.indexOf("/")));
}

export function isNetworksKind(kind: string): boolean {
  return kind === "NetworkAttachmentDefinition" || kind === "IPAMClaim";
}
