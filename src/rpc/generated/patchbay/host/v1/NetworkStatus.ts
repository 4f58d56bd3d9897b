// Original file: proto/patchbay/host/v1/host.proto


/**
 * State of one network that the host has seen.
 */
export interface NetworkStatus {
  /**
   * Name of the network.
   */
  'name'?: (string);
  /**
   * Name of its plugin.
   */
  'plugin'?: (string);
  /**
   * True: Attach may be called.
   */
  'ready'?: (boolean);
  /**
   * Why not. Empty when ready.
   */
  'reason'?: (string);
  /**
   * Number of attachments.
   */
  'attachments'?: (number);
}

/**
 * State of one network that the host has seen.
 */
export interface NetworkStatus__Output {
  /**
   * Name of the network.
   */
  'name': (string);
  /**
   * Name of its plugin.
   */
  'plugin': (string);
  /**
   * True: Attach may be called.
   */
  'ready': (boolean);
  /**
   * Why not. Empty when ready.
   */
  'reason': (string);
  /**
   * Number of attachments.
   */
  'attachments': (number);
}
