// Original file: proto/cri/runtime/v1/api.proto

import type { RuntimeCondition as _runtime_v1_RuntimeCondition, RuntimeCondition__Output as _runtime_v1_RuntimeCondition__Output } from '../../runtime/v1/RuntimeCondition.ts';

/**
 * All conditions.
 */
export interface RuntimeStatus {
  /**
   * One for each type.
   */
  'conditions'?: (_runtime_v1_RuntimeCondition)[];
}

/**
 * All conditions.
 */
export interface RuntimeStatus__Output {
  /**
   * One for each type.
   */
  'conditions': (_runtime_v1_RuntimeCondition__Output)[];
}
