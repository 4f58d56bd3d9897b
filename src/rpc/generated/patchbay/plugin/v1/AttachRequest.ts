// Original file: proto/patchbay/plugin/v1/network.proto

import type { PodIdentity as _patchbay_plugin_v1_PodIdentity, PodIdentity__Output as _patchbay_plugin_v1_PodIdentity__Output } from '../../../patchbay/plugin/v1/PodIdentity.ts';
import type { AllocatedAddress as _patchbay_plugin_v1_AllocatedAddress, AllocatedAddress__Output as _patchbay_plugin_v1_AllocatedAddress__Output } from '../../../patchbay/plugin/v1/AllocatedAddress.ts';
import type { Route as _patchbay_plugin_v1_Route, Route__Output as _patchbay_plugin_v1_Route__Output } from '../../../patchbay/plugin/v1/Route.ts';
import type { Device as _patchbay_plugin_v1_Device, Device__Output as _patchbay_plugin_v1_Device__Output } from '../../../patchbay/plugin/v1/Device.ts';
import type { Masquerade as _patchbay_plugin_v1_Masquerade, Masquerade__Output as _patchbay_plugin_v1_Masquerade__Output } from '../../../patchbay/plugin/v1/Masquerade.ts';
import type { Bandwidth as _patchbay_plugin_v1_Bandwidth, Bandwidth__Output as _patchbay_plugin_v1_Bandwidth__Output } from '../../../patchbay/plugin/v1/Bandwidth.ts';
import type { PortMapping as _patchbay_plugin_v1_PortMapping, PortMapping__Output as _patchbay_plugin_v1_PortMapping__Output } from '../../../patchbay/plugin/v1/PortMapping.ts';
import type { DefaultRoute as _patchbay_plugin_v1_DefaultRoute, DefaultRoute__Output as _patchbay_plugin_v1_DefaultRoute__Output } from '../../../patchbay/plugin/v1/DefaultRoute.ts';

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
   * Masquerade wish of the network: honoured, or refused with INVALID_ARGUMENT. Absent: none.
   */
  'masquerade'?: (_patchbay_plugin_v1_Masquerade | null);
  /**
   * Addresses, without or with prefix length, that the pod asks for on a network without IPAM of the host's: the plugin gives
   * them or fails with INVALID_ARGUMENT. Where the host has an IPAM they are among `addresses` already.
   */
  'requestedAddresses'?: (string)[];
  /**
   * Rates asked for. Absent: none. Sent only with CAPABILITY_BANDWIDTH; without it the host shapes.
   */
  'bandwidth'?: (_patchbay_plugin_v1_Bandwidth | null);
  /**
   * InfiniBand GUID asked for, eight bytes as "02:00:00:00:00:00:00:01". Empty: none. Sent only with CAPABILITY_INFINIBAND_GUID.
   */
  'infinibandGuid'?: (string);
  /**
   * Ports of the node asked for. Sent only with CAPABILITY_PORT_MAPPINGS; without it the host maps them.
   */
  'portMappings'?: (_patchbay_plugin_v1_PortMapping)[];
  /**
   * The pod's own arguments for this network (cni-args of its network selection), a JSON object. Empty: none.
   */
  'cniArgsJson'?: (string);
  /**
   * Whether the pod's default routes are this attachment's.
   */
  'defaultRoute'?: (_patchbay_plugin_v1_DefaultRoute);
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
   * Masquerade wish of the network: honoured, or refused with INVALID_ARGUMENT. Absent: none.
   */
  'masquerade': (_patchbay_plugin_v1_Masquerade__Output | null);
  /**
   * Addresses, without or with prefix length, that the pod asks for on a network without IPAM of the host's: the plugin gives
   * them or fails with INVALID_ARGUMENT. Where the host has an IPAM they are among `addresses` already.
   */
  'requestedAddresses': (string)[];
  /**
   * Rates asked for. Absent: none. Sent only with CAPABILITY_BANDWIDTH; without it the host shapes.
   */
  'bandwidth': (_patchbay_plugin_v1_Bandwidth__Output | null);
  /**
   * InfiniBand GUID asked for, eight bytes as "02:00:00:00:00:00:00:01". Empty: none. Sent only with CAPABILITY_INFINIBAND_GUID.
   */
  'infinibandGuid': (string);
  /**
   * Ports of the node asked for. Sent only with CAPABILITY_PORT_MAPPINGS; without it the host maps them.
   */
  'portMappings': (_patchbay_plugin_v1_PortMapping__Output)[];
  /**
   * The pod's own arguments for this network (cni-args of its network selection), a JSON object. Empty: none.
   */
  'cniArgsJson': (string);
  /**
   * Whether the pod's default routes are this attachment's.
   */
  'defaultRoute': (_patchbay_plugin_v1_DefaultRoute__Output);
}
