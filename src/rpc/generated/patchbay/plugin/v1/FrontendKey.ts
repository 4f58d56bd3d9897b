// Original file: proto/patchbay/plugin/v1/services.proto

import type { Protocol as _patchbay_plugin_v1_Protocol, Protocol__Output as _patchbay_plugin_v1_Protocol__Output } from '../../../patchbay/plugin/v1/Protocol.ts';

/**
 * What a packet is matched by.
 */
export interface FrontendKey {
  /**
   * IP address.
   */
  'address'?: (string);
  /**
   * Transport protocol.
   */
  'protocol'?: (_patchbay_plugin_v1_Protocol);
  /**
   * 1 to 65535.
   */
  'port'?: (number);
}

/**
 * What a packet is matched by.
 */
export interface FrontendKey__Output {
  /**
   * IP address.
   */
  'address': (string);
  /**
   * Transport protocol.
   */
  'protocol': (_patchbay_plugin_v1_Protocol__Output);
  /**
   * 1 to 65535.
   */
  'port': (number);
}
