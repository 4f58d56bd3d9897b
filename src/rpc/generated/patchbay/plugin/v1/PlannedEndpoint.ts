// Original file: proto/patchbay/plugin/v1/services.proto


/**
 * Where a connection may end.
 */
export interface PlannedEndpoint {
  /**
   * IP address.
   */
  'address'?: (string);
  /**
   * 1 to 65535.
   */
  'port'?: (number);
  /**
   * Share of connections; 1 where nobody says.
   */
  'weight'?: (number);
}

/**
 * Where a connection may end.
 */
export interface PlannedEndpoint__Output {
  /**
   * IP address.
   */
  'address': (string);
  /**
   * 1 to 65535.
   */
  'port': (number);
  /**
   * Share of connections; 1 where nobody says.
   */
  'weight': (number);
}
