// Original file: proto/patchbay/host/v1/host.proto

import type { Endpoint as _patchbay_host_v1_Endpoint, Endpoint__Output as _patchbay_host_v1_Endpoint__Output } from '../../../patchbay/host/v1/Endpoint.ts';

/**
 * Endpoints of one family that do the same.
 */
export interface EndpointGroup {
  /**
   * Unique within the source.
   */
  'id'?: (string);
  /**
   * Endpoints. Addresses of one family only.
   */
  'endpoints'?: (_patchbay_host_v1_Endpoint)[];
}

/**
 * Endpoints of one family that do the same.
 */
export interface EndpointGroup__Output {
  /**
   * Unique within the source.
   */
  'id': (string);
  /**
   * Endpoints. Addresses of one family only.
   */
  'endpoints': (_patchbay_host_v1_Endpoint__Output)[];
}
