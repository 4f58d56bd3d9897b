// Original file: proto/patchbay/host/v1/host.proto

import type { PodNetworkStatus as _patchbay_host_v1_PodNetworkStatus, PodNetworkStatus__Output as _patchbay_host_v1_PodNetworkStatus__Output } from '../../../patchbay/host/v1/PodNetworkStatus.ts';

/**
 * Filled by the host.
 */
export interface GetNetworkStatusResponse {
  /**
   * Pods by name.
   */
  'pods'?: (_patchbay_host_v1_PodNetworkStatus)[];
}

/**
 * Filled by the host.
 */
export interface GetNetworkStatusResponse__Output {
  /**
   * Pods by name.
   */
  'pods': (_patchbay_host_v1_PodNetworkStatus__Output)[];
}
