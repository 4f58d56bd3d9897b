import type { PluginInfo } from "../../plugin-sdk/network-plugin.ts";
import { CONFIG_SCHEMA } from "../cni/network-config.ts";
import { closestOf } from "./closest.ts";
import { quote } from "./refuse.ts";

/** Keys that are told of; more are counted. */
const TOLD_MAX = 8;

/** Of schemas within each other. */
const DEPTH_MAX = 8;

/** What every network may have: keys of the host, of what it puts around plugins, and of libcni. */
const HOST_KEYS = [
  ...Object.keys(CONFIG_SCHEMA.properties),
  ...["tuning", "bandwidth", "cniVersion", "cniVersions", "disableCheck", "disableGC"],
  ...["loadOnlyInlinedPlugins", "capabilities", "prevResult"],
];

/** Names that are somebody's own, as the standard wants them (multi-network standard 1.3, 4.1.2); comments. */
const FOREIGN_KEY = /^(?:_|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?:\/|$))/;

/** Schemas within a schema that are about the same object. */
const SAME_OBJECT = ["allOf", "anyOf", "oneOf", "if", "then", "else", "dependentSchemas"];

/** By these a schema may know keys that it does not name here. */
const OPEN = ["$ref", "$dynamicRef", "$recursiveRef", "patternProperties", "propertyNames"];

/**
 * A sentence for each key of a configuration that neither the host nor the plugin's schema names: nobody reads
 * it, and its meaning falls back to a default. Empty where the schema names no keys or leaves them open.
 */
export function findUnknownKeys(
  configJson: string,
  { name, configSchemaJson }: Pick<PluginInfo, "name" | "configSchemaJson">,
): string[] {
  const own = configSchemaJson === "" ? undefined : keysOf(parse(configSchemaJson), DEPTH_MAX);
  if (own === undefined || own.size === 0) return [];
  const known = new Set([...own, ...HOST_KEYS]);
  const unknown = Object.keys(asObject(parse(configJson))).filter(
    (key) => !known.has(key) && !FOREIGN_KEY.test(key),
  );
  const told = unknown.slice(0, TOLD_MAX).map((key) => {
    const meant = closestOf(key, [...known]);
    const hint = meant === undefined ? "" : `, did you mean ${meant}?`;
    return `${isPlain(key) ? key : quote(key)} is not a key of plugin ${name}${hint}`;
  });
  const more = unknown.length - told.length;
  return more === 0 ? told : [...told, `${more} more are not keys of plugin ${name}`];
}

/** Undefined: they cannot be told. */
function keysOf(schema: unknown, depth: number): Set<string> | undefined {
  const keys = new Set<string>();
  const object = asObject(schema);
  if (depth === 0 || OPEN.some((key) => key in object)) return undefined;
  for (const rest of [object["additionalProperties"], object["unevaluatedProperties"]]) {
    if (rest !== undefined && rest !== false) return undefined;
  }
  for (const key of Object.keys(asObject(object["properties"]))) keys.add(key);
  for (const word of SAME_OBJECT) {
    const value = object[word];
    if (value === undefined) continue;
    const parts =
      Array.isArray(value) || word === "dependentSchemas" ? Object.values(value ?? {}) : [value];
    for (const part of parts) {
      const more = keysOf(part, depth - 1);
      if (more === undefined) return undefined;
      for (const key of more) keys.add(key);
    }
  }
  return keys;
}

function isPlain(key: string): boolean {
  return /^[A-Za-z][\w-]{0,62}$/.test(key);
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Record<string, unknown>) : {};
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
