// Original file: proto/patchbay/host/v1/host.proto


/**
 * Filled by the caller.
 */
export interface ExplainRequest {
  /**
   * Source: an IP address, "namespace/pod" of an attached pod, or "node" for a process of this node.
   */
  'from'?: (string);
  /**
   * Destination address.
   */
  'address'?: (string);
  /**
   * Destination port.
   */
  'port'?: (number);
  /**
   * "TCP", "UDP" or "SCTP". Empty: TCP.
   */
  'protocol'?: (string);
}

/**
 * Filled by the caller.
 */
export interface ExplainRequest__Output {
  /**
   * Source: an IP address, "namespace/pod" of an attached pod, or "node" for a process of this node.
   */
  'from': (string);
  /**
   * Destination address.
   */
  'address': (string);
  /**
   * Destination port.
   */
  'port': (number);
  /**
   * "TCP", "UDP" or "SCTP". Empty: TCP.
   */
  'protocol': (string);
}
