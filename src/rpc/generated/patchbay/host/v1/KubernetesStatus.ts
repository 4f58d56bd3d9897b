// Original file: proto/patchbay/host/v1/host.proto

import type { KubernetesWatch as _patchbay_host_v1_KubernetesWatch, KubernetesWatch__Output as _patchbay_host_v1_KubernetesWatch__Output } from '../../../patchbay/host/v1/KubernetesWatch.ts';

/**
 * How the host stands with the cluster's API server.
 */
export interface KubernetesStatus {
  /**
   * URL of the API server that answers now, or was tried last.
   */
  'server'?: (string);
  /**
   * Name of the own Node object. Empty: the host does not know that object.
   */
  'nodeName'?: (string);
  /**
   * Address ranges of the node's pods (Node spec.podCIDRs), CIDR notation, the first of each family.
   */
  'podCidrs'?: (string)[];
  /**
   * Everything that is watched, in a fixed order.
   */
  'watches'?: (_patchbay_host_v1_KubernetesWatch)[];
  /**
   * Why pods should not come to this node yet; CNI STATUS answers the same. Empty: nothing is against it.
   */
  'unready'?: (string);
}

/**
 * How the host stands with the cluster's API server.
 */
export interface KubernetesStatus__Output {
  /**
   * URL of the API server that answers now, or was tried last.
   */
  'server': (string);
  /**
   * Name of the own Node object. Empty: the host does not know that object.
   */
  'nodeName': (string);
  /**
   * Address ranges of the node's pods (Node spec.podCIDRs), CIDR notation, the first of each family.
   */
  'podCidrs': (string)[];
  /**
   * Everything that is watched, in a fixed order.
   */
  'watches': (_patchbay_host_v1_KubernetesWatch__Output)[];
  /**
   * Why pods should not come to this node yet; CNI STATUS answers the same. Empty: nothing is against it.
   */
  'unready': (string);
}
