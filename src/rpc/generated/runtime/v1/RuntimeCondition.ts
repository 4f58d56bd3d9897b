// Original file: proto/cri/runtime/v1/api.proto


/**
 * One thing that must be so before pods can run.
 */
export interface RuntimeCondition {
  /**
   * "RuntimeReady" or "NetworkReady".
   */
  'type'?: (string);
  /**
   * True: it is so.
   */
  'status'?: (boolean);
  /**
   * Why not, as a sentence.
   */
  'message'?: (string);
}

/**
 * One thing that must be so before pods can run.
 */
export interface RuntimeCondition__Output {
  /**
   * "RuntimeReady" or "NetworkReady".
   */
  'type': (string);
  /**
   * True: it is so.
   */
  'status': (boolean);
  /**
   * Why not, as a sentence.
   */
  'message': (string);
}
