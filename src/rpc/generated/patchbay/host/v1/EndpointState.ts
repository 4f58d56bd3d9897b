// Original file: proto/patchbay/host/v1/host.proto

/**
 * Conditions of an endpoint.
 */
export const EndpointState = {
  /**
   * Ready, serving, not terminating.
   */
  ENDPOINT_STATE_READY: 'ENDPOINT_STATE_READY',
  /**
   * Terminating, still serving: used where nothing is ready.
   */
  ENDPOINT_STATE_SERVING_TERMINATING: 'ENDPOINT_STATE_SERVING_TERMINATING',
  /**
   * Not to be used.
   */
  ENDPOINT_STATE_NOT_READY: 'ENDPOINT_STATE_NOT_READY',
} as const;

/**
 * Conditions of an endpoint.
 */
export type EndpointState =
  /**
   * Ready, serving, not terminating.
   */
  | 'ENDPOINT_STATE_READY'
  | 0
  /**
   * Terminating, still serving: used where nothing is ready.
   */
  | 'ENDPOINT_STATE_SERVING_TERMINATING'
  | 1
  /**
   * Not to be used.
   */
  | 'ENDPOINT_STATE_NOT_READY'
  | 2

/**
 * Conditions of an endpoint.
 */
export type EndpointState__Output = typeof EndpointState[keyof typeof EndpointState]
