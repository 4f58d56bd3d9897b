// Original file: proto/grpc/health/v1/health.proto


/**
 * Whose health.
 */
export interface HealthCheckRequest {
  /**
   * Name of the service. Empty: the whole server.
   */
  'service'?: (string);
}

/**
 * Whose health.
 */
export interface HealthCheckRequest__Output {
  /**
   * Name of the service. Empty: the whole server.
   */
  'service': (string);
}
