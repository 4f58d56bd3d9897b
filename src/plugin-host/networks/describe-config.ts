import { formatPrefix } from "../../ip/address.ts";
import type { NetworkConfig } from "../cni/network-config.ts";

/** What people want to see of a network's configuration: where its addresses come from, and what its plugin is told. */
export interface ConfigDescription {
  readonly subnets: string[];
  /** Plain values by key, sorted. */
  readonly settings: Record<string, string>;
}

const SETTINGS_MAX = 16;
const CHARACTERS_MAX = 64;
const SUBNETS_MAX = 16;

/** Keys that every network has, or that only say how the rest is read. */
const COMMON_KEYS = new Set([
  ...["name", "type", "plugin", "cniVersion", "ipMasq", "disableCheck", "disableGC", "root"],
]);

/** Nothing that somebody may log in with is shown to whoever looks at a network. */
const SECRET_KEY = /passw|secret|token|credential|private|psk|key$/i;

/** Of a CNI chain: its first plugin, which makes the interface. Never throws: the configuration may be an old one. */
export function describeConfig(
  config: Pick<NetworkConfig, "ipam" | "configJson">,
): ConfigDescription {
  const json = asObject(parse(config.configJson));
  const delegate = asObject(json["delegate"]);
  const [first] = asList(delegate["plugins"]);
  const chain = { ...delegate, ...asObject(first) };
  const own = config.ipam.ranges.map(({ subnet }) => formatPrefix(subnet));
  const subnets = [...new Set([...own, ...subnetsOf(asObject(chain["ipam"]))])];
  const settings = Object.entries({ ...json, ...chain })
    .filter(([key]) => !COMMON_KEYS.has(key) && !SECRET_KEY.test(key))
    .flatMap(([key, value]) => (isPlain(value) ? [[key, String(value)] as const] : []))
    .filter(([, value]) => value !== "")
    .filter((texts) => texts.every(({ length }) => length <= CHARACTERS_MAX))
    .sort(([left], [right]) => (left < right ? -1 : 1));
  return {
    subnets: subnets.slice(0, SUBNETS_MAX),
    settings: Object.fromEntries(settings.slice(0, SETTINGS_MAX)),
  };
}

/** host-local's `subnet`, or `ranges` of `subnet` (CNI plugins, IPAM). */
function subnetsOf(ipam: Readonly<Record<string, unknown>>): string[] {
  const ranges = asList(ipam["ranges"]).flatMap(asList).map(asObject);
  return [ipam, ...ranges]
    .map(({ subnet }) => subnet)
    .filter((subnet): subnet is string => typeof subnet === "string")
    .filter(({ length }) => length <= CHARACTERS_MAX);
}

function isPlain(value: unknown): value is string | number | boolean {
  return ["string", "number", "boolean"].includes(typeof value);
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Record<string, unknown>) : {};
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
