// Original file: proto/patchbay/plugin/v1/ipam.proto

import type { Lease as _patchbay_plugin_v1_Lease, Lease__Output as _patchbay_plugin_v1_Lease__Output } from '../../../patchbay/plugin/v1/Lease.ts';

/**
 * Filled by the plugin.
 */
export interface AllocateResponse {
  /**
   * Every lease made or already held by the attachments of the request.
   */
  'leases'?: (_patchbay_plugin_v1_Lease)[];
}

/**
 * Filled by the plugin.
 */
export interface AllocateResponse__Output {
  /**
   * Every lease made or already held by the attachments of the request.
   */
  'leases': (_patchbay_plugin_v1_Lease__Output)[];
}
