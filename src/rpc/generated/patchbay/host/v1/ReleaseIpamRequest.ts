// Original file: proto/patchbay/host/v1/host.proto


/**
 * Filled by the caller.
 */
export interface ReleaseIpamRequest {
  /**
   * The attachment whose record and addresses go.
   */
  'attachmentId'?: (string);
}

/**
 * Filled by the caller.
 */
export interface ReleaseIpamRequest__Output {
  /**
   * The attachment whose record and addresses go.
   */
  'attachmentId': (string);
}
