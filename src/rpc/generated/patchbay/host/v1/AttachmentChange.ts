// Original file: proto/patchbay/host/v1/host.proto

import type { Attachment as _patchbay_host_v1_Attachment, Attachment__Output as _patchbay_host_v1_Attachment__Output } from '../../../patchbay/host/v1/Attachment.ts';

/**
 * A change seen by WatchAttachments.
 */
export interface AttachmentChange {
  /**
   * "present" for what stood there at the beginning, then "attached", "detaching", "removed".
   */
  'change'?: (string);
  /**
   * The attachment as it is now, or was.
   */
  'attachment'?: (_patchbay_host_v1_Attachment | null);
}

/**
 * A change seen by WatchAttachments.
 */
export interface AttachmentChange__Output {
  /**
   * "present" for what stood there at the beginning, then "attached", "detaching", "removed".
   */
  'change': (string);
  /**
   * The attachment as it is now, or was.
   */
  'attachment': (_patchbay_host_v1_Attachment__Output | null);
}
