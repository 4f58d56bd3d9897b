// Original file: proto/patchbay/host/v1/host.proto

import type { Long } from '@grpc/proto-loader';

/**
 * Filled by the host.
 */
export interface WaitProgrammedResponse {
  /**
   * The newest revision that every data plane has programmed.
   */
  'revision'?: (number | string | Long);
}

/**
 * Filled by the host.
 */
export interface WaitProgrammedResponse__Output {
  /**
   * The newest revision that every data plane has programmed.
   */
  'revision': (number);
}
