// Original file: proto/patchbay/host/v1/host.proto


/**
 * Which events.
 */
export interface WatchEventsRequest {
  /**
   * Send this many of the last events first (the host keeps a bounded number). 0: none.
   */
  'last'?: (number);
  /**
   * Then go on with new ones.
   */
  'follow'?: (boolean);
}

/**
 * Which events.
 */
export interface WatchEventsRequest__Output {
  /**
   * Send this many of the last events first (the host keeps a bounded number). 0: none.
   */
  'last': (number);
  /**
   * Then go on with new ones.
   */
  'follow': (boolean);
}
