// Original file: proto/patchbay/host/v1/host.proto

import type { Attachment as _patchbay_host_v1_Attachment, Attachment__Output as _patchbay_host_v1_Attachment__Output } from '../../../patchbay/host/v1/Attachment.ts';

/**
 * Filled by the host.
 */
export interface DetachNetworkResponse {
  /**
   * What was detached. Empty: nothing was attached.
   */
  'attachments'?: (_patchbay_host_v1_Attachment)[];
}

/**
 * Filled by the host.
 */
export interface DetachNetworkResponse__Output {
  /**
   * What was detached. Empty: nothing was attached.
   */
  'attachments': (_patchbay_host_v1_Attachment__Output)[];
}
