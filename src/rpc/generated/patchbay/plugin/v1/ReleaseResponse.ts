// Original file: proto/patchbay/plugin/v1/ipam.proto

import type { Lease as _patchbay_plugin_v1_Lease, Lease__Output as _patchbay_plugin_v1_Lease__Output } from '../../../patchbay/plugin/v1/Lease.ts';

/**
 * Filled by the plugin.
 */
export interface ReleaseResponse {
  /**
   * Leases that were really released; the others were not held any more.
   */
  'released'?: (_patchbay_plugin_v1_Lease)[];
}

/**
 * Filled by the plugin.
 */
export interface ReleaseResponse__Output {
  /**
   * Leases that were really released; the others were not held any more.
   */
  'released': (_patchbay_plugin_v1_Lease__Output)[];
}
