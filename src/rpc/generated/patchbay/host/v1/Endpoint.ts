// Original file: proto/patchbay/host/v1/host.proto

import type { EndpointPort as _patchbay_host_v1_EndpointPort, EndpointPort__Output as _patchbay_host_v1_EndpointPort__Output } from '../../../patchbay/host/v1/EndpointPort.ts';
import type { EndpointState as _patchbay_host_v1_EndpointState, EndpointState__Output as _patchbay_host_v1_EndpointState__Output } from '../../../patchbay/host/v1/EndpointState.ts';

/**
 * Where connections may end.
 */
export interface Endpoint {
  /**
   * IP address.
   */
  'address'?: (string);
  /**
   * Ports by name.
   */
  'ports'?: (_patchbay_host_v1_EndpointPort)[];
  /**
   * Name of its node. Empty: unknown, never local.
   */
  'node'?: (string);
  /**
   * Zone. Empty: unknown.
   */
  'zone'?: (string);
  /**
   * Conditions. A plain endpoint is ready.
   */
  'state'?: (_patchbay_host_v1_EndpointState);
  /**
   * Share of connections, 1 to 256. 0: one.
   */
  'weight'?: (number);
  /**
   * Name of the pod, for people. May be empty.
   */
  'pod'?: (string);
}

/**
 * Where connections may end.
 */
export interface Endpoint__Output {
  /**
   * IP address.
   */
  'address': (string);
  /**
   * Ports by name.
   */
  'ports': (_patchbay_host_v1_EndpointPort__Output)[];
  /**
   * Name of its node. Empty: unknown, never local.
   */
  'node': (string);
  /**
   * Zone. Empty: unknown.
   */
  'zone': (string);
  /**
   * Conditions. A plain endpoint is ready.
   */
  'state': (_patchbay_host_v1_EndpointState__Output);
  /**
   * Share of connections, 1 to 256. 0: one.
   */
  'weight': (number);
  /**
   * Name of the pod, for people. May be empty.
   */
  'pod': (string);
}
