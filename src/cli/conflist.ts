import { parseNetworkConfig } from "../plugin-host/cni/network-config.ts";
import { NODE_RANGES } from "../plugin-host/cni/node-ranges.ts";
import { PatchbayError } from "../plugin-host/errors.ts";
import { CliError, EXIT } from "./failure.ts";

/** Name of the file: runtimes take the first by name. */
export const CONFLIST_FILE = "10-patchbay.conflist";
/** Type of the plugin, and so the name of the shim's file. */
export const SHIM_FILE = "patchbay";

/**
 * For runtimes that do not know `cniVersions`, and refuse results newer than themselves: libcni
 * before 1.2, as in containerd 1.6 and 1.7.
 */
const cniVersion = "1.0.0";
/** All others take the highest that they know, and so get GC and STATUS. */
const cniVersions = ["1.0.0", "1.1.0"];

/** What a user chooses of a network. */
export interface NetworkChoice {
  readonly name: string;
  /** Absolute; "/" on a node. */
  readonly root: string;
  readonly plugin: string;
  readonly mtu: number | undefined;
  readonly ipMasq: boolean;
  /** CIDR, one for each family that pods get; "node": those of the Node object. */
  readonly ranges: readonly string[] | "node";
}

/**
 * The conflist of a network as text. Throws CliError (usage) that names the field when the host
 * would refuse it.
 */
export function formatConflist(choice: NetworkChoice): string {
  const { ranges } = choice;
  const plugin = {
    type: SHIM_FILE,
    ...(choice.root !== "/" && { root: choice.root }),
    plugin: choice.plugin,
    ...(choice.mtu !== undefined && { mtu: choice.mtu }),
    ipMasq: choice.ipMasq,
    capabilities: {
      ips: true,
      mac: true,
      portMappings: true,
      bandwidth: true,
      "io.kubernetes.cri.pod-annotations": true,
    },
    ipam: { ranges: ranges === NODE_RANGES ? ranges : ranges.map((subnet) => [{ subnet }]) },
  };
  try {
    parseNetworkConfig({ ...plugin, name: choice.name, cniVersion }, cniVersion);
  } catch (error) {
    if (!(error instanceof PatchbayError)) throw error;
    throw new CliError(`The conflist would be wrong: ${error.message}`, EXIT.usage, {
      cause: error,
    });
  }
  return `${JSON.stringify({ cniVersion, cniVersions, name: choice.name, plugins: [plugin] }, null, 2)}\n`;
}

/** What the CLI reads of a conflist that lies there. */
export interface Conflist {
  readonly cniVersion: string;
  readonly name: string;
  /** The plugin object that the shim gets; undefined when the conflist is somebody else's. */
  readonly plugin: Readonly<Record<string, unknown>> | undefined;
}

/** Parses a conflist. Throws CliError that names the file. */
export function parseConflist(text: string, file: string): Conflist {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new CliError(`${file} is not JSON: correct or remove it`, EXIT.failure, { cause });
  }
  if (!isObject(json) || typeof json["name"] !== "string") {
    throw new CliError(`${file} has no name: correct or remove it`);
  }
  const plugins = Array.isArray(json["plugins"]) ? json["plugins"].filter(isObject) : [json];
  const version = json["cniVersion"];
  return {
    cniVersion: typeof version === "string" ? version : "0.1.0",
    name: json["name"],
    plugin: plugins.find((plugin) => plugin["type"] === SHIM_FILE),
  };
}

/** Subnets in a conflist, host-local's two ways of writing them included. */
export function subnetsOf(plugin: Conflist["plugin"]): string[] {
  const subnets = JSON.stringify(plugin?.["ipam"] ?? {}).matchAll(/"subnet":"([^"]*)"/g);
  return [...subnets].map(([, subnet]) => subnet ?? "");
}

/** True where the network takes the ranges of the Node object. */
export function hasNodeRanges(plugin: Conflist["plugin"]): boolean {
  const ipam = plugin?.["ipam"];
  return isObject(ipam) && ipam["ranges"] === NODE_RANGES;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
