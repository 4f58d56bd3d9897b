// Original file: proto/patchbay/host/v1/host.proto


/**
 * Which definitions. Empty fields match all.
 */
export interface ListNetworkDefinitionsRequest {
  /**
   * Only of this namespace.
   */
  'namespace'?: (string);
}

/**
 * Which definitions. Empty fields match all.
 */
export interface ListNetworkDefinitionsRequest__Output {
  /**
   * Only of this namespace.
   */
  'namespace': (string);
}
