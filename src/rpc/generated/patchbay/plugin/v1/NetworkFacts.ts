// Original file: proto/patchbay/plugin/v1/services.proto


/**
 * Whole lists of prefixes in CIDR notation.
 */
export interface NetworkFacts {
  /**
   * Sources in these are pods.
   */
  'podPrefixes'?: (string)[];
  /**
   * A packet to an address in these that is no cluster IP is dropped.
   */
  'servicePrefixes'?: (string)[];
}

/**
 * Whole lists of prefixes in CIDR notation.
 */
export interface NetworkFacts__Output {
  /**
   * Sources in these are pods.
   */
  'podPrefixes': (string)[];
  /**
   * A packet to an address in these that is no cluster IP is dropped.
   */
  'servicePrefixes': (string)[];
}
