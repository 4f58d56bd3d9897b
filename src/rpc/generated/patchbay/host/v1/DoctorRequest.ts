// Original file: proto/patchbay/host/v1/host.proto


/**
 * Nothing to say.
 */
export interface DoctorRequest {
}

/**
 * Nothing to say.
 */
export interface DoctorRequest__Output {
}
