// Original file: proto/patchbay/plugin/v1/ipam.proto


/**
 * Counts for one family of a network. Decimal strings, because a /64 does not fit a number.
 */
export interface FamilyCount {
  /**
   * 4 or 6.
   */
  'family'?: (number);
  /**
   * Addresses that may be given out, all in all.
   */
  'capacity'?: (string);
  /**
   * Addresses held.
   */
  'used'?: (string);
  /**
   * Addresses released and still cooling.
   */
  'cooling'?: (string);
  /**
   * Addresses free now.
   */
  'free'?: (string);
}

/**
 * Counts for one family of a network. Decimal strings, because a /64 does not fit a number.
 */
export interface FamilyCount__Output {
  /**
   * 4 or 6.
   */
  'family': (number);
  /**
   * Addresses that may be given out, all in all.
   */
  'capacity': (string);
  /**
   * Addresses held.
   */
  'used': (string);
  /**
   * Addresses released and still cooling.
   */
  'cooling': (string);
  /**
   * Addresses free now.
   */
  'free': (string);
}
