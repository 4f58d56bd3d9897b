// Original file: proto/patchbay/host/v1/host.proto


/**
 * Filled by the caller.
 */
export interface DetachNetworkRequest {
  /**
   * "namespace/name" of an attached pod, or the beginning of its container id.
   */
  'pod'?: (string);
  /**
   * Interface inside the pod, or network ("name" or "namespace/name") where the pod has it once.
   */
  'target'?: (string);
}

/**
 * Filled by the caller.
 */
export interface DetachNetworkRequest__Output {
  /**
   * "namespace/name" of an attached pod, or the beginning of its container id.
   */
  'pod': (string);
  /**
   * Interface inside the pod, or network ("name" or "namespace/name") where the pod has it once.
   */
  'target': (string);
}
