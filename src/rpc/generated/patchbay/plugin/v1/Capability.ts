// Original file: proto/patchbay/plugin/v1/plugin.proto

/**
 * Something a plugin can do beyond the minimum.
 */
export const Capability = {
  /**
   * Never sent on purpose.
   */
  CAPABILITY_UNSPECIFIED: 'CAPABILITY_UNSPECIFIED',
  /**
   * Attach of this plugin may run at the same time as other networks' Attach for the same pod.
   */
  CAPABILITY_ATTACH_IN_PARALLEL: 'CAPABILITY_ATTACH_IN_PARALLEL',
  /**
   * Check honours `repair`.
   */
  CAPABILITY_REPAIR: 'CAPABILITY_REPAIR',
} as const;

/**
 * Something a plugin can do beyond the minimum.
 */
export type Capability =
  /**
   * Never sent on purpose.
   */
  | 'CAPABILITY_UNSPECIFIED'
  | 0
  /**
   * Attach of this plugin may run at the same time as other networks' Attach for the same pod.
   */
  | 'CAPABILITY_ATTACH_IN_PARALLEL'
  | 1
  /**
   * Check honours `repair`.
   */
  | 'CAPABILITY_REPAIR'
  | 2

/**
 * Something a plugin can do beyond the minimum.
 */
export type Capability__Output = typeof Capability[keyof typeof Capability]
