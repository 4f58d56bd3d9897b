// Original file: proto/patchbay/plugin/v1/services.proto

import type { PlannedFrontend as _patchbay_plugin_v1_PlannedFrontend, PlannedFrontend__Output as _patchbay_plugin_v1_PlannedFrontend__Output } from '../../../patchbay/plugin/v1/PlannedFrontend.ts';
import type { FrontendKey as _patchbay_plugin_v1_FrontendKey, FrontendKey__Output as _patchbay_plugin_v1_FrontendKey__Output } from '../../../patchbay/plugin/v1/FrontendKey.ts';
import type { EndpointList as _patchbay_plugin_v1_EndpointList, EndpointList__Output as _patchbay_plugin_v1_EndpointList__Output } from '../../../patchbay/plugin/v1/EndpointList.ts';
import type { NetworkFacts as _patchbay_plugin_v1_NetworkFacts, NetworkFacts__Output as _patchbay_plugin_v1_NetworkFacts__Output } from '../../../patchbay/plugin/v1/NetworkFacts.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * Host -> plugin.
 */
export interface ProgramRequest {
  /**
   * Number of this state of the node's Services. It never falls within a stream; sent again it asks for the same state anew.
   */
  'revision'?: (number | string | Long);
  /**
   * True: this is everything; what it does not name is gone. False: a difference to the revision before.
   */
  'snapshot'?: (boolean);
  /**
   * Frontends that are new or changed.
   */
  'putFrontends'?: (_patchbay_plugin_v1_PlannedFrontend)[];
  /**
   * Frontends that went.
   */
  'removeFrontends'?: (_patchbay_plugin_v1_FrontendKey)[];
  /**
   * Lists that are new or changed. A list is whole: it replaces what it was.
   */
  'putLists'?: (_patchbay_plugin_v1_EndpointList)[];
  /**
   * Ids of lists that went.
   */
  'removeLists'?: (string)[];
  /**
   * Cluster IPs that are new: a packet to one of them that matches no frontend is rejected.
   */
  'addClusterIps'?: (string)[];
  /**
   * Cluster IPs that went.
   */
  'removeClusterIps'?: (string)[];
  /**
   * Single addresses that are pods, beside pod_prefixes.
   */
  'addPodAddresses'?: (string)[];
  /**
   * Addresses that are no pods any more.
   */
  'removePodAddresses'?: (string)[];
  /**
   * Endpoints on this node: a connection from one of them to itself is masqueraded.
   */
  'addLocalEndpoints'?: (string)[];
  /**
   * Endpoints that are not on this node any more.
   */
  'removeLocalEndpoints'?: (string)[];
  /**
   * Set where the lists below changed, and in every snapshot.
   */
  'facts'?: (_patchbay_plugin_v1_NetworkFacts | null);
}

/**
 * Host -> plugin.
 */
export interface ProgramRequest__Output {
  /**
   * Number of this state of the node's Services. It never falls within a stream; sent again it asks for the same state anew.
   */
  'revision': (number);
  /**
   * True: this is everything; what it does not name is gone. False: a difference to the revision before.
   */
  'snapshot': (boolean);
  /**
   * Frontends that are new or changed.
   */
  'putFrontends': (_patchbay_plugin_v1_PlannedFrontend__Output)[];
  /**
   * Frontends that went.
   */
  'removeFrontends': (_patchbay_plugin_v1_FrontendKey__Output)[];
  /**
   * Lists that are new or changed. A list is whole: it replaces what it was.
   */
  'putLists': (_patchbay_plugin_v1_EndpointList__Output)[];
  /**
   * Ids of lists that went.
   */
  'removeLists': (string)[];
  /**
   * Cluster IPs that are new: a packet to one of them that matches no frontend is rejected.
   */
  'addClusterIps': (string)[];
  /**
   * Cluster IPs that went.
   */
  'removeClusterIps': (string)[];
  /**
   * Single addresses that are pods, beside pod_prefixes.
   */
  'addPodAddresses': (string)[];
  /**
   * Addresses that are no pods any more.
   */
  'removePodAddresses': (string)[];
  /**
   * Endpoints on this node: a connection from one of them to itself is masqueraded.
   */
  'addLocalEndpoints': (string)[];
  /**
   * Endpoints that are not on this node any more.
   */
  'removeLocalEndpoints': (string)[];
  /**
   * Set where the lists below changed, and in every snapshot.
   */
  'facts': (_patchbay_plugin_v1_NetworkFacts__Output | null);
}
