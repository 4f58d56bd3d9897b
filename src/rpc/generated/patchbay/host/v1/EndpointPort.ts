// Original file: proto/patchbay/host/v1/host.proto


/**
 * A port of an endpoint.
 */
export interface EndpointPort {
  /**
   * Name. Empty: the only port.
   */
  'name'?: (string);
  /**
   * "TCP", "UDP" or "SCTP". Empty: TCP.
   */
  'protocol'?: (string);
  /**
   * 1 to 65535.
   */
  'port'?: (number);
}

/**
 * A port of an endpoint.
 */
export interface EndpointPort__Output {
  /**
   * Name. Empty: the only port.
   */
  'name': (string);
  /**
   * "TCP", "UDP" or "SCTP". Empty: TCP.
   */
  'protocol': (string);
  /**
   * 1 to 65535.
   */
  'port': (number);
}
