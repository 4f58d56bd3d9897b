// Original file: proto/patchbay/host/v1/host.proto

import type { Attachment as _patchbay_host_v1_Attachment, Attachment__Output as _patchbay_host_v1_Attachment__Output } from '../../../patchbay/host/v1/Attachment.ts';

/**
 * Filled by the host.
 */
export interface ListAttachmentsResponse {
  /**
   * Attachments, ordered by time of record.
   */
  'attachments'?: (_patchbay_host_v1_Attachment)[];
}

/**
 * Filled by the host.
 */
export interface ListAttachmentsResponse__Output {
  /**
   * Attachments, ordered by time of record.
   */
  'attachments': (_patchbay_host_v1_Attachment__Output)[];
}
