// Original file: proto/patchbay/plugin/v1/services.proto

/**
 * Transport protocols of Services.
 */
export const Protocol = {
  /**
   * Never sent on purpose.
   */
  PROTOCOL_UNSPECIFIED: 'PROTOCOL_UNSPECIFIED',
  /**
   * TCP.
   */
  PROTOCOL_TCP: 'PROTOCOL_TCP',
  /**
   * UDP.
   */
  PROTOCOL_UDP: 'PROTOCOL_UDP',
  /**
   * SCTP.
   */
  PROTOCOL_SCTP: 'PROTOCOL_SCTP',
} as const;

/**
 * Transport protocols of Services.
 */
export type Protocol =
  /**
   * Never sent on purpose.
   */
  | 'PROTOCOL_UNSPECIFIED'
  | 0
  /**
   * TCP.
   */
  | 'PROTOCOL_TCP'
  | 1
  /**
   * UDP.
   */
  | 'PROTOCOL_UDP'
  | 2
  /**
   * SCTP.
   */
  | 'PROTOCOL_SCTP'
  | 3

/**
 * Transport protocols of Services.
 */
export type Protocol__Output = typeof Protocol[keyof typeof Protocol]
