// Original file: proto/patchbay/plugin/v1/ipam.proto

/**
 * Which families an attachment must get.
 */
export const FamilyPolicy = {
  /**
   * Treated as REQUIRE_DUAL where both families are configured, else as SINGLE.
   */
  FAMILY_POLICY_UNSPECIFIED: 'FAMILY_POLICY_UNSPECIFIED',
  /**
   * One address of each family, or the request fails.
   */
  FAMILY_POLICY_REQUIRE_DUAL: 'FAMILY_POLICY_REQUIRE_DUAL',
  /**
   * Both where both have room, one otherwise.
   */
  FAMILY_POLICY_PREFER_DUAL: 'FAMILY_POLICY_PREFER_DUAL',
  /**
   * One address, of the first family configured.
   */
  FAMILY_POLICY_SINGLE: 'FAMILY_POLICY_SINGLE',
} as const;

/**
 * Which families an attachment must get.
 */
export type FamilyPolicy =
  /**
   * Treated as REQUIRE_DUAL where both families are configured, else as SINGLE.
   */
  | 'FAMILY_POLICY_UNSPECIFIED'
  | 0
  /**
   * One address of each family, or the request fails.
   */
  | 'FAMILY_POLICY_REQUIRE_DUAL'
  | 1
  /**
   * Both where both have room, one otherwise.
   */
  | 'FAMILY_POLICY_PREFER_DUAL'
  | 2
  /**
   * One address, of the first family configured.
   */
  | 'FAMILY_POLICY_SINGLE'
  | 3

/**
 * Which families an attachment must get.
 */
export type FamilyPolicy__Output = typeof FamilyPolicy[keyof typeof FamilyPolicy]
