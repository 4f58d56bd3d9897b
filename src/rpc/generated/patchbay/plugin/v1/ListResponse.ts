// Original file: proto/patchbay/plugin/v1/network.proto

import type { ListedAttachment as _patchbay_plugin_v1_ListedAttachment, ListedAttachment__Output as _patchbay_plugin_v1_ListedAttachment__Output } from '../../../patchbay/plugin/v1/ListedAttachment.ts';

/**
 * Filled by the plugin.
 */
export interface ListResponse {
  /**
   * Every attachment held, in no order.
   */
  'attachments'?: (_patchbay_plugin_v1_ListedAttachment)[];
}

/**
 * Filled by the plugin.
 */
export interface ListResponse__Output {
  /**
   * Every attachment held, in no order.
   */
  'attachments': (_patchbay_plugin_v1_ListedAttachment__Output)[];
}
