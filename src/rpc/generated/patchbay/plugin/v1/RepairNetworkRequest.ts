// Original file: proto/patchbay/plugin/v1/network.proto

import type { AttachRequest as _patchbay_plugin_v1_AttachRequest, AttachRequest__Output as _patchbay_plugin_v1_AttachRequest__Output } from '../../../patchbay/plugin/v1/AttachRequest.ts';

/**
 * Filled by the host.
 */
export interface RepairNetworkRequest {
  /**
   * Name of the network.
   */
  'network'?: (string);
  /**
   * Its configuration in force. Empty: unknown.
   */
  'configJson'?: (string);
  /**
   * Attachments of the network that stand, the newest first: all that a plugin need know of it after a restart.
   */
  'attachments'?: (_patchbay_plugin_v1_AttachRequest)[];
}

/**
 * Filled by the host.
 */
export interface RepairNetworkRequest__Output {
  /**
   * Name of the network.
   */
  'network': (string);
  /**
   * Its configuration in force. Empty: unknown.
   */
  'configJson': (string);
  /**
   * Attachments of the network that stand, the newest first: all that a plugin need know of it after a restart.
   */
  'attachments': (_patchbay_plugin_v1_AttachRequest__Output)[];
}
