// Original file: proto/patchbay/host/v1/host.proto


/**
 * A way in.
 */
export interface Frontend {
  /**
   * Unique within the source.
   */
  'id'?: (string);
  /**
   * "clusterIP", "nodePort", "externalIP" or "loadBalancer".
   */
  'kind'?: (string);
  /**
   * IP address. Empty with nodePort: the node's own. Its family is the frontend's.
   */
  'address'?: (string);
  /**
   * 4 or 6; needed with nodePort only.
   */
  'family'?: (number);
  /**
   * "TCP", "UDP" or "SCTP". Empty: TCP.
   */
  'protocol'?: (string);
  /**
   * 1 to 65535.
   */
  'port'?: (number);
  /**
   * Id of the group that it leads to.
   */
  'group'?: (string);
  /**
   * Which of the endpoints' ports. Empty: the unnamed one.
   */
  'portName'?: (string);
  /**
   * True: pods' traffic to endpoints of this node only.
   */
  'internalLocal'?: (boolean);
  /**
   * True: outside traffic to endpoints of this node only, its source address kept.
   */
  'externalLocal'?: (boolean);
  /**
   * ClientIP affinity, 1 to 86400 seconds. 0: none.
   */
  'affinitySeconds'?: (number);
  /**
   * Prefixes in CIDR notation that may use a loadBalancer address. Empty: anyone.
   */
  'sourceRanges'?: (string)[];
  /**
   * "random" or "consistent-hash". Empty: random.
   */
  'pick'?: (string);
  /**
   * Ordered node-label keys, "*" last for any.
   */
  'topologyKeys'?: (string)[];
  /**
   * Count new connections.
   */
  'countConnections'?: (boolean);
}

/**
 * A way in.
 */
export interface Frontend__Output {
  /**
   * Unique within the source.
   */
  'id': (string);
  /**
   * "clusterIP", "nodePort", "externalIP" or "loadBalancer".
   */
  'kind': (string);
  /**
   * IP address. Empty with nodePort: the node's own. Its family is the frontend's.
   */
  'address': (string);
  /**
   * 4 or 6; needed with nodePort only.
   */
  'family': (number);
  /**
   * "TCP", "UDP" or "SCTP". Empty: TCP.
   */
  'protocol': (string);
  /**
   * 1 to 65535.
   */
  'port': (number);
  /**
   * Id of the group that it leads to.
   */
  'group': (string);
  /**
   * Which of the endpoints' ports. Empty: the unnamed one.
   */
  'portName': (string);
  /**
   * True: pods' traffic to endpoints of this node only.
   */
  'internalLocal': (boolean);
  /**
   * True: outside traffic to endpoints of this node only, its source address kept.
   */
  'externalLocal': (boolean);
  /**
   * ClientIP affinity, 1 to 86400 seconds. 0: none.
   */
  'affinitySeconds': (number);
  /**
   * Prefixes in CIDR notation that may use a loadBalancer address. Empty: anyone.
   */
  'sourceRanges': (string)[];
  /**
   * "random" or "consistent-hash". Empty: random.
   */
  'pick': (string);
  /**
   * Ordered node-label keys, "*" last for any.
   */
  'topologyKeys': (string)[];
  /**
   * Count new connections.
   */
  'countConnections': (boolean);
}
