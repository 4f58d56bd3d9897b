// Original file: proto/patchbay/plugin/v1/network.proto


/**
 * Detach either succeeds or fails; there is nothing to say.
 */
export interface DetachResponse {
}

/**
 * Detach either succeeds or fails; there is nothing to say.
 */
export interface DetachResponse__Output {
}
