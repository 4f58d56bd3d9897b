// Original file: proto/patchbay/host/v1/host.proto

import type { Long } from '@grpc/proto-loader';

/**
 * The answer to each ApplyServicesRequest, in order.
 */
export interface ApplyServicesResponse {
  /**
   * The revision that holds the change; WaitProgrammed waits for it. 0: refused, nothing changed.
   */
  'revision'?: (number | string | Long);
  /**
   * What was wrong: field and reason. Empty: accepted.
   */
  'error'?: (string);
}

/**
 * The answer to each ApplyServicesRequest, in order.
 */
export interface ApplyServicesResponse__Output {
  /**
   * The revision that holds the change; WaitProgrammed waits for it. 0: refused, nothing changed.
   */
  'revision': (number);
  /**
   * What was wrong: field and reason. Empty: accepted.
   */
  'error': (string);
}
