// Original file: proto/patchbay/host/v1/host.proto


/**
 * Which attachments. Empty fields match all.
 */
export interface ListAttachmentsRequest {
  /**
   * Name of the network.
   */
  'network'?: (string);
  /**
   * Container id, or the beginning of one.
   */
  'containerId'?: (string);
  /**
   * "namespace/name" of the pod.
   */
  'pod'?: (string);
}

/**
 * Which attachments. Empty fields match all.
 */
export interface ListAttachmentsRequest__Output {
  /**
   * Name of the network.
   */
  'network': (string);
  /**
   * Container id, or the beginning of one.
   */
  'containerId': (string);
  /**
   * "namespace/name" of the pod.
   */
  'pod': (string);
}
