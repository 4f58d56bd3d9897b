// Original file: proto/patchbay/host/v1/host.proto


/**
 * State of one network that the host has seen.
 */
export interface NetworkStatus {
  /**
   * Name of the network.
   */
  'name'?: (string);
  /**
   * Name of its plugin.
   */
  'plugin'?: (string);
  /**
   * True: Attach may be called.
   */
  'ready'?: (boolean);
  /**
   * Why not. Empty when ready.
   */
  'reason'?: (string);
  /**
   * Number of attachments.
   */
  'attachments'?: (number);
  /**
   * Subnets that the host gives its addresses from, CIDR notation, as far as it knows.
   */
  'subnets'?: (string)[];
  /**
   * What its configuration says beside what every network has: "bridge", "master", "vni" ... as text. Plain values only,
   * at most 16, key and value of at most 64 characters each, none whose key says that it is a secret.
   */
  'settings'?: ({[key: string]: string});
}

/**
 * State of one network that the host has seen.
 */
export interface NetworkStatus__Output {
  /**
   * Name of the network.
   */
  'name': (string);
  /**
   * Name of its plugin.
   */
  'plugin': (string);
  /**
   * True: Attach may be called.
   */
  'ready': (boolean);
  /**
   * Why not. Empty when ready.
   */
  'reason': (string);
  /**
   * Number of attachments.
   */
  'attachments': (number);
  /**
   * Subnets that the host gives its addresses from, CIDR notation, as far as it knows.
   */
  'subnets': (string)[];
  /**
   * What its configuration says beside what every network has: "bridge", "master", "vni" ... as text. Plain values only,
   * at most 16, key and value of at most 64 characters each, none whose key says that it is a secret.
   */
  'settings': ({[key: string]: string});
}
