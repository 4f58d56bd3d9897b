/**
 * Of each kind of object the labels and annotations that somebody reads. Objects keep no others (a
 * hundred thousand of them have ten each), and the types of objects.ts name no others: who wants to read
 * one more puts it here first.
 */

/** "all": any may be asked for by its name. */
export const READ_LABELS = {
  Service: [
    // translate.ts: not ours to serve.
    "service.kubernetes.io/headless",
    "service.kubernetes.io/service-proxy-name",
  ],
  EndpointSlice: [
    // slices.ts.
    "kubernetes.io/service-name",
    "service.kubernetes.io/headless",
  ],
  // facts-changes.ts, choose-endpoints.ts: annotation topology-keys of a Service may name any.
  Node: "all",
  Pod: [],
  ServiceCIDR: [],
  NetworkAttachmentDefinition: [],
  IPAMClaim: [],
} as const;

/** One that ends in "/" stands for all that begin so. */
export const READ_ANNOTATIONS = {
  // annotations.ts; those that are not known are told of.
  Service: ["services.patchbay.dev/"],
  // slices.ts: how long a change took to arrive, for metrics.
  EndpointSlice: ["endpoints.kubernetes.io/last-change-trigger-time"],
  Node: [],
  Pod: [
    // pod-networks.ts.
    "k8s.v1.cni.cncf.io/network-status",
    // The uid by which the kubelet knows a static pod.
    "kubernetes.io/config.hash",
  ],
  ServiceCIDR: [],
  // The host's definitions.ts.
  NetworkAttachmentDefinition: ["k8s.v1.cni.cncf.io/resourceName"],
  IPAMClaim: [],
} as const;

export type ReadKind = keyof typeof READ_LABELS;

/** The labels of a kind that can be read. */
export type LabelsOf<Kind extends ReadKind> = Texts<(typeof READ_LABELS)[Kind]>;

/** The annotations of a kind that can be read. */
export type AnnotationsOf<Kind extends ReadKind> = Texts<(typeof READ_ANNOTATIONS)[Kind]>;

type Texts<Names extends "all" | readonly string[]> = Names extends "all"
  ? Readonly<Record<string, string>>
  : Names extends readonly (infer Name extends string)[]
    ? Named<Exclude<Name, Beginning>> & Begun<Extract<Name, Beginning>>
    : never;

type Beginning = `${string}/`;
type Named<Name extends string> = { readonly [Each in Name]?: string };
type Begun<Name extends string> = { readonly [Each in Name as `${Each}${string}`]: string };
