// Original file: proto/patchbay/plugin/v1/ipam.proto


/**
 * Filled by the host.
 */
export interface IpamStatusRequest {
  /**
   * Name of the network.
   */
  'network'?: (string);
}

/**
 * Filled by the host.
 */
export interface IpamStatusRequest__Output {
  /**
   * Name of the network.
   */
  'network': (string);
}
