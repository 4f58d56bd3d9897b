// Original file: proto/patchbay/plugin/v1/network.proto


/**
 * Resolver settings, CNI's dns object.
 */
export interface Dns {
  /**
   * Addresses of name servers, in order.
   */
  'nameservers'?: (string)[];
  /**
   * Local domain.
   */
  'domain'?: (string);
  /**
   * Search domains, in order.
   */
  'search'?: (string)[];
  /**
   * Resolver options.
   */
  'options'?: (string)[];
}

/**
 * Resolver settings, CNI's dns object.
 */
export interface Dns__Output {
  /**
   * Addresses of name servers, in order.
   */
  'nameservers': (string)[];
  /**
   * Local domain.
   */
  'domain': (string);
  /**
   * Search domains, in order.
   */
  'search': (string)[];
  /**
   * Resolver options.
   */
  'options': (string)[];
}
