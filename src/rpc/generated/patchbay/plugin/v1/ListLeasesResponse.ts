// Original file: proto/patchbay/plugin/v1/ipam.proto

import type { Lease as _patchbay_plugin_v1_Lease, Lease__Output as _patchbay_plugin_v1_Lease__Output } from '../../../patchbay/plugin/v1/Lease.ts';

/**
 * Filled by the plugin.
 */
export interface ListLeasesResponse {
  /**
   * Every lease.
   */
  'leases'?: (_patchbay_plugin_v1_Lease)[];
}

/**
 * Filled by the plugin.
 */
export interface ListLeasesResponse__Output {
  /**
   * Every lease.
   */
  'leases': (_patchbay_plugin_v1_Lease__Output)[];
}
