// Original file: proto/grpc/health/v1/health.proto


// Original file: proto/grpc/health/v1/health.proto

/**
 * States of a service.
 */
export const _grpc_health_v1_HealthCheckResponse_ServingStatus = {
  /**
   * Never sent on purpose.
   */
  UNKNOWN: 'UNKNOWN',
  /**
   * Calls are served.
   */
  SERVING: 'SERVING',
  /**
   * Calls would fail.
   */
  NOT_SERVING: 'NOT_SERVING',
  /**
   * Only from Watch: no such service.
   */
  SERVICE_UNKNOWN: 'SERVICE_UNKNOWN',
} as const;

/**
 * States of a service.
 */
export type _grpc_health_v1_HealthCheckResponse_ServingStatus =
  /**
   * Never sent on purpose.
   */
  | 'UNKNOWN'
  | 0
  /**
   * Calls are served.
   */
  | 'SERVING'
  | 1
  /**
   * Calls would fail.
   */
  | 'NOT_SERVING'
  | 2
  /**
   * Only from Watch: no such service.
   */
  | 'SERVICE_UNKNOWN'
  | 3

/**
 * States of a service.
 */
export type _grpc_health_v1_HealthCheckResponse_ServingStatus__Output = typeof _grpc_health_v1_HealthCheckResponse_ServingStatus[keyof typeof _grpc_health_v1_HealthCheckResponse_ServingStatus]

/**
 * How it is.
 */
export interface HealthCheckResponse {
  /**
   * State of the service.
   */
  'status'?: (_grpc_health_v1_HealthCheckResponse_ServingStatus);
}

/**
 * How it is.
 */
export interface HealthCheckResponse__Output {
  /**
   * State of the service.
   */
  'status': (_grpc_health_v1_HealthCheckResponse_ServingStatus__Output);
}
