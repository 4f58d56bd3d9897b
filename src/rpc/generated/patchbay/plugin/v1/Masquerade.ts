// Original file: proto/patchbay/plugin/v1/network.proto


/**
 * A masquerade wish: traffic from these subnets to anywhere else leaves with the node's address.
 */
export interface Masquerade {
  /**
   * Subnets of the network in CIDR notation.
   */
  'subnets'?: (string)[];
}

/**
 * A masquerade wish: traffic from these subnets to anywhere else leaves with the node's address.
 */
export interface Masquerade__Output {
  /**
   * Subnets of the network in CIDR notation.
   */
  'subnets': (string)[];
}
