// Original file: proto/cri/runtime/v1/api.proto


/**
 * All sandboxes.
 */
export interface ListPodSandboxRequest {
}

/**
 * All sandboxes.
 */
export interface ListPodSandboxRequest__Output {
}
