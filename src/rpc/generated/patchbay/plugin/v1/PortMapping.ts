// Original file: proto/patchbay/plugin/v1/network.proto


/**
 * A port of the node that leads to the pod. CNI conventions, "portMappings".
 */
export interface PortMapping {
  /**
   * Port of the node.
   */
  'hostPort'?: (number);
  /**
   * Port of the pod.
   */
  'containerPort'?: (number);
  /**
   * "TCP", "UDP" or "SCTP".
   */
  'protocol'?: (string);
  /**
   * Address of the node. Empty: all of both families; "0.0.0.0" and "::": all of one.
   */
  'hostIp'?: (string);
}

/**
 * A port of the node that leads to the pod. CNI conventions, "portMappings".
 */
export interface PortMapping__Output {
  /**
   * Port of the node.
   */
  'hostPort': (number);
  /**
   * Port of the pod.
   */
  'containerPort': (number);
  /**
   * "TCP", "UDP" or "SCTP".
   */
  'protocol': (string);
  /**
   * Address of the node. Empty: all of both families; "0.0.0.0" and "::": all of one.
   */
  'hostIp': (string);
}
