// Original file: proto/patchbay/plugin/v1/services.proto

import type { RefusedFrontend as _patchbay_plugin_v1_RefusedFrontend, RefusedFrontend__Output as _patchbay_plugin_v1_RefusedFrontend__Output } from '../../../patchbay/plugin/v1/RefusedFrontend.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * Plugin -> host. Its first message is a greeting, sent at once: revision 0, nothing refused.
 */
export interface ProgramAck {
  /**
   * The revision that is programmed: everything up to it is in force. 0: greeting.
   */
  'revision'?: (number | string | Long);
  /**
   * Frontends of this revision that could not be programmed. The rest is.
   */
  'refused'?: (_patchbay_plugin_v1_RefusedFrontend)[];
  /**
   * The plugin lost its state and wants a snapshot.
   */
  'resync'?: (boolean);
}

/**
 * Plugin -> host. Its first message is a greeting, sent at once: revision 0, nothing refused.
 */
export interface ProgramAck__Output {
  /**
   * The revision that is programmed: everything up to it is in force. 0: greeting.
   */
  'revision': (number);
  /**
   * Frontends of this revision that could not be programmed. The rest is.
   */
  'refused': (_patchbay_plugin_v1_RefusedFrontend__Output)[];
  /**
   * The plugin lost its state and wants a snapshot.
   */
  'resync': (boolean);
}
