// Original file: proto/patchbay/plugin/v1/network.proto


/**
 * Filled by the plugin.
 */
export interface StatusResponse {
  /**
   * True: Attach may be called.
   */
  'ready'?: (boolean);
  /**
   * Why not, for people. Empty when ready.
   */
  'reason'?: (string);
}

/**
 * Filled by the plugin.
 */
export interface StatusResponse__Output {
  /**
   * True: Attach may be called.
   */
  'ready': (boolean);
  /**
   * Why not, for people. Empty when ready.
   */
  'reason': (string);
}
