import { readFileSync, statSync } from "node:fs";
import { isIPv4, isIPv6 } from "node:net";
import { formatPrefix, type IpPrefix, networkOf, parsePrefix } from "../ip/address.ts";
import { PatchbayError } from "./errors.ts";
import { LIMITS } from "./limits.ts";
import type { TextRule } from "./manifests/fields.ts";
import { DNS_LABEL } from "./manifests/rules.ts";
import type { NetworkPolicy } from "./networks/visibility.ts";

/** The host's own configuration file, checked (docs/config.md, "Host"). */
export interface HostConfig {
  readonly services: ServicesConfig;
  readonly networks: NetworksConfig;
  readonly cni: CniConfig;
}

/** How the CNI plugins of others are executed (plugin cni-exec). */
export interface CniConfig {
  /** Where they are looked for, in order. */
  readonly binDirs: readonly string[];
  /** The node's own CNI configurations. */
  readonly confDir: string;
  /** One execution, ms. */
  readonly execTimeoutMs: number;
  /** At the same time; undefined: as memory and processors allow. */
  readonly runningMax: number | undefined;
}

export interface NetworksConfig extends NetworkPolicy {
  /** Sysctls that networks may set in pods, a trailing "*" for all that begin so; undefined: not said. */
  readonly sysctlAllowList: readonly string[] | undefined;
  /** Whether the loop that compares attachments with the kernel mends what differs, or only tells. */
  readonly repairsDrift: boolean;
}

export interface ServicesConfig {
  /** Sources in these are pods, beside the podCIDRs of Node objects. */
  readonly clusterCidrs: readonly IpPrefix[];
  readonly nodePortAddresses: readonly NodePortAddress[];
  /** Masquerade everything to cluster IPs, pods' too. */
  readonly masqueradeAll: boolean;
  /** Bit of the packet mark, 0 to 31. */
  readonly masqueradeBit: number;
  /** Whether ADD waits until the Services of its moment are programmed, and how long, ms. */
  readonly addWaits: { readonly enabled: boolean; readonly timeoutMs: number };
  /** Where /healthz and /livez are served; undefined: nowhere. */
  readonly healthz: { readonly address: string; readonly port: number } | undefined;
}

/** Addresses that serve NodePorts: words of kube-proxy's nodePortAddresses, or the node's addresses in a prefix. */
export type NodePortAddress = "primary" | "all" | "localhost" | IpPrefix;

const ADD_WAIT_MS_MAX = 60_000;
const LIST_MAX = 256;

/** Reads the file. A file that is absent and was not asked for by name is an empty one. Throws PatchbayError INVALID_HOST_CONFIG that names file, field and reason. */
export function readHostConfig(
  file: string,
  options: { readonly isOptional: boolean; readonly hasCluster: boolean },
): HostConfig {
  let text: string;
  try {
    const { size } = statSync(file);
    if (size > LIMITS.hostConfigBytesMax) {
      throw new Error(`It has ${size} bytes, at most ${LIMITS.hostConfigBytesMax} are read`);
    }
    text = readFileSync(file, "utf8");
  } catch (cause) {
    const isAbsent = (cause as NodeJS.ErrnoException).code === "ENOENT";
    if (isAbsent && options.isOptional) return parseHostConfig({}, options);
    throw new PatchbayError("INVALID_HOST_CONFIG", `Cannot read ${file}`, { cause });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new PatchbayError("INVALID_HOST_CONFIG", `${file} is not JSON`, { cause });
  }
  try {
    return parseHostConfig(json, options);
  } catch (error) {
    if (!(error instanceof PatchbayError)) throw error;
    throw new PatchbayError("INVALID_HOST_CONFIG", `${file}: ${error.message}`);
  }
}

/**
 * Checks a configuration. `hasCluster`: some defaults are others where an API server tells of Services. Throws
 * PatchbayError INVALID_HOST_CONFIG that names field and expectation.
 */
