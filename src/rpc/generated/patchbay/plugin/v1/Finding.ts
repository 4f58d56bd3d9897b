// Original file: proto/patchbay/plugin/v1/network.proto


/**
 * One way in which the attachment differs from its record.
 */
export interface Finding {
  /**
   * What differs, a stable word: "link-missing", "link-down", "address-missing", "route-missing", "mtu", "mac" ...
   */
  'kind'?: (string);
  /**
   * The object, for example "eth0" or "default via 10.88.0.1".
   */
  'object'?: (string);
  /**
   * What the record says.
   */
  'expected'?: (string);
  /**
   * What was found. Empty: nothing.
   */
  'found'?: (string);
  /**
   * True when `repair` mended it.
   */
  'repaired'?: (boolean);
}

/**
 * One way in which the attachment differs from its record.
 */
export interface Finding__Output {
  /**
   * What differs, a stable word: "link-missing", "link-down", "address-missing", "route-missing", "mtu", "mac" ...
   */
  'kind': (string);
  /**
   * The object, for example "eth0" or "default via 10.88.0.1".
   */
  'object': (string);
  /**
   * What the record says.
   */
  'expected': (string);
  /**
   * What was found. Empty: nothing.
   */
  'found': (string);
  /**
   * True when `repair` mended it.
   */
  'repaired': (boolean);
}
