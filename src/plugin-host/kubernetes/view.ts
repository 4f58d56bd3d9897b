import type { TokenLife } from "./api.ts";

/**
 * What is kept of the cluster beside the objects that Services and networks are made of: this node,
 * its pods, and how the watches are. Answers from memory.
 */
export interface KubernetesView {
  readonly node: OwnNode | undefined;
  readonly pods: OwnPods;
  /** How each watch is, in a fixed order. */
  readonly watches: readonly WatchState[];
  readonly server: string;
  /** Of the token that the host shows; undefined: it has none, or it does not say. */
  readTokenLife?(): Promise<TokenLife | undefined>;
  /** Calls after each change of node or pods, late and together; the returned function ends it. */
  listen(listener: (change: ViewChange) => void): () => void;
}

export interface ViewChange {
  /** The own Node object came, changed or went. */
  readonly node: boolean;
  /** Uids of own pods that came, changed or went. */
  readonly pods: readonly string[];
}

/** The own Node object. */
export interface OwnNode {
  readonly name: string;
  readonly uid: string;
  /** spec.podCIDRs, canonical, the first of each family. */
  readonly podCidrs: readonly string[];
  /** The condition of type NetworkUnavailable; undefined: it has none. */
  readonly networkUnavailable: NodeCondition | undefined;
}

export interface NodeCondition {
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
}

/** Pods whose spec.nodeName is this node. */
export interface OwnPods {
  /** True while the list can be relied on: it was listed and its watch stands. */
  readonly isCurrent: boolean;
  readonly size: number;
  get(uid: string): OwnPod | undefined;
  find(namespace: string, name: string): OwnPod | undefined;
  [Symbol.iterator](): Iterator<OwnPod>;
}

export interface OwnPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Annotation kubernetes.io/config.hash: the uid by which the kubelet knows a static pod. "": it is none. */
  readonly staticUid: string;
  /** Annotation k8s.v1.cni.cncf.io/network-status as it stands there; undefined: none. */
  readonly networkStatus: string | undefined;
  /** It has a deletionTimestamp. */
  readonly isLeaving: boolean;
}

/** How one watch is. */
export interface WatchState {
  /** "services", "endpointslices.discovery.k8s.io", "pods": as RBAC names it, with its group. */
  readonly resource: string;
  /** "" until something is known. */
  readonly resourceVersion: string;
  readonly objects: number;
  /**
   * "restored": what an earlier host wrote down, not yet confirmed; "absent": the server does not have this kind.
   */
  readonly phase: "starting" | "restored" | "listing" | "watching" | "broken" | "absent";
  /** What is wrong now; "": nothing. */
  readonly trouble: string;
  /** Lists of everything that came to an end, and watches begun, since the start of the host. */
  readonly lists: number;
  readonly watches: number;
  /** Wall time of the last event or bookmark, ms since 1970; 0: none yet. */
  readonly heardMs: number;
}
