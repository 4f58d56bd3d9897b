// Original file: proto/patchbay/host/v1/host.proto


/**
 * Which attachments to check. Empty: all.
 */
export interface CheckAttachmentsRequest {
  /**
   * One attachment.
   */
  'attachmentId'?: (string);
  /**
   * True: mend what differs, where the plugin can.
   */
  'repair'?: (boolean);
  /**
   * "namespace/name" of a pod, or the beginning of a container id.
   */
  'pod'?: (string);
  /**
   * Name of the network.
   */
  'network'?: (string);
}

/**
 * Which attachments to check. Empty: all.
 */
export interface CheckAttachmentsRequest__Output {
  /**
   * One attachment.
   */
  'attachmentId': (string);
  /**
   * True: mend what differs, where the plugin can.
   */
  'repair': (boolean);
  /**
   * "namespace/name" of a pod, or the beginning of a container id.
   */
  'pod': (string);
  /**
   * Name of the network.
   */
  'network': (string);
}
