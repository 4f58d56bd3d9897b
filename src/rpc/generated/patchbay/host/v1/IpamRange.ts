// Original file: proto/patchbay/host/v1/host.proto


/**
 * A range of a pool.
 */
export interface IpamRange {
  /**
   * Subnet in CIDR notation.
   */
  'subnet'?: (string);
  /**
   * First address that may be given out.
   */
  'first'?: (string);
  /**
   * Last address that may be given out.
   */
  'last'?: (string);
  /**
   * Gateway. Empty: none.
   */
  'gateway'?: (string);
}

/**
 * A range of a pool.
 */
export interface IpamRange__Output {
  /**
   * Subnet in CIDR notation.
   */
  'subnet': (string);
  /**
   * First address that may be given out.
   */
  'first': (string);
  /**
   * Last address that may be given out.
   */
  'last': (string);
  /**
   * Gateway. Empty: none.
   */
  'gateway': (string);
}
