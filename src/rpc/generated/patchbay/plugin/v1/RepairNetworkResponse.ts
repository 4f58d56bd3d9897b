// Original file: proto/patchbay/plugin/v1/network.proto

import type { Finding as _patchbay_plugin_v1_Finding, Finding__Output as _patchbay_plugin_v1_Finding__Output } from '../../../patchbay/plugin/v1/Finding.ts';

/**
 * Filled by the plugin.
 */
export interface RepairNetworkResponse {
  /**
   * What was missing; `repaired` says whether it is there again.
   */
  'findings'?: (_patchbay_plugin_v1_Finding)[];
}

/**
 * Filled by the plugin.
 */
export interface RepairNetworkResponse__Output {
  /**
   * What was missing; `repaired` says whether it is there again.
   */
  'findings': (_patchbay_plugin_v1_Finding__Output)[];
}
