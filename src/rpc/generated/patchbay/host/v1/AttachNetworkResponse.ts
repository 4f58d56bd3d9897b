// Original file: proto/patchbay/host/v1/host.proto

import type { Attachment as _patchbay_host_v1_Attachment, Attachment__Output as _patchbay_host_v1_Attachment__Output } from '../../../patchbay/host/v1/Attachment.ts';

/**
 * Filled by the host.
 */
export interface AttachNetworkResponse {
  /**
   * The attachment as recorded.
   */
  'attachment'?: (_patchbay_host_v1_Attachment | null);
}

/**
 * Filled by the host.
 */
export interface AttachNetworkResponse__Output {
  /**
   * The attachment as recorded.
   */
  'attachment': (_patchbay_host_v1_Attachment__Output | null);
}
