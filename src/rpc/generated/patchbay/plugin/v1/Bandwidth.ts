// Original file: proto/patchbay/plugin/v1/network.proto

import type { Long } from '@grpc/proto-loader';

/**
 * Rates of an attachment as the pod sees them. CNI conventions, "bandwidth".
 */
export interface Bandwidth {
  /**
   * To the pod, bits each second. 0: no limit.
   */
  'ingressRate'?: (number | string | Long);
  /**
   * To the pod, bits that may come at once. 0: the plugin's choice.
   */
  'ingressBurst'?: (number | string | Long);
  /**
   * From the pod, bits each second. 0: no limit.
   */
  'egressRate'?: (number | string | Long);
  /**
   * From the pod, bits that may come at once. 0: the plugin's choice.
   */
  'egressBurst'?: (number | string | Long);
}

/**
 * Rates of an attachment as the pod sees them. CNI conventions, "bandwidth".
 */
export interface Bandwidth__Output {
  /**
   * To the pod, bits each second. 0: no limit.
   */
  'ingressRate': (number);
  /**
   * To the pod, bits that may come at once. 0: the plugin's choice.
   */
  'ingressBurst': (number);
  /**
   * From the pod, bits each second. 0: no limit.
   */
  'egressRate': (number);
  /**
   * From the pod, bits that may come at once. 0: the plugin's choice.
   */
  'egressBurst': (number);
}
