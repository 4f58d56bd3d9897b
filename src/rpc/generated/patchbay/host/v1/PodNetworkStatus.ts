// Original file: proto/patchbay/host/v1/host.proto


/**
 * A pod's networks.
 */
export interface PodNetworkStatus {
  /**
   * "namespace/name", or the container id where the runtime told no pod.
   */
  'pod'?: (string);
  /**
   * Container id of the runtime.
   */
  'containerId'?: (string);
  /**
   * Value of the annotation k8s.v1.cni.cncf.io/network-status: a JSON list, the default network first.
   */
  'networkStatusJson'?: (string);
}

/**
 * A pod's networks.
 */
export interface PodNetworkStatus__Output {
  /**
   * "namespace/name", or the container id where the runtime told no pod.
   */
  'pod': (string);
  /**
   * Container id of the runtime.
   */
  'containerId': (string);
  /**
   * Value of the annotation k8s.v1.cni.cncf.io/network-status: a JSON list, the default network first.
   */
  'networkStatusJson': (string);
}
