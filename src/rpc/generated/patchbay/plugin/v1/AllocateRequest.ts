// Original file: proto/patchbay/plugin/v1/ipam.proto

import type { AddressRequest as _patchbay_plugin_v1_AddressRequest, AddressRequest__Output as _patchbay_plugin_v1_AddressRequest__Output } from '../../../patchbay/plugin/v1/AddressRequest.ts';

/**
 * Filled by the host.
 */
export interface AllocateRequest {
  /**
   * One entry for each attachment of the pod.
   */
  'requests'?: (_patchbay_plugin_v1_AddressRequest)[];
}

/**
 * Filled by the host.
 */
export interface AllocateRequest__Output {
  /**
   * One entry for each attachment of the pod.
   */
  'requests': (_patchbay_plugin_v1_AddressRequest__Output)[];
}
