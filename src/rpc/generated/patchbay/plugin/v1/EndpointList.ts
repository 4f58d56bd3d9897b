// Original file: proto/patchbay/plugin/v1/services.proto

import type { PlannedEndpoint as _patchbay_plugin_v1_PlannedEndpoint, PlannedEndpoint__Output as _patchbay_plugin_v1_PlannedEndpoint__Output } from '../../../patchbay/plugin/v1/PlannedEndpoint.ts';

/**
 * Endpoints that frontends share.
 */
export interface EndpointList {
  /**
   * Stable id.
   */
  'id'?: (string);
  /**
   * 4 or 6.
   */
  'family'?: (number);
  /**
   * At least one, sorted, no two alike.
   */
  'endpoints'?: (_patchbay_plugin_v1_PlannedEndpoint)[];
  /**
   * True: by a consistent hash of the client's address. False: at random.
   */
  'consistentHash'?: (boolean);
  /**
   * Seconds of ClientIP affinity since the last new connection. 0: none.
   */
  'affinitySeconds'?: (number);
  /**
   * Lists with the same key share a client's memory.
   */
  'affinityKey'?: (string);
}

/**
 * Endpoints that frontends share.
 */
export interface EndpointList__Output {
  /**
   * Stable id.
   */
  'id': (string);
  /**
   * 4 or 6.
   */
  'family': (number);
  /**
   * At least one, sorted, no two alike.
   */
  'endpoints': (_patchbay_plugin_v1_PlannedEndpoint__Output)[];
  /**
   * True: by a consistent hash of the client's address. False: at random.
   */
  'consistentHash': (boolean);
  /**
   * Seconds of ClientIP affinity since the last new connection. 0: none.
   */
  'affinitySeconds': (number);
  /**
   * Lists with the same key share a client's memory.
   */
  'affinityKey': (string);
}
