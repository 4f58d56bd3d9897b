// Original file: proto/patchbay/plugin/v1/ipam.proto


/**
 * Filled by the host.
 */
export interface ListLeasesRequest {
  /**
   * Only this network. Empty: all.
   */
  'network'?: (string);
}

/**
 * Filled by the host.
 */
export interface ListLeasesRequest__Output {
  /**
   * Only this network. Empty: all.
   */
  'network': (string);
}
