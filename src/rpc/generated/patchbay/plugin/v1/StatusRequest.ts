// Original file: proto/patchbay/plugin/v1/network.proto


/**
 * Filled by the host.
 */
export interface StatusRequest {
  /**
   * Name of the network.
   */
  'network'?: (string);
  /**
   * Its configuration.
   */
  'configJson'?: (string);
}

/**
 * Filled by the host.
 */
export interface StatusRequest__Output {
  /**
   * Name of the network.
   */
  'network': (string);
  /**
   * Its configuration.
   */
  'configJson': (string);
}
