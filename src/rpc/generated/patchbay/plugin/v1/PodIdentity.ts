// Original file: proto/patchbay/plugin/v1/network.proto


/**
 * Who the pod is, as the container runtime told it. Every field may be empty: not every runtime says it.
 */
export interface PodIdentity {
  /**
   * Kubernetes namespace (K8S_POD_NAMESPACE).
   */
  'namespace'?: (string);
  /**
   * Pod name (K8S_POD_NAME).
   */
  'name'?: (string);
  /**
   * Pod uid (K8S_POD_UID).
   */
  'uid'?: (string);
  /**
   * Pod labels, where the host knows them.
   */
  'labels'?: ({[key: string]: string});
}

/**
 * Who the pod is, as the container runtime told it. Every field may be empty: not every runtime says it.
 */
export interface PodIdentity__Output {
  /**
   * Kubernetes namespace (K8S_POD_NAMESPACE).
   */
  'namespace': (string);
  /**
   * Pod name (K8S_POD_NAME).
   */
  'name': (string);
  /**
   * Pod uid (K8S_POD_UID).
   */
  'uid': (string);
  /**
   * Pod labels, where the host knows them.
   */
  'labels': ({[key: string]: string});
}
