/** Every bound of src/ipam. A config beyond one is refused with the field and the bound. */
export const ipamLimits = {
  /** Range sets of one network, the legacy single "subnet" included. */
  rangeSets: 64,
  /** Ranges of one range set. */
  rangesOfSet: 64,
  /** Entries of one range's `exclude` and of its `reserved`. */
  excludesOfRange: 4096,
  /** Entries of `routes`. */
  routes: 1024,
  /** Longest cooldown: one day. */
  cooldownSeconds: 86_400,
  /** Cooldown when the config names none: as long as conntrack keeps SYN_SENT. */
  defaultCooldownSeconds: 120,
  /** Cooling addresses of one family that a pool remembers; beyond it the longest cooled is free early. */
  coolingAddresses: 1_048_576,
  /** Bits of the part of a range that is given out: a range wider than a /64 uses its first 2^64 addresses. */
  rangeBits: 64,
} as const;
