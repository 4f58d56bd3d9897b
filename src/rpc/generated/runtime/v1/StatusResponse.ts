// Original file: proto/cri/runtime/v1/api.proto

import type { RuntimeStatus as _runtime_v1_RuntimeStatus, RuntimeStatus__Output as _runtime_v1_RuntimeStatus__Output } from '../../runtime/v1/RuntimeStatus.ts';

/**
 * The runtime's state.
 */
export interface StatusResponse {
  /**
   * Its conditions.
   */
  'status'?: (_runtime_v1_RuntimeStatus | null);
}

/**
 * The runtime's state.
 */
export interface StatusResponse__Output {
  /**
   * Its conditions.
   */
  'status': (_runtime_v1_RuntimeStatus__Output | null);
}
