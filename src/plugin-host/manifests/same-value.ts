/** True when two values of plain data (JSON) are equal, whatever the order of keys. Undefined fields do not count. */
export function sameValue(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object") return false;
  if (left === null || right === null) return false;
  if (Array.isArray(left) || Array.isArray(right)) {
    return (
      Array.isArray(left) &&
      Array.isArray(right) &&
      left.length === right.length &&
      left.every((item, index) => sameValue(item, right[index]))
    );
  }
  return sameFields(left as Record<string, unknown>, right as Record<string, unknown>);
}

function sameFields(left: Record<string, unknown>, right: Record<string, unknown>): boolean {
  for (const key of Object.keys(left)) {
    if (!sameValue(left[key], Object.hasOwn(right, key) ? right[key] : undefined)) return false;
  }
  return Object.keys(right).every((key) => right[key] === undefined || Object.hasOwn(left, key));
}
