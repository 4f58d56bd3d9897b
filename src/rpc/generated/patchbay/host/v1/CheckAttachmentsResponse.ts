// Original file: proto/patchbay/host/v1/host.proto

import type { AttachmentFindings as _patchbay_host_v1_AttachmentFindings, AttachmentFindings__Output as _patchbay_host_v1_AttachmentFindings__Output } from '../../../patchbay/host/v1/AttachmentFindings.ts';

/**
 * Filled by the host.
 */
export interface CheckAttachmentsResponse {
  /**
   * One entry for each attachment checked.
   */
  'attachments'?: (_patchbay_host_v1_AttachmentFindings)[];
}

/**
 * Filled by the host.
 */
export interface CheckAttachmentsResponse__Output {
  /**
   * One entry for each attachment checked.
   */
  'attachments': (_patchbay_host_v1_AttachmentFindings__Output)[];
}
