// Original file: proto/patchbay/plugin/v1/network.proto


/**
 * Filled by the host.
 */
export interface ListRequest {
  /**
   * Only this network. Empty: all.
   */
  'network'?: (string);
}

/**
 * Filled by the host.
 */
export interface ListRequest__Output {
  /**
   * Only this network. Empty: all.
   */
  'network': (string);
}
