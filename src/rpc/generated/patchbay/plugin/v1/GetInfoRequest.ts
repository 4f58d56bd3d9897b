// Original file: proto/patchbay/plugin/v1/plugin.proto


/**
 * What the host tells of itself.
 */
export interface GetInfoRequest {
  /**
   * Semantic version of the host.
   */
  'hostVersion'?: (string);
  /**
   * Contract packages that the host speaks, newest first, for example "patchbay.plugin.v1".
   */
  'contractVersions'?: (string)[];
}

/**
 * What the host tells of itself.
 */
export interface GetInfoRequest__Output {
  /**
   * Semantic version of the host.
   */
  'hostVersion': (string);
  /**
   * Contract packages that the host speaks, newest first, for example "patchbay.plugin.v1".
   */
  'contractVersions': (string)[];
}
