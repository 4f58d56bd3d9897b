// Original file: proto/patchbay/host/v1/host.proto

import type { IpamLease as _patchbay_host_v1_IpamLease, IpamLease__Output as _patchbay_host_v1_IpamLease__Output } from '../../../patchbay/host/v1/IpamLease.ts';

/**
 * Filled by the host.
 */
export interface ImportHostLocalResponse {
  /**
   * Leases adopted.
   */
  'adopted'?: (_patchbay_host_v1_IpamLease)[];
  /**
   * Files left alone, with the reason: "10.88.0.9: outside every range".
   */
  'skipped'?: (string)[];
}

/**
 * Filled by the host.
 */
export interface ImportHostLocalResponse__Output {
  /**
   * Leases adopted.
   */
  'adopted': (_patchbay_host_v1_IpamLease__Output)[];
  /**
   * Files left alone, with the reason: "10.88.0.9: outside every range".
   */
  'skipped': (string)[];
}
