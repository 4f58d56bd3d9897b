// Original file: proto/patchbay/plugin/v1/services.proto

import type { FrontendKey as _patchbay_plugin_v1_FrontendKey, FrontendKey__Output as _patchbay_plugin_v1_FrontendKey__Output } from '../../../patchbay/plugin/v1/FrontendKey.ts';

/**
 * A frontend that a plugin could not program.
 */
export interface RefusedFrontend {
  /**
   * The frontend's address, protocol and port.
   */
  'key'?: (_patchbay_plugin_v1_FrontendKey | null);
  /**
   * Why, a sentence for people.
   */
  'reason'?: (string);
}

/**
 * A frontend that a plugin could not program.
 */
export interface RefusedFrontend__Output {
  /**
   * The frontend's address, protocol and port.
   */
  'key': (_patchbay_plugin_v1_FrontendKey__Output | null);
  /**
   * Why, a sentence for people.
   */
  'reason': (string);
}
