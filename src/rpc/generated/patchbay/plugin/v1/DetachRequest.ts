// Original file: proto/patchbay/plugin/v1/network.proto

import type { AllocatedAddress as _patchbay_plugin_v1_AllocatedAddress, AllocatedAddress__Output as _patchbay_plugin_v1_AllocatedAddress__Output } from '../../../patchbay/plugin/v1/AllocatedAddress.ts';
import type { PodIdentity as _patchbay_plugin_v1_PodIdentity, PodIdentity__Output as _patchbay_plugin_v1_PodIdentity__Output } from '../../../patchbay/plugin/v1/PodIdentity.ts';

/**
 * Filled by the host. Enough of the attachment to remove it with no memory of Attach.
 */
export interface DetachRequest {
  /**
   * Key given to Attach.
   */
  'attachmentId'?: (string);
  /**
   * Name of the network.
   */
  'network'?: (string);
  /**
   * The network's configuration at the time of Attach.
   */
  'configJson'?: (string);
  /**
   * Path of the pod's namespace. Empty or no longer there: the namespace is gone.
   */
  'netns'?: (string);
  /**
   * Name of the interface inside the pod.
   */
  'ifname'?: (string);
  /**
   * Addresses of the attachment.
   */
  'addresses'?: (_patchbay_plugin_v1_AllocatedAddress)[];
  /**
   * Sandbox (container) id of the runtime. Empty: unknown.
   */
  'sandboxId'?: (string);
  /**
   * The pod. Absent: unknown.
   */
  'pod'?: (_patchbay_plugin_v1_PodIdentity | null);
}

/**
 * Filled by the host. Enough of the attachment to remove it with no memory of Attach.
 */
export interface DetachRequest__Output {
  /**
   * Key given to Attach.
   */
  'attachmentId': (string);
  /**
   * Name of the network.
   */
  'network': (string);
  /**
   * The network's configuration at the time of Attach.
   */
  'configJson': (string);
  /**
   * Path of the pod's namespace. Empty or no longer there: the namespace is gone.
   */
  'netns': (string);
  /**
   * Name of the interface inside the pod.
   */
  'ifname': (string);
  /**
   * Addresses of the attachment.
   */
  'addresses': (_patchbay_plugin_v1_AllocatedAddress__Output)[];
  /**
   * Sandbox (container) id of the runtime. Empty: unknown.
   */
  'sandboxId': (string);
  /**
   * The pod. Absent: unknown.
   */
  'pod': (_patchbay_plugin_v1_PodIdentity__Output | null);
}
