// Original file: proto/patchbay/plugin/v1/services.proto

/**
 * Whose source address becomes the node's.
 */
export const MasqueradeOf = {
  /**
   * Never sent on purpose.
   */
  MASQUERADE_OF_UNSPECIFIED: 'MASQUERADE_OF_UNSPECIFIED',
  /**
   * Of everyone who is no pod.
   */
  MASQUERADE_OF_OTHERS: 'MASQUERADE_OF_OTHERS',
  /**
   * Of everyone.
   */
  MASQUERADE_OF_EVERYONE: 'MASQUERADE_OF_EVERYONE',
  /**
   * Of nobody but the node's own processes.
   */
  MASQUERADE_OF_NOBODY: 'MASQUERADE_OF_NOBODY',
} as const;

/**
 * Whose source address becomes the node's.
 */
export type MasqueradeOf =
  /**
   * Never sent on purpose.
   */
  | 'MASQUERADE_OF_UNSPECIFIED'
  | 0
  /**
   * Of everyone who is no pod.
   */
  | 'MASQUERADE_OF_OTHERS'
  | 1
  /**
   * Of everyone.
   */
  | 'MASQUERADE_OF_EVERYONE'
  | 2
  /**
   * Of nobody but the node's own processes.
   */
  | 'MASQUERADE_OF_NOBODY'
  | 3

/**
 * Whose source address becomes the node's.
 */
export type MasqueradeOf__Output = typeof MasqueradeOf[keyof typeof MasqueradeOf]
