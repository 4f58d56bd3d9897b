/** Every wait of the CLI. */
export const CLI_LIMITS = {
  /** A call that the host answers from memory, ms. */
  callMs: 10_000,
  /** A call that makes the host look at every attachment, ms. */
  longCallMs: 120_000,
  /** A look whether a host is there at all, when the answer is only a courtesy, ms. */
  glanceMs: 1_000,
} as const;
