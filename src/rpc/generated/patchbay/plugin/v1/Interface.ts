// Original file: proto/patchbay/plugin/v1/network.proto


/**
 * An interface that the plugin made or took. CNI result, interfaces[].
 */
export interface Interface {
  /**
   * Name of the interface.
   */
  'name'?: (string);
  /**
   * MAC address. Empty: none.
   */
  'mac'?: (string);
  /**
   * MTU in bytes. 0: unknown.
   */
  'mtu'?: (number);
  /**
   * Path of the network namespace it lies in. Empty: the node's own.
   */
  'sandbox'?: (string);
  /**
   * PCI address of the device. Empty: none.
   */
  'pciId'?: (string);
  /**
   * Path of a socket (vhost-user). Empty: none.
   */
  'socketPath'?: (string);
}

/**
 * An interface that the plugin made or took. CNI result, interfaces[].
 */
export interface Interface__Output {
  /**
   * Name of the interface.
   */
  'name': (string);
  /**
   * MAC address. Empty: none.
   */
  'mac': (string);
  /**
   * MTU in bytes. 0: unknown.
   */
  'mtu': (number);
  /**
   * Path of the network namespace it lies in. Empty: the node's own.
   */
  'sandbox': (string);
  /**
   * PCI address of the device. Empty: none.
   */
  'pciId': (string);
  /**
   * Path of a socket (vhost-user). Empty: none.
   */
  'socketPath': (string);
}
