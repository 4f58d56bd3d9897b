// Original file: proto/patchbay/host/v1/host.proto

import type { Long } from '@grpc/proto-loader';

/**
 * How one watch is.
 */
export interface KubernetesWatch {
  /**
   * As RBAC names it, with its group: "services", "endpointslices.discovery.k8s.io"; "nodes (own)" is the own Node alone.
   */
  'resource'?: (string);
  /**
   * "starting"; "restored": what an earlier host wrote down, not yet confirmed; "listing"; "watching"; "broken"; "absent":
   * the server does not have this kind.
   */
  'phase'?: (string);
  /**
   * What is wrong now. Empty: nothing.
   */
  'trouble'?: (string);
  /**
   * Objects held.
   */
  'objects'?: (number);
  /**
   * Where the watch stands. Empty: nothing is known.
   */
  'resourceVersion'?: (string);
  /**
   * Lists of everything since the start of the host.
   */
  'lists'?: (number);
  /**
   * Watches begun since the start of the host.
   */
  'watches'?: (number);
  /**
   * The last event or bookmark, milliseconds since 1970. 0: none yet.
   */
  'heardMs'?: (number | string | Long);
}

/**
 * How one watch is.
 */
export interface KubernetesWatch__Output {
  /**
   * As RBAC names it, with its group: "services", "endpointslices.discovery.k8s.io"; "nodes (own)" is the own Node alone.
   */
  'resource': (string);
  /**
   * "starting"; "restored": what an earlier host wrote down, not yet confirmed; "listing"; "watching"; "broken"; "absent":
   * the server does not have this kind.
   */
  'phase': (string);
  /**
   * What is wrong now. Empty: nothing.
   */
  'trouble': (string);
  /**
   * Objects held.
   */
  'objects': (number);
  /**
   * Where the watch stands. Empty: nothing is known.
   */
  'resourceVersion': (string);
  /**
   * Lists of everything since the start of the host.
   */
  'lists': (number);
  /**
   * Watches begun since the start of the host.
   */
  'watches': (number);
  /**
   * The last event or bookmark, milliseconds since 1970. 0: none yet.
   */
  'heardMs': (number);
}
