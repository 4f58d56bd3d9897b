// Original file: proto/patchbay/plugin/v1/network.proto

import type { Interface as _patchbay_plugin_v1_Interface, Interface__Output as _patchbay_plugin_v1_Interface__Output } from '../../../patchbay/plugin/v1/Interface.ts';
import type { SetAddress as _patchbay_plugin_v1_SetAddress, SetAddress__Output as _patchbay_plugin_v1_SetAddress__Output } from '../../../patchbay/plugin/v1/SetAddress.ts';
import type { Route as _patchbay_plugin_v1_Route, Route__Output as _patchbay_plugin_v1_Route__Output } from '../../../patchbay/plugin/v1/Route.ts';
import type { Dns as _patchbay_plugin_v1_Dns, Dns__Output as _patchbay_plugin_v1_Dns__Output } from '../../../patchbay/plugin/v1/Dns.ts';

/**
 * Filled by the plugin.
 */
export interface AttachResponse {
  /**
   * Interfaces made, in the order in which the CNI result shows them. Required among them: one whose name is the request's ifname
   * and whose sandbox is the request's netns, exactly as it was given.
   */
  'interfaces'?: (_patchbay_plugin_v1_Interface)[];
  /**
   * Addresses as set. Required among them: all of the request's addresses; prefix lengths are the plugin's affair.
   */
  'addresses'?: (_patchbay_plugin_v1_SetAddress)[];
  /**
   * Routes as set.
   */
  'routes'?: (_patchbay_plugin_v1_Route)[];
  /**
   * Resolver settings. Absent: none.
   */
  'dns'?: (_patchbay_plugin_v1_Dns | null);
  /**
   * Device information as JSON (device-info specification 1.1.0). Empty: none.
   */
  'deviceInfoJson'?: (string);
}

/**
 * Filled by the plugin.
 */
export interface AttachResponse__Output {
  /**
   * Interfaces made, in the order in which the CNI result shows them. Required among them: one whose name is the request's ifname
   * and whose sandbox is the request's netns, exactly as it was given.
   */
  'interfaces': (_patchbay_plugin_v1_Interface__Output)[];
  /**
   * Addresses as set. Required among them: all of the request's addresses; prefix lengths are the plugin's affair.
   */
  'addresses': (_patchbay_plugin_v1_SetAddress__Output)[];
  /**
   * Routes as set.
   */
  'routes': (_patchbay_plugin_v1_Route__Output)[];
  /**
   * Resolver settings. Absent: none.
   */
  'dns': (_patchbay_plugin_v1_Dns__Output | null);
  /**
   * Device information as JSON (device-info specification 1.1.0). Empty: none.
   */
  'deviceInfoJson': (string);
}
