import { type Capability, type PluginInfo, PluginError } from "../../plugin-sdk/network-plugin.ts";
import { compilePluginSchema } from "../cni/plugin-schema.ts";
import { LIMITS } from "../limits.ts";
import { toPlainText } from "./plain-text.ts";

/** Contract packages that this host speaks, newest first. */
export const CONTRACTS: readonly string[] = ["patchbay.plugin.v1"];

/** Same as a CNI network name: contracts, plugin.proto. */
const PLUGIN_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/;
/** Of the lists that a plugin sends of itself, entries. */
const LIST_MAX = 64;
const VERSION_MAX = 63;

/** What a plugin says of itself, checked; unknown roles and capabilities are left out. */
export interface CheckedInfo extends PluginInfo {
  /** The newest contract that both sides speak. */
  readonly contract: string;
}

/** Throws PluginError that names field and expectation. */
export function checkPluginInfo(info: PluginInfo): CheckedInfo {
  const { name, contractVersions } = info;
  if (!PLUGIN_NAME.test(name)) {
    const found = JSON.stringify(name.slice(0, VERSION_MAX));
    throw refusal(`its name is ${found}, expected alphanumerics, '_', '.' or '-'`);
  }
  const contract = CONTRACTS.find((known) => contractVersions.includes(known));
  if (contract === undefined) {
    const theirs = contractVersions.slice(0, LIST_MAX).join(", ");
    throw refusal(
      `no contract in common: it speaks ${toPlainText(theirs) || "none"}, the host ${CONTRACTS.join(", ")}`,
    );
  }
  return {
    name,
    version: toPlainText(info.version.slice(0, VERSION_MAX)),
    contract,
    contractVersions: [contract],
    roles: info.roles.slice(0, LIST_MAX).filter((role) => typeof role === "string"),
    capabilities: info.capabilities
      .slice(0, LIST_MAX)
      .filter((capability): capability is Capability => typeof capability === "string"),
    configSchemaJson: info.roles.includes("ROLE_NETWORK") ? checkSchema(info.configSchemaJson) : "",
  };
}

/** Fields by which a schema names itself: two of them with one name could not be compiled side by side. */
const OWN_NAMES = new Set(["$schema", "$id"]);

/** A schema that Ajv compiles, in one line; "" for none. */
function checkSchema(json: string): string {
  if (json === "") return "";
  if (Buffer.byteLength(json) > LIMITS.pluginSchemaBytesMax) {
    throw refusal(
      `config_schema_json has ${Buffer.byteLength(json)} bytes, expected at most ${LIMITS.pluginSchemaBytesMax}`,
    );
  }
  try {
    const schema: unknown = JSON.parse(json, (key, value: unknown) =>
      OWN_NAMES.has(key) && typeof value === "string" ? undefined : value,
    );
    if (typeof schema !== "object" || schema === null || Array.isArray(schema)) {
      throw new TypeError("it is no object");
    }
    // Its answer would be a promise, and a promise is no refusal.
    if ("$async" in schema) throw new TypeError("$async is not supported");
    const text = JSON.stringify(schema);
    compilePluginSchema(text);
    return text;
  } catch (error) {
    throw refusal(`config_schema_json is no JSON schema: ${toPlainText(String(error))}`);
  }
}

function refusal(reason: string): PluginError {
  return new PluginError("invalid-config", reason);
}
