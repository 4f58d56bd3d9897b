// Original file: proto/patchbay/host/v1/host.proto

import type { Long } from '@grpc/proto-loader';

/**
 * Filled by the host.
 */
export interface WaitProgrammedResponse {
  /**
   * The newest revision that the built-in data plane and every third party's that is up have programmed.
   */
  'revision'?: (number | string | Long);
  /**
   * Data planes of third parties that were not waited for, each with the reason: "mirror: it hung up".
   */
  'leftOut'?: (string)[];
}

/**
 * Filled by the host.
 */
export interface WaitProgrammedResponse__Output {
  /**
   * The newest revision that the built-in data plane and every third party's that is up have programmed.
   */
  'revision': (number);
  /**
   * Data planes of third parties that were not waited for, each with the reason: "mirror: it hung up".
   */
  'leftOut': (string)[];
}
