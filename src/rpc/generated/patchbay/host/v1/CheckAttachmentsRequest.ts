// Original file: proto/patchbay/host/v1/host.proto


/**
 * Which attachments to check. Empty: all.
 */
export interface CheckAttachmentsRequest {
  /**
   * One attachment.
   */
  'attachmentId'?: (string);
}

/**
 * Which attachments to check. Empty: all.
 */
export interface CheckAttachmentsRequest__Output {
  /**
   * One attachment.
   */
  'attachmentId': (string);
}
