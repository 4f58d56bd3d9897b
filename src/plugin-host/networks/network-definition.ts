import type { NetworkConfig } from "../cni/network-config.ts";

/** A NetworkAttachmentDefinition, read and checked (multi-network standard 1.3, section 3). */
export interface NetworkDefinition {
  readonly namespace: string;
  readonly name: string;
  /**
   * Its `name` is "namespace/name": two definitions never share addresses by accident. Its configJson keeps
   * the CNI name of the configuration itself.
   */
  readonly config: NetworkConfig;
  /** Annotation k8s.v1.cni.cncf.io/resourceName: the device resource that pods get with it. "": none. */
  readonly resourceName: string;
  /** Types of the CNI plugins that cni-exec runs for it, in order. Empty: a plugin of Patchbay's serves it. */
  readonly cniTypes: readonly string[];
}

/** Whether a network is a definition's: names of the node's own configurations have no slash. */
export function isOfDefinition(name: string): boolean {
  return name.includes("/");
}

/** "namespace/name". */
export function networkNameOf(definition: Pick<NetworkDefinition, "namespace" | "name">): string {
  return `${definition.namespace}/${definition.name}`;
}
