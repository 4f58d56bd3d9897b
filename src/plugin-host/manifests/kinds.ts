import type { ObjectMeta } from "../../services/objects.ts";
import type { Place, TextRule } from "./fields.ts";
import type { ManifestObject } from "./manifest-object.ts";
import { parseEndpointSlice } from "./parse-endpoint-slice.ts";
import { parseIpamClaim, parseNetworkAttachmentDefinition } from "./parse-network-objects.ts";
import { parseNode, parseServiceCidr } from "./parse-node.ts";
import { parsePod } from "./parse-pod.ts";
import { parseService } from "./parse-service.ts";
import { DNS_LABEL, DNS_SUBDOMAIN } from "./rules.ts";

/** A kind of object that Patchbay reads. */
export interface Kind {
  readonly group: string;
  readonly versions: readonly string[];
  readonly namespaced: boolean;
  readonly name: TextRule;
  /** Of an object whose metadata is read already. Throws FieldError. */
  readonly parse: (place: Place, metadata: ObjectMeta) => ManifestObject;
}

/** All of them. Wherever an object comes from, it is read by its kind's one parser. */
export const KINDS = {
  Service: {
    group: "",
    versions: ["v1"],
    namespaced: true,
    name: DNS_LABEL,
    parse: parseService,
  },
  EndpointSlice: {
    group: "discovery.k8s.io",
    versions: ["v1"],
    namespaced: true,
    name: DNS_SUBDOMAIN,
    parse: parseEndpointSlice,
  },
  Node: {
    group: "",
    versions: ["v1"],
    namespaced: false,
    name: DNS_SUBDOMAIN,
    parse: parseNode,
  },
  Pod: {
    group: "",
    versions: ["v1"],
    namespaced: true,
    name: DNS_SUBDOMAIN,
    parse: parsePod,
  },
  ServiceCIDR: {
    group: "networking.k8s.io",
    versions: ["v1", "v1beta1"],
    namespaced: false,
    name: DNS_SUBDOMAIN,
    parse: parseServiceCidr,
  },
  NetworkAttachmentDefinition: {
    group: "k8s.cni.cncf.io",
    versions: ["v1"],
    namespaced: true,
    name: DNS_SUBDOMAIN,
    parse: parseNetworkAttachmentDefinition,
  },
  IPAMClaim: {
    group: "k8s.cni.cncf.io",
    versions: ["v1alpha1"],
    namespaced: true,
    name: DNS_SUBDOMAIN,
    parse: parseIpamClaim,
  },
} as const satisfies Record<ManifestObject["kind"], Kind>;

export type KindName = keyof typeof KINDS;

export function findKind(name: string): Kind | undefined {
  return Object.hasOwn(KINDS, name) ? KINDS[name as KindName] : undefined;
}
