// Original file: proto/patchbay/host/v1/host.proto

import type { RouteView as _patchbay_host_v1_RouteView, RouteView__Output as _patchbay_host_v1_RouteView__Output } from '../../../patchbay/host/v1/RouteView.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * A way in, as planned.
 */
export interface FrontendView {
  /**
   * "clusterIP", "nodePort", "externalIP", "loadBalancer" or "hostPort".
   */
  'kind'?: (string);
  /**
   * IP address.
   */
  'address'?: (string);
  /**
   * "TCP", "UDP" or "SCTP".
   */
  'protocol'?: (string);
  /**
   * Port.
   */
  'port'?: (number);
  /**
   * Name of the port. May be empty.
   */
  'portName'?: (string);
  /**
   * Where pods' packets go.
   */
  'inside'?: (_patchbay_host_v1_RouteView | null);
  /**
   * Where packets from outside go.
   */
  'outside'?: (_patchbay_host_v1_RouteView | null);
  /**
   * "others", "everyone" or "nobody": whose source address becomes the node's.
   */
  'masquerade'?: (string);
  /**
   * Seconds of ClientIP affinity. 0: none.
   */
  'affinitySeconds'?: (number);
  /**
   * Why a data plane could not program it. Empty: it did, or is about to.
   */
  'refused'?: (string);
  /**
   * Prefixes that may use it. Empty: anyone.
   */
  'sourceRanges'?: (string)[];
  /**
   * New connections, where they are counted.
   */
  'connections'?: (number | string | Long);
  /**
   * Another Service's frontend that has the same address and port, and so has the traffic. Empty: none.
   */
  'shadowedBy'?: (string);
  /**
   * "random" or "consistent-hash": how a client gets its endpoint.
   */
  'pick'?: (string);
  /**
   * True: new connections are counted.
   */
  'countsConnections'?: (boolean);
  /**
   * "namespace/name" of a network: pods on it alone reach this frontend, by rules in their own namespaces, and
   * `inside` is where their packets go. All others are refused. Empty: the node forwards.
   */
  'network'?: (string);
}

/**
 * A way in, as planned.
 */
export interface FrontendView__Output {
  /**
   * "clusterIP", "nodePort", "externalIP", "loadBalancer" or "hostPort".
   */
  'kind': (string);
  /**
   * IP address.
   */
  'address': (string);
  /**
   * "TCP", "UDP" or "SCTP".
   */
  'protocol': (string);
  /**
   * Port.
   */
  'port': (number);
  /**
   * Name of the port. May be empty.
   */
  'portName': (string);
  /**
   * Where pods' packets go.
   */
  'inside': (_patchbay_host_v1_RouteView__Output | null);
  /**
   * Where packets from outside go.
   */
  'outside': (_patchbay_host_v1_RouteView__Output | null);
  /**
   * "others", "everyone" or "nobody": whose source address becomes the node's.
   */
  'masquerade': (string);
  /**
   * Seconds of ClientIP affinity. 0: none.
   */
  'affinitySeconds': (number);
  /**
   * Why a data plane could not program it. Empty: it did, or is about to.
   */
  'refused': (string);
  /**
   * Prefixes that may use it. Empty: anyone.
   */
  'sourceRanges': (string)[];
  /**
   * New connections, where they are counted.
   */
  'connections': (number);
  /**
   * Another Service's frontend that has the same address and port, and so has the traffic. Empty: none.
   */
  'shadowedBy': (string);
  /**
   * "random" or "consistent-hash": how a client gets its endpoint.
   */
  'pick': (string);
  /**
   * True: new connections are counted.
   */
  'countsConnections': (boolean);
  /**
   * "namespace/name" of a network: pods on it alone reach this frontend, by rules in their own namespaces, and
   * `inside` is where their packets go. All others are refused. Empty: the node forwards.
   */
  'network': (string);
}
