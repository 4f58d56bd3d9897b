// Original file: proto/patchbay/host/v1/host.proto

import type { DoctorFinding as _patchbay_host_v1_DoctorFinding, DoctorFinding__Output as _patchbay_host_v1_DoctorFinding__Output } from '../../../patchbay/host/v1/DoctorFinding.ts';

/**
 * Filled by the host.
 */
export interface DoctorResponse {
  /**
   * Everything looked at.
   */
  'findings'?: (_patchbay_host_v1_DoctorFinding)[];
}

/**
 * Filled by the host.
 */
export interface DoctorResponse__Output {
  /**
   * Everything looked at.
   */
  'findings': (_patchbay_host_v1_DoctorFinding__Output)[];
}
