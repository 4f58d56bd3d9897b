// Original file: proto/patchbay/plugin/v1/plugin.proto

/**
 * A role that a plugin plays.
 */
export const Role = {
  /**
   * Never sent on purpose.
   */
  ROLE_UNSPECIFIED: 'ROLE_UNSPECIFIED',
  /**
   * Implements NetworkPlugin.
   */
  ROLE_NETWORK: 'ROLE_NETWORK',
  /**
   * Implements IpamPlugin.
   */
  ROLE_IPAM: 'ROLE_IPAM',
  /**
   * Implements ServicePlugin.
   */
  ROLE_SERVICES: 'ROLE_SERVICES',
} as const;

/**
 * A role that a plugin plays.
 */
export type Role =
  /**
   * Never sent on purpose.
   */
  | 'ROLE_UNSPECIFIED'
  | 0
  /**
   * Implements NetworkPlugin.
   */
  | 'ROLE_NETWORK'
  | 1
  /**
   * Implements IpamPlugin.
   */
  | 'ROLE_IPAM'
  | 2
  /**
   * Implements ServicePlugin.
   */
  | 'ROLE_SERVICES'
  | 3

/**
 * A role that a plugin plays.
 */
export type Role__Output = typeof Role[keyof typeof Role]
