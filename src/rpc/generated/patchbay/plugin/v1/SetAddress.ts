// Original file: proto/patchbay/plugin/v1/network.proto


/**
 * An address as set on an interface. CNI result, ips[].
 */
export interface SetAddress {
  /**
   * Address in CIDR notation.
   */
  'address'?: (string);
  /**
   * Gateway. Empty: none.
   */
  'gateway'?: (string);
  /**
   * Index into AttachResponse.interfaces, less than their number.
   */
  'interfaceIndex'?: (number);
}

/**
 * An address as set on an interface. CNI result, ips[].
 */
export interface SetAddress__Output {
  /**
   * Address in CIDR notation.
   */
  'address': (string);
  /**
   * Gateway. Empty: none.
   */
  'gateway': (string);
  /**
   * Index into AttachResponse.interfaces, less than their number.
   */
  'interfaceIndex': (number);
}
