// Original file: proto/patchbay/host/v1/host.proto

import type { Long } from '@grpc/proto-loader';

/**
 * Filled by the caller.
 */
export interface WaitProgrammedRequest {
  /**
   * Wait for this revision. 0: the newest one of the moment.
   */
  'revision'?: (number | string | Long);
  /**
   * "namespace/name": wait for the newest revision of this Service, which must exist by then. Empty: of all.
   */
  'service'?: (string);
  /**
   * Longest wait, milliseconds. 0: 10 s. At most 60 s.
   */
  'timeoutMs'?: (number);
}

/**
 * Filled by the caller.
 */
export interface WaitProgrammedRequest__Output {
  /**
   * Wait for this revision. 0: the newest one of the moment.
   */
  'revision': (number);
  /**
   * "namespace/name": wait for the newest revision of this Service, which must exist by then. Empty: of all.
   */
  'service': (string);
  /**
   * Longest wait, milliseconds. 0: 10 s. At most 60 s.
   */
  'timeoutMs': (number);
}
