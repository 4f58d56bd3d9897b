// Original file: proto/patchbay/plugin/v1/network.proto

import type { PodIdentity as _patchbay_plugin_v1_PodIdentity, PodIdentity__Output as _patchbay_plugin_v1_PodIdentity__Output } from '../../../patchbay/plugin/v1/PodIdentity.ts';
import type { AllocatedAddress as _patchbay_plugin_v1_AllocatedAddress, AllocatedAddress__Output as _patchbay_plugin_v1_AllocatedAddress__Output } from '../../../patchbay/plugin/v1/AllocatedAddress.ts';
import type { Route as _patchbay_plugin_v1_Route, Route__Output as _patchbay_plugin_v1_Route__Output } from '../../../patchbay/plugin/v1/Route.ts';
import type { Device as _patchbay_plugin_v1_Device, Device__Output as _patchbay_plugin_v1_Device__Output } from '../../../patchbay/plugin/v1/Device.ts';
import type { Masquerade as _patchbay_plugin_v1_Masquerade, Masquerade__Output as _patchbay_plugin_v1_Masquerade__Output } from '../../../patchbay/plugin/v1/Masquerade.ts';

/**
 * Filled by the host.
 */
export interface AttachRequest {
  /**
   * Stable key of the attachment: (network, container id, ifname) in one printable string of at most 64 characters.
   */
  'attachmentId'?: (string);
  /**
   * The pod.
   */
  'pod'?: (_patchbay_plugin_v1_PodIdentity | null);
  /**
   * Sandbox (container) id of the runtime.
   */
  'sandboxId'?: (string);
  /**
   * Path of the pod's network namespace, checked by the host.
   */
  'netns'?: (string);
  /**
   * Name of the interface inside the pod.
   */
  'ifname'?: (string);
  /**
   * Name of the network.
   */
  'network'?: (string);
  /**
   * The network's configuration as JSON, valid against the plugin's schema.
   */
  'configJson'?: (string);
  /**
   * Addresses that IPAM allocated, at most one for each family. Empty: the network has no IPAM.
   */
  'addresses'?: (_patchbay_plugin_v1_AllocatedAddress)[];
  /**
   * Routes beside those that the plugin makes itself.
   */
  'routes'?: (_patchbay_plugin_v1_Route)[];
  /**
   * Wanted MAC address, "02:00:00:00:00:01". Empty: the plugin derives one from attachment_id.
   */
  'mac'?: (string);
  /**
   * Wanted MTU in bytes. 0: the plugin's choice.
   */
  'mtu'?: (number);
  /**
   * The device, when the network asks for one.
   */
  'device'?: (_patchbay_plugin_v1_Device | null);
  /**
   * Masquerade wish of the network. Absent: none.
   */
  'masquerade'?: (_patchbay_plugin_v1_Masquerade | null);
}

/**
 * Filled by the host.
 */
export interface AttachRequest__Output {
  /**
   * Stable key of the attachment: (network, container id, ifname) in one printable string of at most 64 characters.
   */
  'attachmentId': (string);
  /**
   * The pod.
   */
  'pod': (_patchbay_plugin_v1_PodIdentity__Output | null);
  /**
   * Sandbox (container) id of the runtime.
   */
  'sandboxId': (string);
  /**
   * Path of the pod's network namespace, checked by the host.
   */
  'netns': (string);
  /**
   * Name of the interface inside the pod.
   */
  'ifname': (string);
  /**
   * Name of the network.
   */
  'network': (string);
  /**
   * The network's configuration as JSON, valid against the plugin's schema.
   */
  'configJson': (string);
  /**
   * Addresses that IPAM allocated, at most one for each family. Empty: the network has no IPAM.
   */
  'addresses': (_patchbay_plugin_v1_AllocatedAddress__Output)[];
  /**
   * Routes beside those that the plugin makes itself.
   */
  'routes': (_patchbay_plugin_v1_Route__Output)[];
  /**
   * Wanted MAC address, "02:00:00:00:00:01". Empty: the plugin derives one from attachment_id.
   */
  'mac': (string);
  /**
   * Wanted MTU in bytes. 0: the plugin's choice.
   */
  'mtu': (number);
  /**
   * The device, when the network asks for one.
   */
  'device': (_patchbay_plugin_v1_Device__Output | null);
  /**
   * Masquerade wish of the network. Absent: none.
   */
  'masquerade': (_patchbay_plugin_v1_Masquerade__Output | null);
}
