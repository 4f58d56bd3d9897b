/** Between three quarters of a pause and all of it, so that the nodes of a cluster do not come together. */
export function withJitter(ms: number, random: () => number): number {
  return Math.round(ms * (0.75 + 0.25 * random()));
}
