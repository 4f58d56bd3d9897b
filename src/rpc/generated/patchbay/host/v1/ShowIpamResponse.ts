// Original file: proto/patchbay/host/v1/host.proto

import type { IpamPool as _patchbay_host_v1_IpamPool, IpamPool__Output as _patchbay_host_v1_IpamPool__Output } from '../../../patchbay/host/v1/IpamPool.ts';

/**
 * Filled by the host.
 */
export interface ShowIpamResponse {
  /**
   * A pool for each network and family.
   */
  'pools'?: (_patchbay_host_v1_IpamPool)[];
}

/**
 * Filled by the host.
 */
export interface ShowIpamResponse__Output {
  /**
   * A pool for each network and family.
   */
  'pools': (_patchbay_host_v1_IpamPool__Output)[];
}
