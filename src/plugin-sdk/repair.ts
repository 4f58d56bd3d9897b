import type { Finding } from "./network-plugin.ts";

/**
 * The answer of Check: what `look` finds and, where `mend` is given, whether it was gone after that.
 * `mend` runs only when there is something to mend, and throws as Attach does. What shows up only
 * after it (the routes of a link that was missing) is answered as well, unrepaired.
 */
export async function checkAndRepair(
  look: () => Promise<readonly Finding[]>,
  mend?: (findings: readonly Finding[]) => Promise<unknown>,
): Promise<Finding[]> {
  const before = await look();
  if (mend === undefined || before.length === 0) return [...before];
  await mend(before);
  const after = await look();
  const left = new Set(after.map(findingKey));
  const known = new Set(before.map(findingKey));
  return [
    ...before.map((finding) => ({ ...finding, repaired: !left.has(findingKey(finding)) })),
    ...after.filter((finding) => !known.has(findingKey(finding))),
  ];
}

/** What a finding is about. Without the values: a link that was made anew has another index. */
export function findingKey({ kind, object }: Finding): string {
  return `${kind} ${object}`;
}
