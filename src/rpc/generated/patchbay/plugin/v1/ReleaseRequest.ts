// Original file: proto/patchbay/plugin/v1/ipam.proto

import type { Lease as _patchbay_plugin_v1_Lease, Lease__Output as _patchbay_plugin_v1_Lease__Output } from '../../../patchbay/plugin/v1/Lease.ts';

/**
 * Filled by the host.
 */
export interface ReleaseRequest {
  /**
   * Leases to release, as Allocate answered them.
   */
  'leases'?: (_patchbay_plugin_v1_Lease)[];
}

/**
 * Filled by the host.
 */
export interface ReleaseRequest__Output {
  /**
   * Leases to release, as Allocate answered them.
   */
  'leases': (_patchbay_plugin_v1_Lease__Output)[];
}
