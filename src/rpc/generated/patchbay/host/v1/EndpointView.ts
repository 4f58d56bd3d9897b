// Original file: proto/patchbay/host/v1/host.proto


/**
 * An endpoint that is used.
 */
export interface EndpointView {
  /**
   * IP address.
   */
  'address'?: (string);
  /**
   * Port.
   */
  'port'?: (number);
  /**
   * Share of connections.
   */
  'weight'?: (number);
  /**
   * Name of its node. May be empty.
   */
  'node'?: (string);
  /**
   * Name of its pod. May be empty.
   */
  'pod'?: (string);
  /**
   * Zone. May be empty.
   */
  'zone'?: (string);
  /**
   * True: on this node.
   */
  'local'?: (boolean);
}

/**
 * An endpoint that is used.
 */
export interface EndpointView__Output {
  /**
   * IP address.
   */
  'address': (string);
  /**
   * Port.
   */
  'port': (number);
  /**
   * Share of connections.
   */
  'weight': (number);
  /**
   * Name of its node. May be empty.
   */
  'node': (string);
  /**
   * Name of its pod. May be empty.
   */
  'pod': (string);
  /**
   * Zone. May be empty.
   */
  'zone': (string);
  /**
   * True: on this node.
   */
  'local': (boolean);
}
