// Original file: proto/patchbay/host/v1/host.proto

import type { NetworkDefinitionView as _patchbay_host_v1_NetworkDefinitionView, NetworkDefinitionView__Output as _patchbay_host_v1_NetworkDefinitionView__Output } from '../../../patchbay/host/v1/NetworkDefinitionView.ts';

/**
 * Filled by the host.
 */
export interface ListNetworkDefinitionsResponse {
  /**
   * Definitions by namespace and name.
   */
  'definitions'?: (_patchbay_host_v1_NetworkDefinitionView)[];
  /**
   * What of the manifests cannot be read and may be about networks, each with its place:
   * "networks.yaml:12:9: metadata.name is ...".
   */
  'problems'?: (string)[];
}

/**
 * Filled by the host.
 */
export interface ListNetworkDefinitionsResponse__Output {
  /**
   * Definitions by namespace and name.
   */
  'definitions': (_patchbay_host_v1_NetworkDefinitionView__Output)[];
  /**
   * What of the manifests cannot be read and may be about networks, each with its place:
   * "networks.yaml:12:9: metadata.name is ...".
   */
  'problems': (string)[];
}
