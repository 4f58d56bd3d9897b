/**
 * Whether objects and lists of a JSON value lie in each other deeper than that: whatever writes them down again
 * is recursive. Never goes deeper itself than it is asked for.
 */
export function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((each) => isDeeperThan(each, levels - 1));
}
