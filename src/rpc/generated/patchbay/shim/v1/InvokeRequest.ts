// Original file: proto/patchbay/shim/v1/shim.proto

import type { Command as _patchbay_shim_v1_Command, Command__Output as _patchbay_shim_v1_Command__Output } from '../../../patchbay/shim/v1/Command.ts';
import type { TraceContext as _patchbay_shim_v1_TraceContext, TraceContext__Output as _patchbay_shim_v1_TraceContext__Output } from '../../../patchbay/shim/v1/TraceContext.ts';

/**
 * What the runtime handed to the shim. Filled by the shim; every string may be empty where the
 * runtime left the variable out.
 */
export interface InvokeRequest {
  /**
   * The verb (CNI_COMMAND).
   */
  'command'?: (_patchbay_shim_v1_Command);
  /**
   * The container's id (CNI_CONTAINERID).
   */
  'containerId'?: (string);
  /**
   * Path of the container's network namespace (CNI_NETNS). Empty in DEL when it is already gone.
   */
  'netns'?: (string);
  /**
   * Name of the interface inside the container (CNI_IFNAME).
   */
  'ifname'?: (string);
  /**
   * Extra arguments, "K=V;K=V" (CNI_ARGS).
   */
  'args'?: (string);
  /**
   * Colon-separated list of folders with CNI plugins (CNI_PATH).
   */
  'path'?: (string);
  /**
   * The network configuration exactly as read from standard input.
   */
  'configJson'?: (Buffer | Uint8Array | string);
  /**
   * W3C trace context handed over by the runtime, absent when it gave none.
   */
  'trace'?: (_patchbay_shim_v1_TraceContext | null);
  /**
   * Semantic version of the shim, for diagnosis and for the N-1/N+1 rule. Empty: unknown.
   */
  'shimVersion'?: (string);
}

/**
 * What the runtime handed to the shim. Filled by the shim; every string may be empty where the
 * runtime left the variable out.
 */
export interface InvokeRequest__Output {
  /**
   * The verb (CNI_COMMAND).
   */
  'command': (_patchbay_shim_v1_Command__Output);
  /**
   * The container's id (CNI_CONTAINERID).
   */
  'containerId': (string);
  /**
   * Path of the container's network namespace (CNI_NETNS). Empty in DEL when it is already gone.
   */
  'netns': (string);
  /**
   * Name of the interface inside the container (CNI_IFNAME).
   */
  'ifname': (string);
  /**
   * Extra arguments, "K=V;K=V" (CNI_ARGS).
   */
  'args': (string);
  /**
   * Colon-separated list of folders with CNI plugins (CNI_PATH).
   */
  'path': (string);
  /**
   * The network configuration exactly as read from standard input.
   */
  'configJson': (Buffer);
  /**
   * W3C trace context handed over by the runtime, absent when it gave none.
   */
  'trace': (_patchbay_shim_v1_TraceContext__Output | null);
  /**
   * Semantic version of the shim, for diagnosis and for the N-1/N+1 rule. Empty: unknown.
   */
  'shimVersion': (string);
}
