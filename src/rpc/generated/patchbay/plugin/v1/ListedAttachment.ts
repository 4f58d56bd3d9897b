// Original file: proto/patchbay/plugin/v1/network.proto


/**
 * An attachment that the plugin holds.
 */
export interface ListedAttachment {
  /**
   * Key given to Attach.
   */
  'attachmentId'?: (string);
  /**
   * What the plugin holds of it, for people: for example the name of the host's link.
   */
  'object'?: (string);
}

/**
 * An attachment that the plugin holds.
 */
export interface ListedAttachment__Output {
  /**
   * Key given to Attach.
   */
  'attachmentId': (string);
  /**
   * What the plugin holds of it, for people: for example the name of the host's link.
   */
  'object': (string);
}
