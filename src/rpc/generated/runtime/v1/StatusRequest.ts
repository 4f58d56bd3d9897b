// Original file: proto/cri/runtime/v1/api.proto


/**
 * Nothing to say.
 */
export interface StatusRequest {
}

/**
 * Nothing to say.
 */
export interface StatusRequest__Output {
}