export function parseHostConfig(
  json: unknown,
  { hasCluster }: { readonly hasCluster: boolean },
): HostConfig {
  const root = asObject(json, "The configuration", ["services", "networks", "cni"]);
  const services = asObject(root["services"] ?? {}, "services", [
    "clusterCidrs",
    "nodePortAddresses",
    "masqueradeAll",
    "masqueradeBit",
    "addWaits",
    "healthzAddress",
  ]);
  const addWaits = asObject(services["addWaits"] ?? {}, "services.addWaits", [
    "enabled",
    "timeoutMs",
  ]);
  return {
    services: {
      clusterCidrs: asList(services["clusterCidrs"] ?? [], "services.clusterCidrs").map(
        ([text, field]) => asNetwork(text, field),
      ),
      nodePortAddresses: asList(
        services["nodePortAddresses"] ?? ["primary"],
        "services.nodePortAddresses",
      ).map(([text, field]) => asNodePortAddress(text, field)),
      masqueradeAll: asFlag(services["masqueradeAll"] ?? false, "services.masqueradeAll"),
      masqueradeBit: asInteger(services["masqueradeBit"] ?? 14, {
        field: "services.masqueradeBit",
        min: 0,
        max: 31,
      }),
      addWaits: {
        enabled: asFlag(addWaits["enabled"] ?? hasCluster, "services.addWaits.enabled"),
        timeoutMs: asInteger(addWaits["timeoutMs"] ?? 2_000, {
          field: "services.addWaits.timeoutMs",
          min: 1,
          max: ADD_WAIT_MS_MAX,
        }),
      },
      healthz: asPlace(services["healthzAddress"] ?? "0.0.0.0:10256", "services.healthzAddress"),
    },
    networks: parseNetworks(root["networks"] ?? {}),
    cni: parseCni(root["cni"] ?? {}),
  };
}

function parseCni(json: unknown): CniConfig {
  const cni = asObject(json, "cni", ["binDirs", "confDir", "execTimeoutMs", "runningMax"]);
  const binDirs = asList(cni["binDirs"] ?? ["/opt/cni/bin", "/usr/lib/cni"], "cni.binDirs");
  if (binDirs.length === 0) throw invalid("cni.binDirs", [], "at least one folder");
  const runningMax = cni["runningMax"];
  return {
    // ":" joins them in CNI_PATH.
    binDirs: binDirs.map(([text, field]) => asMatch(text, { field, rule: BIN_DIR })),
    confDir: asMatch(asText(cni["confDir"] ?? "/etc/cni/net.d", "cni.confDir"), {
      field: "cni.confDir",
      rule: FOLDER,
    }),
    execTimeoutMs: asInteger(cni["execTimeoutMs"] ?? LIMITS.cniExecMs, {
      field: "cni.execTimeoutMs",
      min: 100,
      // Within the time of an Attach, with some left to say what happened.
      max: LIMITS.attachMs - 5_000,
    }),
    runningMax:
      runningMax === undefined
        ? undefined
        : asInteger(runningMax, { field: "cni.runningMax", min: 1, max: LIMITS.runningMax }),
  };
}

const FOLDER: TextRule = {
  expected: "an absolute path",
  test: (text) => text.startsWith("/") && !text.includes("\0") && text.length < 4096,
};

const BIN_DIR: TextRule = {
  expected: 'an absolute path without ":"',
  test: (text) => FOLDER.test(text) && !text.includes(":"),
};

function parseNetworks(json: unknown): NetworksConfig {
  const networks = asObject(json, "networks", [
    "namespaceIsolation",
    "globalNamespaces",
    "sysctlAllowList",
    "repairDrift",
  ]);
  const sysctls = networks["sysctlAllowList"];
  return {
    namespaceIsolation: asFlag(
      networks["namespaceIsolation"] ?? false,
      "networks.namespaceIsolation",
    ),
    globalNamespaces: asList(
      networks["globalNamespaces"] ?? ["default"],
      "networks.globalNamespaces",
    ).map(([text, field]) => asMatch(text, { field, rule: DNS_LABEL })),
    repairsDrift: asFlag(networks["repairDrift"] ?? true, "networks.repairDrift"),
    sysctlAllowList:
      sysctls === undefined
        ? undefined
        : asList(sysctls, "networks.sysctlAllowList").map(([text, field]) =>
            asMatch(text, { field, rule: SYSCTLS }),
          ),
  };
}

