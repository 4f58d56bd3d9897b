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
  const left = new Set(after.map(keyOf));
  const known = new Set(before.map(keyOf));
  return [
    ...before.map((finding) => ({ ...finding, repaired: !left.has(keyOf(finding)) })),
    ...after.filter((finding) => !known.has(keyOf(finding))),
  ];
}

/** Without the values: a link that was made anew has another index. */
function keyOf({ kind, object }: Finding): string {
  return `${kind} ${object}`;
}
