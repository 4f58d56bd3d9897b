// Original file: proto/patchbay/plugin/v1/services.proto

import type { Verdict as _patchbay_plugin_v1_Verdict, Verdict__Output as _patchbay_plugin_v1_Verdict__Output } from '../../../patchbay/plugin/v1/Verdict.ts';

/**
 * Where packets go.
 */
export interface ServiceRoute {
  /**
   * Verdict.
   */
  'verdict'?: (_patchbay_plugin_v1_Verdict);
  /**
   * Id of a list, with VERDICT_FORWARD.
   */
  'list'?: (string);
}

/**
 * Where packets go.
 */
export interface ServiceRoute__Output {
  /**
   * Verdict.
   */
  'verdict': (_patchbay_plugin_v1_Verdict__Output);
  /**
   * Id of a list, with VERDICT_FORWARD.
   */
  'list': (string);
}
