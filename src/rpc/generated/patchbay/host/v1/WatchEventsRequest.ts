// Original file: proto/patchbay/host/v1/host.proto


/**
 * Which events.
 */
export interface WatchEventsRequest {
  /**
   * Send this many of the last events first (the host keeps a bounded number). 0: only new ones.
   */
  'last'?: (number);
}

/**
 * Which events.
 */
export interface WatchEventsRequest__Output {
  /**
   * Send this many of the last events first (the host keeps a bounded number). 0: only new ones.
   */
  'last': (number);
}
