// Original file: proto/patchbay/plugin/v1/ipam.proto

import type { FamilyCount as _patchbay_plugin_v1_FamilyCount, FamilyCount__Output as _patchbay_plugin_v1_FamilyCount__Output } from '../../../patchbay/plugin/v1/FamilyCount.ts';

/**
 * Filled by the plugin.
 */
export interface IpamStatusResponse {
  /**
   * A count for each family configured.
   */
  'families'?: (_patchbay_plugin_v1_FamilyCount)[];
}

/**
 * Filled by the plugin.
 */
export interface IpamStatusResponse__Output {
  /**
   * A count for each family configured.
   */
  'families': (_patchbay_plugin_v1_FamilyCount__Output)[];
}
