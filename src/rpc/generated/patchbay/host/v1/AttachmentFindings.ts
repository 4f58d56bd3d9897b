// Original file: proto/patchbay/host/v1/host.proto

import type { Attachment as _patchbay_host_v1_Attachment, Attachment__Output as _patchbay_host_v1_Attachment__Output } from '../../../patchbay/host/v1/Attachment.ts';

/**
 * What was found at one attachment.
 */
export interface AttachmentFindings {
  /**
   * The attachment.
   */
  'attachment'?: (_patchbay_host_v1_Attachment | null);
  /**
   * One sentence for each difference. Empty: as recorded.
   */
  'findings'?: (string)[];
  /**
   * Those of them that were mended, in the same words.
   */
  'repaired'?: (string)[];
}

/**
 * What was found at one attachment.
 */
export interface AttachmentFindings__Output {
  /**
   * The attachment.
   */
  'attachment': (_patchbay_host_v1_Attachment__Output | null);
  /**
   * One sentence for each difference. Empty: as recorded.
   */
  'findings': (string)[];
  /**
   * Those of them that were mended, in the same words.
   */
  'repaired': (string)[];
}
