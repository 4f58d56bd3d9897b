/** Every wait and bound of the conformance kit. */
export const CONFORMANCE_LIMITS = {
  /** From the start of the plugin until its socket accepts, ms. */
  startMs: 30_000,
  /** Until a plugin accepts that somebody else runs, ms. */
  connectMs: 5_000,
  /** From SIGTERM until the plugin has ended, ms. */
  stopMs: 10_000,
  /** One rule, its pods' removal apart, ms. */
  ruleMs: 120_000,
  /** Until what the kernel removes by itself (links of a namespace that is gone) is gone, ms. */
  kernelMs: 10_000,
  /** Pause between two looks, ms. */
  pollMs: 5,
  /** Pods that are attached at once. */
  podsAtOnce: 20,
} as const;
