// Original file: proto/patchbay/host/v1/host.proto

import type { NetworkStatus as _patchbay_host_v1_NetworkStatus, NetworkStatus__Output as _patchbay_host_v1_NetworkStatus__Output } from '../../../patchbay/host/v1/NetworkStatus.ts';
import type { PluginStatus as _patchbay_host_v1_PluginStatus, PluginStatus__Output as _patchbay_host_v1_PluginStatus__Output } from '../../../patchbay/host/v1/PluginStatus.ts';
import type { KubernetesStatus as _patchbay_host_v1_KubernetesStatus, KubernetesStatus__Output as _patchbay_host_v1_KubernetesStatus__Output } from '../../../patchbay/host/v1/KubernetesStatus.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * Filled by the host.
 */
export interface GetStatusResponse {
  /**
   * Semantic version of the host.
   */
  'version'?: (string);
  /**
   * Process id.
   */
  'pid'?: (number);
  /**
   * Start of the process, milliseconds since 1970.
   */
  'startedMs'?: (number | string | Long);
  /**
   * True: ADD is served.
   */
  'ready'?: (boolean);
  /**
   * Why not. Empty when ready.
   */
  'reason'?: (string);
  /**
   * Requests running and waiting in the admission queue.
   */
  'running'?: (number);
  /**
   * Requests waiting.
   */
  'waiting'?: (number);
  /**
   * Networks seen since the start or recorded.
   */
  'networks'?: (_patchbay_host_v1_NetworkStatus)[];
  /**
   * Plugins known.
   */
  'plugins'?: (_patchbay_host_v1_PluginStatus)[];
  /**
   * Boot id that the journal belongs to.
   */
  'bootId'?: (string);
  /**
   * DELs in the shim's journal folder not replayed yet.
   */
  'journalPending'?: (number);
  /**
   * Name of the node in Kubernetes objects.
   */
  'nodeName'?: (string);
  /**
   * How the host stands with the cluster. Absent: it runs without one.
   */
  'kubernetes'?: (_patchbay_host_v1_KubernetesStatus | null);
}

/**
 * Filled by the host.
 */
export interface GetStatusResponse__Output {
  /**
   * Semantic version of the host.
   */
  'version': (string);
  /**
   * Process id.
   */
  'pid': (number);
  /**
   * Start of the process, milliseconds since 1970.
   */
  'startedMs': (number);
  /**
   * True: ADD is served.
   */
  'ready': (boolean);
  /**
   * Why not. Empty when ready.
   */
  'reason': (string);
  /**
   * Requests running and waiting in the admission queue.
   */
  'running': (number);
  /**
   * Requests waiting.
   */
  'waiting': (number);
  /**
   * Networks seen since the start or recorded.
   */
  'networks': (_patchbay_host_v1_NetworkStatus__Output)[];
  /**
   * Plugins known.
   */
  'plugins': (_patchbay_host_v1_PluginStatus__Output)[];
  /**
   * Boot id that the journal belongs to.
   */
  'bootId': (string);
  /**
   * DELs in the shim's journal folder not replayed yet.
   */
  'journalPending': (number);
  /**
   * Name of the node in Kubernetes objects.
   */
  'nodeName': (string);
  /**
   * How the host stands with the cluster. Absent: it runs without one.
   */
  'kubernetes': (_patchbay_host_v1_KubernetesStatus__Output | null);
}
