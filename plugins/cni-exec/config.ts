import { PluginError } from "../../src/plugin-sdk/network-plugin.ts";
import { newestOf } from "./versions.ts";

/** A CNI configuration as its user wrote it, read. */
export interface DelegateConfig {
  /** Name of the CNI network. */
  readonly name: string;
  /** Newest version of CNI that its user wants. Absent: any. */
  readonly cniVersion: string | undefined;
  /** In the order of ADD, at least one. */
  readonly chain: readonly ChainMember[];
  readonly disableCheck: boolean;
  readonly disableGc: boolean;
}

/** One plugin of a chain. */
export interface ChainMember {
  readonly type: string;
  /** As written. */
  readonly json: Readonly<Record<string, unknown>>;
  /** Names of the capabilities that it declares. */
  readonly capabilities: ReadonlySet<string>;
  /** `ipam.type`. Absent: none. */
  readonly ipamType: string | undefined;
}

/** A type is the name of a file in one of binDirs, and nothing else. */
const TYPE_PATTERN = "^(?!\\.{1,2}$)[^/\\u0000]{1,255}$";
const CHAIN_MAX = 32;

const MEMBER_SCHEMA = {
  type: "object",
  required: ["type"],
  properties: {
    type: { type: "string", pattern: TYPE_PATTERN },
    capabilities: { type: "object" },
    ipam: { type: "object", properties: { type: { type: "string" } } },
  },
} as const;

export const CONFIG_SCHEMA = {
  type: "object",
  required: ["delegate"],
  properties: {
    delegate: {
      type: "object",
      properties: {
        ...MEMBER_SCHEMA.properties,
        plugins: { type: "array", minItems: 1, maxItems: CHAIN_MAX, items: MEMBER_SCHEMA },
      },
      anyOf: [{ required: ["plugins"] }, { required: ["type"] }],
    },
  },
} as const;

/** CNI 1.1, "Configuration format": what `name` may be made of; host-local makes a folder of it. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;

/** Reads a configuration. Throws PluginError invalid-config that names the field. */
export function readDelegateConfig(configJson: string): DelegateConfig {
  const outer = asObject(parse(configJson), "The configuration");
  const delegate = asObject(outer["delegate"], "delegate");
  const isList = delegate["plugins"] !== undefined;
  const chain = isList
    ? asList(delegate["plugins"], "delegate.plugins").map((json, index) =>
        readMember(json, `delegate.plugins[${index}]`),
      )
    : [readMember(delegate, "delegate")];
  const name = delegate["name"] ?? outer["name"];
  if (typeof name !== "string" || !NAME.test(name)) {
    throw invalid(
      "delegate.name",
      name,
      "letters, digits, '_', '.' and '-', a letter or digit first",
    );
  }
  return {
    name,
    cniVersion: versionOf(delegate) ?? versionOf(outer),
    chain,
    disableCheck: asFlag(delegate["disableCheck"], "delegate.disableCheck"),
    disableGc: asFlag(delegate["disableGC"], "delegate.disableGC"),
  };
}

/** "bridge+portmap", for people. */
export function chainName({ chain }: Pick<DelegateConfig, "chain">): string {
  return chain.map(({ type }) => type).join("+");
}

function readMember(value: unknown, field: string): ChainMember {
  const json = asObject(value, field);
  const { type } = json;
  if (typeof type !== "string" || !new RegExp(TYPE_PATTERN).test(type)) {
    throw invalid(`${field}.type`, type, "the name of a CNI plugin, without '/'");
  }
  const ipam = json["ipam"];
  const ipamType = typeof ipam === "object" && ipam && "type" in ipam ? ipam.type : undefined;
  return {
    type,
    json,
    capabilities: readCapabilities(json["capabilities"] ?? {}, `${field}.capabilities`),
    ipamType: typeof ipamType === "string" && ipamType !== "" ? ipamType : undefined,
  };
}

/** A capability counts when its value is true. */
function readCapabilities(value: unknown, field: string): ReadonlySet<string> {
  const declared = Object.entries(asObject(value, field)).filter(([, is]) => is === true);
  return new Set(declared.map(([name]) => name));
}

/** The newest of cniVersion and cniVersions (CNI 1.1, "Configuration format"). */
function versionOf(json: Readonly<Record<string, unknown>>): string | undefined {
  const listed = Array.isArray(json["cniVersions"]) ? (json["cniVersions"] as unknown[]) : [];
  const texts = [json["cniVersion"], ...listed].filter(
    (version): version is string => typeof version === "string" && version !== "",
  );
  return newestOf(texts);
}

/** libcni takes the booleans of a list as text, too. */
function asFlag(value: unknown, field: string): boolean {
  if (value === undefined) return false;
  if (typeof value === "boolean") return value;
  if (value === "true" || value === "false") return value === "true";
  throw invalid(field, value, "true or false");
}

function asList(value: unknown, field: string): readonly unknown[] {
  if (Array.isArray(value) && value.length > 0 && value.length <= CHAIN_MAX) return value;
  throw invalid(field, value, `a list of 1 to ${CHAIN_MAX} plugins`);
}

function asObject(value: unknown, field: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw invalid(field, value, "an object");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new PluginError("invalid-config", "The configuration is not JSON", { cause });
  }
}

function invalid(field: string, value: unknown, expected: string): PluginError {
  const text = JSON.stringify(value) ?? "missing";
  const shown = text.length <= 80 ? text : `${text.slice(0, 77)}...`;
  return new PluginError("invalid-config", `${field} is ${shown}, expected ${expected}`);
}
