// Original file: proto/patchbay/plugin/v1/services.proto

/**
 * What becomes of a packet.
 */
export const Verdict = {
  /**
   * Never sent on purpose.
   */
  VERDICT_UNSPECIFIED: 'VERDICT_UNSPECIFIED',
  /**
   * To one of a list's endpoints.
   */
  VERDICT_FORWARD: 'VERDICT_FORWARD',
  /**
   * Refused: TCP reset, ICMP port unreachable for the rest.
   */
  VERDICT_REJECT: 'VERDICT_REJECT',
  /**
   * Silently dropped.
   */
  VERDICT_DROP: 'VERDICT_DROP',
} as const;

/**
 * What becomes of a packet.
 */
export type Verdict =
  /**
   * Never sent on purpose.
   */
  | 'VERDICT_UNSPECIFIED'
  | 0
  /**
   * To one of a list's endpoints.
   */
  | 'VERDICT_FORWARD'
  | 1
  /**
   * Refused: TCP reset, ICMP port unreachable for the rest.
   */
  | 'VERDICT_REJECT'
  | 2
  /**
   * Silently dropped.
   */
  | 'VERDICT_DROP'
  | 3

/**
 * What becomes of a packet.
 */
export type Verdict__Output = typeof Verdict[keyof typeof Verdict]
