// Original file: proto/patchbay/host/v1/host.proto

import type { EndpointView as _patchbay_host_v1_EndpointView, EndpointView__Output as _patchbay_host_v1_EndpointView__Output } from '../../../patchbay/host/v1/EndpointView.ts';

/**
 * Where packets go.
 */
export interface RouteView {
  /**
   * "forward", "reject" or "drop".
   */
  'verdict'?: (string);
  /**
   * Endpoints, with "forward".
   */
  'endpoints'?: (_patchbay_host_v1_EndpointView)[];
}

/**
 * Where packets go.
 */
export interface RouteView__Output {
  /**
   * "forward", "reject" or "drop".
   */
  'verdict': (string);
  /**
   * Endpoints, with "forward".
   */
  'endpoints': (_patchbay_host_v1_EndpointView__Output)[];
}
