/** Keys of CNI's conventions (CONVENTIONS.md, "Dynamic Plugin specific Fields") by capability. */
const KEYS: ReadonlyMap<string, readonly string[]> = new Map([
  ["portMappings", ["hostPort", "containerPort", "protocol", "hostIP"]],
  ["bandwidth", ["ingressRate", "ingressBurst", "egressRate", "egressBurst"]],
]);

/**
 * What a runtime asks for, as the conventions spell it. containerd writes the fields of Go structures
 * ("HostPort": go-cni types.go), which Go programs read in any case, and null for an empty map or list.
 * Anything else stays as it is, for the schema to refuse.
 */
export function normalizeRuntimeConfig(json: Record<string, unknown>): Record<string, unknown> {
  const asked = json["runtimeConfig"];
  if (!isObject(asked)) return json;
  const given = Object.entries(asked).filter(([, value]) => value !== null);
  const runtimeConfig = Object.fromEntries(
    given.map(([capability, value]) => {
      const keys = KEYS.get(capability);
      if (keys === undefined) return [capability, value];
      const isList = Array.isArray(value);
      const respelled = isList
        ? value.map((entry: unknown) => respell(entry, keys))
        : respell(value, keys);
      return [capability, respelled];
    }),
  );
  return { ...json, runtimeConfig };
}

/** A key that is there as the conventions spell it goes before others. */
function respell(value: unknown, keys: readonly string[]): unknown {
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([key, field]): [string, unknown] => {
    const known = keys.find((each) => each.toLowerCase() === key.toLowerCase());
    return [
      known === undefined || (known !== key && Object.hasOwn(value, known)) ? key : known,
      field,
    ];
  });
  return Object.fromEntries(entries);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
