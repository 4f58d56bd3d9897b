// Original file: proto/patchbay/host/v1/host.proto


/**
 * Which Services. Empty fields match all.
 */
export interface ListServicesRequest {
  /**
   * "namespace/name", or the beginning of one.
   */
  'service'?: (string);
}

/**
 * Which Services. Empty fields match all.
 */
export interface ListServicesRequest__Output {
  /**
   * "namespace/name", or the beginning of one.
   */
  'service': (string);
}
