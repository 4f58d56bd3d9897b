// Original file: proto/patchbay/shim/v1/shim.proto


/**
 * What the shim prints and how it exits. Filled by the host.
 */
export interface InvokeResponse {
  /**
   * Bytes for standard output: a CNI result, a CNI error object, or empty.
   */
  'resultJson'?: (Buffer | Uint8Array | string);
  /**
   * Exit status of the shim: 0 on success, 1 when result_json is an error object.
   */
  'exitCode'?: (number);
  /**
   * Semantic version of the host, for diagnosis.
   */
  'hostVersion'?: (string);
}

/**
 * What the shim prints and how it exits. Filled by the host.
 */
export interface InvokeResponse__Output {
  /**
   * Bytes for standard output: a CNI result, a CNI error object, or empty.
   */
  'resultJson': (Buffer);
  /**
   * Exit status of the shim: 0 on success, 1 when result_json is an error object.
   */
  'exitCode': (number);
  /**
   * Semantic version of the host, for diagnosis.
   */
  'hostVersion': (string);
}