/** Others than those of net are the node's, not a pod's. */
const SYSCTLS: TextRule = {
  expected: 'a sysctl below "net.", or what some begin with and "*"',
  test: (text) => /^net\.[A-Za-z0-9_.-]*\*?$/.test(text) && !text.includes(".."),
};

/** A key that nobody knows is a mistake of the one who wrote it, and would do nothing. */
function asObject(
  value: unknown,
  field: string,
  keys: readonly string[],
): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid(field, value, "an object");
  }
  const unknown = Object.keys(value).find((key) => !keys.includes(key));
  if (unknown === undefined) return value as Record<string, unknown>;
  throw new PatchbayError(
    "INVALID_HOST_CONFIG",
    `${field} has the key ${JSON.stringify(unknown.slice(0, 80))}, expected ${keys.join(", ")}`,
  );
}

function asText(value: unknown, field: string): string {
  if (typeof value === "string") return value;
  throw invalid(field, value, "a text");
}

/** Texts with their field names. */
function asList(value: unknown, field: string): [string, string][] {
  if (!Array.isArray(value)) throw invalid(field, value, "a list");
  if (value.length > LIST_MAX) throw invalid(field, value.length, `at most ${LIST_MAX} entries`);
  return value.map((entry: unknown, index) => {
    const at = `${field}[${index}]`;
    if (typeof entry !== "string") throw invalid(at, entry, "a text");
    return [entry, at];
  });
}

function asMatch(
  text: string,
  { field, rule }: { readonly field: string; readonly rule: TextRule },
): string {
  if (rule.test(text)) return text;
  throw invalid(field, text, rule.expected);
}

function asNetwork(text: string, field: string): IpPrefix {
  const prefix = findPrefix(text);
  if (!prefix) throw invalid(field, text, "an address with a prefix length");
  const network = networkOf(prefix);
  if (network.value === prefix.value) return network;
  throw invalid(field, text, `${formatPrefix(network)}: host bits are set`);
}

function asNodePortAddress(text: string, field: string): NodePortAddress {
  if (text === "primary" || text === "all" || text === "localhost") return text;
  const prefix = findPrefix(text);
  if (prefix) return networkOf(prefix);
  throw invalid(field, text, 'a prefix, "primary", "all" or "localhost"');
}

function findPrefix(text: string): IpPrefix | undefined {
  try {
    return parsePrefix(text);
  } catch {
    return undefined;
  }
}

function asFlag(value: unknown, field: string): boolean {
  if (typeof value === "boolean") return value;
  throw invalid(field, value, "true or false");
}

function asInteger(
  value: unknown,
  bounds: { readonly field: string; readonly min: number; readonly max: number },
): number {
  const { field, min, max } = bounds;
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) {
    return value as number;
  }
  throw invalid(field, value, `a whole number from ${min} to ${max}`);
}

/** "0.0.0.0:10256", "[::]:10256" or "off". */
function asPlace(value: unknown, field: string): ServicesConfig["healthz"] {
  if (value === "off") return undefined;
  const text = typeof value === "string" ? value : "";
  const colon = text.lastIndexOf(":");
  const host = text.slice(0, Math.max(0, colon));
  const digits = text.slice(colon + 1);
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : 0;
  const bare = /^\[.*\]$/.test(host) ? host.slice(1, -1) : undefined;
  const isAddress = bare === undefined ? isIPv4(host) : isIPv6(bare);
  if (isAddress && port >= 1 && port <= 65_535) return { address: bare ?? host, port };
  throw invalid(
    field,
    value,
    '"ADDRESS:PORT" with an IP address (IPv6 in brackets), no name, or "off"',
  );
}

function invalid(field: string, value: unknown, expected: string): PatchbayError {
  const text = JSON.stringify(value) ?? "nothing";
  const shown = text.length <= 80 ? text : `${text.slice(0, 77)}...`;
  return new PatchbayError("INVALID_HOST_CONFIG", `${field} is ${shown}, expected ${expected}`);
}
