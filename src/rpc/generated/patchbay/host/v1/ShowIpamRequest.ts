// Original file: proto/patchbay/host/v1/host.proto


/**
 * Which pools. Empty: all.
 */
export interface ShowIpamRequest {
  /**
   * Name of the network.
   */
  'network'?: (string);
  /**
   * True: leases and cooling addresses too, not only counts.
   */
  'leases'?: (boolean);
}

/**
 * Which pools. Empty: all.
 */
export interface ShowIpamRequest__Output {
  /**
   * Name of the network.
   */
  'network': (string);
  /**
   * True: leases and cooling addresses too, not only counts.
   */
  'leases': (boolean);
}
