// Original file: proto/patchbay/host/v1/host.proto


/**
 * Filled by the caller.
 */
export interface AttachNetworkRequest {
  /**
   * "namespace/name" of an attached pod, or the beginning of its container id.
   */
  'pod'?: (string);
  /**
   * The network selection: "name", "namespace/name", with "@interface" or without, or one JSON object of the
   * k8s.v1.cni.cncf.io/networks annotation.
   */
  'selection'?: (string);
}

/**
 * Filled by the caller.
 */
export interface AttachNetworkRequest__Output {
  /**
   * "namespace/name" of an attached pod, or the beginning of its container id.
   */
  'pod': (string);
  /**
   * The network selection: "name", "namespace/name", with "@interface" or without, or one JSON object of the
   * k8s.v1.cni.cncf.io/networks annotation.
   */
  'selection': (string);
}
