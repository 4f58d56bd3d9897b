// Original file: proto/patchbay/host/v1/host.proto

import type { ServiceView as _patchbay_host_v1_ServiceView, ServiceView__Output as _patchbay_host_v1_ServiceView__Output } from '../../../patchbay/host/v1/ServiceView.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * Filled by the host.
 */
export interface ListServicesResponse {
  /**
   * Services, ordered by name.
   */
  'services'?: (_patchbay_host_v1_ServiceView)[];
  /**
   * The newest revision.
   */
  'revision'?: (number | string | Long);
  /**
   * The newest revision that the built-in data plane and every third party's that is up have programmed.
   */
  'programmedRevision'?: (number | string | Long);
  /**
   * Objects that could not be read, each with place and reason: "web.yaml:12: spec.ports[0].port is 0, expected 1 to 65535".
   * Data planes that are left out of what "programmed" says: "Data plane mirror is left out: REASON".
   */
  'problems'?: (string)[];
  /**
   * Where a beginning was asked for: Services that have it and of which nothing is to be programmed, each with the reason: "default/db: it is headless".
   */
  'unserved'?: (string)[];
}

/**
 * Filled by the host.
 */
export interface ListServicesResponse__Output {
  /**
   * Services, ordered by name.
   */
  'services': (_patchbay_host_v1_ServiceView__Output)[];
  /**
   * The newest revision.
   */
  'revision': (number);
  /**
   * The newest revision that the built-in data plane and every third party's that is up have programmed.
   */
  'programmedRevision': (number);
  /**
   * Objects that could not be read, each with place and reason: "web.yaml:12: spec.ports[0].port is 0, expected 1 to 65535".
   * Data planes that are left out of what "programmed" says: "Data plane mirror is left out: REASON".
   */
  'problems': (string)[];
  /**
   * Where a beginning was asked for: Services that have it and of which nothing is to be programmed, each with the reason: "default/db: it is headless".
   */
  'unserved': (string)[];
}
