// Original file: proto/patchbay/plugin/v1/services.proto

import type { FrontendKey as _patchbay_plugin_v1_FrontendKey, FrontendKey__Output as _patchbay_plugin_v1_FrontendKey__Output } from '../../../patchbay/plugin/v1/FrontendKey.ts';
import type { ServiceRoute as _patchbay_plugin_v1_ServiceRoute, ServiceRoute__Output as _patchbay_plugin_v1_ServiceRoute__Output } from '../../../patchbay/plugin/v1/ServiceRoute.ts';
import type { MasqueradeOf as _patchbay_plugin_v1_MasqueradeOf, MasqueradeOf__Output as _patchbay_plugin_v1_MasqueradeOf__Output } from '../../../patchbay/plugin/v1/MasqueradeOf.ts';

/**
 * A way in, with every decision taken.
 */
export interface PlannedFrontend {
  /**
   * What a packet is matched by.
   */
  'key'?: (_patchbay_plugin_v1_FrontendKey | null);
  /**
   * "clusterIP", "nodePort", "externalIP", "loadBalancer" or "hostPort".
   */
  'kind'?: (string);
  /**
   * "namespace/name" of the Service, for people.
   */
  'service'?: (string);
  /**
   * Name of its port. May be empty.
   */
  'portName'?: (string);
  /**
   * Where packets of pods and of the node's own processes go.
   */
  'inside'?: (_patchbay_plugin_v1_ServiceRoute | null);
  /**
   * Where all other packets go.
   */
  'outside'?: (_patchbay_plugin_v1_ServiceRoute | null);
  /**
   * Whose source address becomes the node's, beside that of the node's own processes.
   */
  'masquerade'?: (_patchbay_plugin_v1_MasqueradeOf);
  /**
   * True: only sources in source_ranges may pass; the others' packets are dropped.
   */
  'restricted'?: (boolean);
  /**
   * Prefixes in CIDR notation.
   */
  'sourceRanges'?: (string)[];
  /**
   * True: new connections are to be counted.
   */
  'countConnections'?: (boolean);
}

/**
 * A way in, with every decision taken.
 */
export interface PlannedFrontend__Output {
  /**
   * What a packet is matched by.
   */
  'key': (_patchbay_plugin_v1_FrontendKey__Output | null);
  /**
   * "clusterIP", "nodePort", "externalIP", "loadBalancer" or "hostPort".
   */
  'kind': (string);
  /**
   * "namespace/name" of the Service, for people.
   */
  'service': (string);
  /**
   * Name of its port. May be empty.
   */
  'portName': (string);
  /**
   * Where packets of pods and of the node's own processes go.
   */
  'inside': (_patchbay_plugin_v1_ServiceRoute__Output | null);
  /**
   * Where all other packets go.
   */
  'outside': (_patchbay_plugin_v1_ServiceRoute__Output | null);
  /**
   * Whose source address becomes the node's, beside that of the node's own processes.
   */
  'masquerade': (_patchbay_plugin_v1_MasqueradeOf__Output);
  /**
   * True: only sources in source_ranges may pass; the others' packets are dropped.
   */
  'restricted': (boolean);
  /**
   * Prefixes in CIDR notation.
   */
  'sourceRanges': (string)[];
  /**
   * True: new connections are to be counted.
   */
  'countConnections': (boolean);
}
