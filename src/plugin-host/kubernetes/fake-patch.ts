/** RFC 7386; strategic: conditions are merged by their type. */
export function merge(target: unknown, patch: unknown, isStrategic: boolean): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const base =
    typeof target === "object" && target !== null && !Array.isArray(target) ? target : {};
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else if (isStrategic && key === "conditions") {
      merged[key] = mergeConditions(merged[key], value);
    } else merged[key] = merge(merged[key], value, isStrategic);
  }
  return merged;
}

function mergeConditions(target: unknown, patch: unknown): unknown {
  const byType = new Map<string, { type: string }>();
  for (const list of [target, patch]) {
    for (const condition of (list ?? []) as { type: string }[]) {
      byType.set(condition.type, { ...byType.get(condition.type), ...condition });
    }
  }
  return [...byType.values()];
}
