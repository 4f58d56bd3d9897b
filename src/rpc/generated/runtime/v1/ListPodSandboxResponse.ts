// Original file: proto/cri/runtime/v1/api.proto

import type { PodSandbox as _runtime_v1_PodSandbox, PodSandbox__Output as _runtime_v1_PodSandbox__Output } from '../../runtime/v1/PodSandbox.ts';

/**
 * All sandboxes.
 */
export interface ListPodSandboxResponse {
  /**
   * All sandboxes.
   */
  'items'?: (_runtime_v1_PodSandbox)[];
}

/**
 * All sandboxes.
 */
export interface ListPodSandboxResponse__Output {
  /**
   * All sandboxes.
   */
  'items': (_runtime_v1_PodSandbox__Output)[];
}
