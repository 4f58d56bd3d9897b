// Original file: proto/patchbay/plugin/v1/network.proto

import type { AttachRequest as _patchbay_plugin_v1_AttachRequest, AttachRequest__Output as _patchbay_plugin_v1_AttachRequest__Output } from '../../../patchbay/plugin/v1/AttachRequest.ts';
import type { AttachResponse as _patchbay_plugin_v1_AttachResponse, AttachResponse__Output as _patchbay_plugin_v1_AttachResponse__Output } from '../../../patchbay/plugin/v1/AttachResponse.ts';

/**
 * Filled by the host.
 */
export interface CheckRequest {
  /**
   * The attachment as it was asked for.
   */
  'attachment'?: (_patchbay_plugin_v1_AttachRequest | null);
  /**
   * What Attach answered.
   */
  'attached'?: (_patchbay_plugin_v1_AttachResponse | null);
  /**
   * True: mend what differs (only with CAPABILITY_REPAIR).
   */
  'repair'?: (boolean);
}

/**
 * Filled by the host.
 */
export interface CheckRequest__Output {
  /**
   * The attachment as it was asked for.
   */
  'attachment': (_patchbay_plugin_v1_AttachRequest__Output | null);
  /**
   * What Attach answered.
   */
  'attached': (_patchbay_plugin_v1_AttachResponse__Output | null);
  /**
   * True: mend what differs (only with CAPABILITY_REPAIR).
   */
  'repair': (boolean);
}
