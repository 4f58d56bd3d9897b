// Original file: proto/patchbay/plugin/v1/network.proto


/**
 * An address that IPAM allocated for this attachment.
 */
export interface AllocatedAddress {
  /**
   * Address in CIDR notation with the prefix length of its subnet, for example "10.88.0.5/16" or "fd00:88::5/64".
   */
  'address'?: (string);
  /**
   * Gateway of that subnet without prefix length. Empty: the subnet has none.
   */
  'gateway'?: (string);
}

/**
 * An address that IPAM allocated for this attachment.
 */
export interface AllocatedAddress__Output {
  /**
   * Address in CIDR notation with the prefix length of its subnet, for example "10.88.0.5/16" or "fd00:88::5/64".
   */
  'address': (string);
  /**
   * Gateway of that subnet without prefix length. Empty: the subnet has none.
   */
  'gateway': (string);
}
