// Original file: proto/patchbay/plugin/v1/network.proto


/**
 * A route inside the pod.
 */
export interface Route {
  /**
   * Destination in CIDR notation.
   */
  'destination'?: (string);
  /**
   * Next hop. Empty: the gateway of the family's address, or on-link where there is none.
   */
  'gateway'?: (string);
  /**
   * Path MTU in bytes. 0: the link's.
   */
  'mtu'?: (number);
  /**
   * Advertised MSS in bytes. 0: the kernel's choice.
   */
  'advmss'?: (number);
  /**
   * Metric (lower wins). 0: the kernel's default.
   */
  'priority'?: (number);
  /**
   * Routing table. 0: main.
   */
  'table'?: (number);
  /**
   * Scope, rtnetlink(7): 0 universe, 253 link, 254 host.
   */
  'scope'?: (number);
}

/**
 * A route inside the pod.
 */
export interface Route__Output {
  /**
   * Destination in CIDR notation.
   */
  'destination': (string);
  /**
   * Next hop. Empty: the gateway of the family's address, or on-link where there is none.
   */
  'gateway': (string);
  /**
   * Path MTU in bytes. 0: the link's.
   */
  'mtu': (number);
  /**
   * Advertised MSS in bytes. 0: the kernel's choice.
   */
  'advmss': (number);
  /**
   * Metric (lower wins). 0: the kernel's default.
   */
  'priority': (number);
  /**
   * Routing table. 0: main.
   */
  'table': (number);
  /**
   * Scope, rtnetlink(7): 0 universe, 253 link, 254 host.
   */
  'scope': (number);
}
