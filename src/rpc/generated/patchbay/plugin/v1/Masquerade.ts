// Original file: proto/patchbay/plugin/v1/services.proto

/**
 * Whose source address becomes the node's.
 */
export const Masquerade = {
  /**
   * Never sent on purpose.
   */
  MASQUERADE_UNSPECIFIED: 'MASQUERADE_UNSPECIFIED',
  /**
   * Of everyone who is no pod.
   */
  MASQUERADE_OTHERS: 'MASQUERADE_OTHERS',
  /**
   * Of everyone.
   */
  MASQUERADE_EVERYONE: 'MASQUERADE_EVERYONE',
  /**
   * Of nobody but the node's own processes.
   */
  MASQUERADE_NOBODY: 'MASQUERADE_NOBODY',
} as const;

/**
 * Whose source address becomes the node's.
 */
export type Masquerade =
  /**
   * Never sent on purpose.
   */
  | 'MASQUERADE_UNSPECIFIED'
  | 0
  /**
   * Of everyone who is no pod.
   */
  | 'MASQUERADE_OTHERS'
  | 1
  /**
   * Of everyone.
   */
  | 'MASQUERADE_EVERYONE'
  | 2
  /**
   * Of nobody but the node's own processes.
   */
  | 'MASQUERADE_NOBODY'
  | 3

/**
 * Whose source address becomes the node's.
 */
export type Masquerade__Output = typeof Masquerade[keyof typeof Masquerade]
