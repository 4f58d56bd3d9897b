// Original file: proto/patchbay/host/v1/host.proto


/**
 * Nothing to say.
 */
export interface GetStatusRequest {
}

/**
 * Nothing to say.
 */
export interface GetStatusRequest__Output {
}
