// Original file: proto/patchbay/host/v1/host.proto


/**
 * Filled by the host.
 */
export interface ReleaseIpamResponse {
  /**
   * Addresses released.
   */
  'addresses'?: (string)[];
}

/**
 * Filled by the host.
 */
export interface ReleaseIpamResponse__Output {
  /**
   * Addresses released.
   */
  'addresses': (string)[];
}
