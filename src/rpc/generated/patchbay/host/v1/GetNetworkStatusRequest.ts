// Original file: proto/patchbay/host/v1/host.proto


/**
 * Which pods. Empty: all.
 */
export interface GetNetworkStatusRequest {
  /**
   * "namespace/name" of a pod, or the beginning of its container id.
   */
  'pod'?: (string);
}

/**
 * Which pods. Empty: all.
 */
export interface GetNetworkStatusRequest__Output {
  /**
   * "namespace/name" of a pod, or the beginning of its container id.
   */
  'pod': (string);
}
