// Original file: proto/patchbay/host/v1/host.proto

import type { ServiceView as _patchbay_host_v1_ServiceView, ServiceView__Output as _patchbay_host_v1_ServiceView__Output } from '../../../patchbay/host/v1/ServiceView.ts';

/**
 * A change seen by WatchServices.
 */
export interface ServiceChange {
  /**
   * "present" for what stood there at the beginning, then "changed", "programmed" or "removed".
   */
  'change'?: (string);
  /**
   * The Service as it is now, or was.
   */
  'service'?: (_patchbay_host_v1_ServiceView | null);
}

/**
 * A change seen by WatchServices.
 */
export interface ServiceChange__Output {
  /**
   * "present" for what stood there at the beginning, then "changed", "programmed" or "removed".
   */
  'change': (string);
  /**
   * The Service as it is now, or was.
   */
  'service': (_patchbay_host_v1_ServiceView__Output | null);
}
