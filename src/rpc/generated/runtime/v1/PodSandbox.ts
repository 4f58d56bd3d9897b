// Original file: proto/cri/runtime/v1/api.proto


/**
 * A sandbox, in short.
 */
export interface PodSandbox {
  /**
   * Its id, which is CNI's container id.
   */
  'id'?: (string);
}

/**
 * A sandbox, in short.
 */
export interface PodSandbox__Output {
  /**
   * Its id, which is CNI's container id.
   */
  'id': (string);
}
