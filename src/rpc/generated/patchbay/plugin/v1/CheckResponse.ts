// Original file: proto/patchbay/plugin/v1/network.proto

import type { Finding as _patchbay_plugin_v1_Finding, Finding__Output as _patchbay_plugin_v1_Finding__Output } from '../../../patchbay/plugin/v1/Finding.ts';

/**
 * Filled by the plugin. No findings: as recorded.
 */
export interface CheckResponse {
  /**
   * Every difference found.
   */
  'findings'?: (_patchbay_plugin_v1_Finding)[];
}

/**
 * Filled by the plugin. No findings: as recorded.
 */
export interface CheckResponse__Output {
  /**
   * Every difference found.
   */
  'findings': (_patchbay_plugin_v1_Finding__Output)[];
}
