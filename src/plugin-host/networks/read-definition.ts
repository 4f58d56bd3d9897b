import { parseNetworkConfig, type NetworkConfig } from "../cni/network-config.ts";
import {
  CNI_VERSION_NEWEST,
  CNI_VERSIONS,
  type CniVersion,
  isAtLeast,
  isCniVersion,
} from "../cni/versions.ts";
import { PatchbayError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import {
  asMapping,
  asText,
  failure,
  fieldOf,
  flagIn,
  itemsIn,
  type Place,
  required,
  rootPlace,
  type TextRule,
  unexpected,
} from "../manifests/fields.ts";
import { isDeeperThan } from "./json-depth.ts";
import { type NetworkDefinition, networkNameOf } from "./network-definition.ts";
import { readFields, refusal } from "./refuse.ts";

/** A NetworkAttachmentDefinition as it stands in its manifest. */
export interface DefinitionInput {
  readonly namespace: string;
  readonly name: string;
  /** spec.config; "": the node's own configuration of that name counts. */
  readonly configText: string;
  /** Annotation k8s.v1.cni.cncf.io/resourceName; "": none. */
  readonly resourceName: string;
  /** The node's CNI configuration, a list or a single one, of a network's name: its text. */
  readonly findConflist: (name: string) => string | undefined;
}

/** Plugin that runs the CNI plugins of others. */
const CNI_EXEC = "cni-exec";

/** Type of CNI plugin by which a configuration is one for the host itself. */
const OWN_TYPE = "patchbay";

/** Version of a configuration for CNI plugins that names none: the oldest that all of them speak. */
const UNNAMED_VERSION: CniVersion = "0.3.1";

/** "namespace/name" stands in the alias of links, like the names of other networks. */
const IDENTITY_CHARACTERS_MAX = 128;

const CNI_PLUGINS_MAX = 32;

/** Nested objects and lists of a configuration. */
const DEPTH_MAX = 64;

const PLUGIN_TYPE: TextRule = {
  expected: "the file name of a CNI plugin",
  test: (text) => /^[^/\\\s]{1,255}$/.test(text) && !/^\.\.?$/.test(text),
};

const TEXT: TextRule = { expected: "text", test: () => true };

/**
 * Reads a definition (multi-network standard 1.3, 3.2): a plugin of Patchbay's where the type is "patchbay",
 * else cni-exec with the configuration as written. Throws PatchbayError INVALID_NETWORK_CONFIG.
 */
export function readDefinition(input: DefinitionInput): NetworkDefinition {
  const { namespace, name, resourceName } = input;
  const identity = networkNameOf(input);
  if (identity.length > IDENTITY_CHARACTERS_MAX) {
    throw refusal(
      "metadata.name",
      `has ${identity.length} characters together with its namespace, expected at most ${IDENTITY_CHARACTERS_MAX}`,
    );
  }
  const { where, text } = configTextOf(input);
  const place = parseConfig(where, text);
  const { config, cniTypes } = readFields(`${where}: `, () => readConfig(place, { where, name }));
  return { namespace, name, config: { ...config, name: identity }, resourceName, cniTypes };
}

function configTextOf({ name, configText, findConflist }: DefinitionInput): {
  readonly where: string;
  readonly text: string;
} {
  if (configText.trim() !== "") return { where: "spec.config", text: configText };
  const text = findConflist(name);
  if (text !== undefined) return { where: `CNI configuration ${name} of the node`, text };
  throw refusal("spec.config", `is missing, and the node has no CNI configuration named ${name}`);
}

function parseConfig(where: string, text: string): Place {
  const bytes = new TextEncoder().encode(text).length;
  if (bytes > LIMITS.configBytesMax) {
    throw refusal(where, `has ${bytes} bytes, expected at most ${LIMITS.configBytesMax}`);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw refusal(where, "is not JSON", { cause });
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw refusal(where, "is not a JSON object");
  }
  if (isDeeperThan(json, DEPTH_MAX)) {
    throw refusal(where, `is nested too deep, expected at most ${DEPTH_MAX} levels`);
  }
  return rootPlace(json);
}

interface Served {
  readonly config: NetworkConfig;
  readonly cniTypes: readonly string[];
}

function readConfig(
  place: Place,
  { where, name }: { readonly where: string; readonly name: string },
): Served {
  const members = membersOf(place);
  const types = members.map(typeOf);
  const cniName = nameOf(place) ?? name;
  const own = types.indexOf(OWN_TYPE);
  if (own < 0) {
    const version = versionOf(place) ?? UNNAMED_VERSION;
    return {
      config: execConfig(place, { where, members, cniName, version }),
      cniTypes: types,
    };
  }
  refuseMix(members, own);
  const version = versionOf(place) ?? CNI_VERSION_NEWEST;
  const json = { ...(members[own]?.value as object), name: cniName };
  return { config: parse(where, json, version), cniTypes: [] };
}

/** The plugins of a list, or the one that the configuration is. */
function membersOf(place: Place): readonly Place[] {
  const plugins = fieldOf(place, "plugins");
  if (plugins === undefined) return [place];
  const members = itemsIn(place, "plugins", { max: CNI_PLUGINS_MAX });
  if (members.length === 0) throw failure(plugins, "is empty, expected at least one plugin");
  return members.map(asMapping);
}

function typeOf(member: Place): string {
  const field = fieldOf(member, "type");
  const missing = { key: "type", expected: "the name of a CNI plugin, or patchbay" };
  return asText(required(field, member, missing), PLUGIN_TYPE);
}

function nameOf(place: Place): string | undefined {
  const field = fieldOf(place, "name");
  return field === undefined || field.value === "" ? undefined : asText(field, TEXT);
}

/** CNI 1.1, "Network configuration format": the newest of cniVersions that is known. */
function versionOf(place: Place): CniVersion | undefined {
  const field = fieldOf(place, "cniVersion");
  const all = [
    ...(field === undefined ? [] : [field]),
    ...itemsIn(place, "cniVersions", { max: 64 }),
  ];
  const known = all.map(({ value }) => value).filter(isCniVersion);
  const [first] = all;
  if (first === undefined) return undefined;
  if (known.length === 0) throw unexpected(first, `one of ${CNI_VERSIONS.join(", ")}`);
  return known.reduce((newest, each) => (isAtLeast(each, newest) ? each : newest));
}

/** What others chain behind a plugin is a key of a network of Patchbay's. */
function refuseMix(members: readonly Place[], own: number): void {
  const other = members.find((_, index) => index !== own);
  const type = other && fieldOf(other, "type");
  if (type === undefined) return;
  throw unexpected(
    type,
    `nothing beside plugins[${own}].type patchbay: mtu, mac, sysctls, txqlen and bandwidth are keys of the network itself`,
  );
}

interface ExecInput {
  readonly where: string;
  readonly members: readonly Place[];
  readonly cniName: string;
  readonly version: CniVersion;
}

/** The delegate is handed on with every field as written: its DEL may need what only its author knows. */
function execConfig(place: Place, { where, members, cniName, version }: ExecInput): NetworkConfig {
  const json = { name: cniName, plugin: CNI_EXEC, delegate: place.value };
  return {
    ...parse(where, json, version),
    configJson: JSON.stringify({ cniVersion: version, ...json }),
    dependsOn: members.flatMap(mastersInside),
  };
}

/** Interfaces of the pod that macvlan, ipvlan and vlan stand on. */
function mastersInside(member: Place): string[] {
  const master = fieldOf(member, "master");
  const inside = flagIn(member, "linkInContainer") ?? false;
  return inside && master !== undefined ? [asText(master, TEXT)] : [];
}

function parse(
  where: string,
  json: Readonly<Record<string, unknown>>,
  version: CniVersion,
): NetworkConfig {
  try {
    return parseNetworkConfig(json, version, { isExtra: true });
  } catch (cause) {
    if (!(cause instanceof PatchbayError)) throw cause;
    throw new PatchbayError(cause.code, `${where}: ${cause.message}`);
  }
}
