// Original file: proto/patchbay/host/v1/host.proto

import type { EndpointView as _patchbay_host_v1_EndpointView, EndpointView__Output as _patchbay_host_v1_EndpointView__Output } from '../../../patchbay/host/v1/EndpointView.ts';

/**
 * Filled by the host.
 */
export interface ExplainResponse {
  /**
   * "forward", "reject", "drop" or "no-service" (no rule: the packet goes on as it is).
   */
  'verdict'?: (string);
  /**
   * Endpoints that may be picked, with "forward".
   */
  'endpoints'?: (_patchbay_host_v1_EndpointView)[];
  /**
   * True: the endpoint sees the node's address.
   */
  'masquerade'?: (boolean);
  /**
   * Why the source address changes or does not.
   */
  'masqueradeReason'?: (string);
  /**
   * "namespace/name:port" of the Service. Empty: none.
   */
  'service'?: (string);
  /**
   * Kind of the frontend. Empty: none.
   */
  'frontendKind'?: (string);
  /**
   * "pod", "node" or "outside": what the source counts as, and why.
   */
  'sourceKind'?: (string);
  /**
   * Why the source counts as that.
   */
  'sourceReason'?: (string);
  /**
   * Stable word for the rule that decided, for example "external-local-no-endpoint".
   */
  'rule'?: (string);
  /**
   * The rule in a sentence.
   */
  'ruleText'?: (string);
  /**
   * Endpoints that are not used, each with the reason.
   */
  'unused'?: (string)[];
  /**
   * What the kernel holds differently. Empty: it agrees.
   */
  'kernelDifferences'?: (string)[];
  /**
   * True: the kernel was asked.
   */
  'kernelChecked'?: (boolean);
  /**
   * Seconds that a client stays with its endpoint (ClientIP affinity). 0: not at all.
   */
  'affinitySeconds'?: (number);
  /**
   * "random" or "consistent-hash": how a client gets its endpoint. Empty unless forwarded.
   */
  'pick'?: (string);
  /**
   * Services whose frontends have the same address and port, and get none of the traffic.
   */
  'shadowed'?: (string)[];
}

/**
 * Filled by the host.
 */
export interface ExplainResponse__Output {
  /**
   * "forward", "reject", "drop" or "no-service" (no rule: the packet goes on as it is).
   */
  'verdict': (string);
  /**
   * Endpoints that may be picked, with "forward".
   */
  'endpoints': (_patchbay_host_v1_EndpointView__Output)[];
  /**
   * True: the endpoint sees the node's address.
   */
  'masquerade': (boolean);
  /**
   * Why the source address changes or does not.
   */
  'masqueradeReason': (string);
  /**
   * "namespace/name:port" of the Service. Empty: none.
   */
  'service': (string);
  /**
   * Kind of the frontend. Empty: none.
   */
  'frontendKind': (string);
  /**
   * "pod", "node" or "outside": what the source counts as, and why.
   */
  'sourceKind': (string);
  /**
   * Why the source counts as that.
   */
  'sourceReason': (string);
  /**
   * Stable word for the rule that decided, for example "external-local-no-endpoint".
   */
  'rule': (string);
  /**
   * The rule in a sentence.
   */
  'ruleText': (string);
  /**
   * Endpoints that are not used, each with the reason.
   */
  'unused': (string)[];
  /**
   * What the kernel holds differently. Empty: it agrees.
   */
  'kernelDifferences': (string)[];
  /**
   * True: the kernel was asked.
   */
  'kernelChecked': (boolean);
  /**
   * Seconds that a client stays with its endpoint (ClientIP affinity). 0: not at all.
   */
  'affinitySeconds': (number);
  /**
   * "random" or "consistent-hash": how a client gets its endpoint. Empty unless forwarded.
   */
  'pick': (string);
  /**
   * Services whose frontends have the same address and port, and get none of the traffic.
   */
  'shadowed': (string)[];
}
