import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import { formatAddress, type IpAddress, parseAddress, parsePrefix } from "../../ip/address.ts";
import { type IpamConfig, NO_IPAM, parseIpamConfig } from "../../ipam/config.ts";
import { IpamConfigError } from "../../ipam/ipam-error.ts";
import type { Bandwidth } from "../../plugin-sdk/network-plugin.ts";
import { PatchbayError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { asksNodeRanges, withoutRanges, withRanges } from "./node-ranges.ts";
import { compilePluginSchema } from "./plugin-schema.ts";
import { normalizeRuntimeConfig } from "./runtime-config.ts";
import type { CniVersion } from "./versions.ts";

/** A network as its conflist describes it, checked. */
export interface NetworkConfig {
  readonly cniVersion: CniVersion;
  readonly name: string;
  /** Name of the network plugin. */
  readonly plugin: string;
  /** 0: the plugin's choice. */
  readonly mtu: number;
  readonly ipMasq: boolean;
  readonly ipam: IpamConfig;
  /** True: its ranges are the node's, which are not known now. `ipam` has none, and no pod can be attached. */
  readonly awaitsNodeRanges: boolean;
  readonly dns: DnsConfig | undefined;
  /** The configuration without what differs from call to call, as the plugin gets it. */
  readonly configJson: string;
  /** Addresses asked for by args.cni.ips and runtimeConfig.ips. */
  readonly requestedAddresses: readonly IpAddress[];
  /** The same as given, with prefix length where one was. */
  readonly requestedAddressTexts: readonly string[];
  /** MAC asked for by runtimeConfig.mac. */
  readonly requestedMac: string | undefined;
  /** Host ports asked for by runtimeConfig.portMappings, each once. */
  readonly portMappings: readonly PortMapping[];
  /** Rates asked for by runtimeConfig.bandwidth. */
  readonly requestedBandwidth: Bandwidth | undefined;
  /** The pod's annotations, where the runtime hands them over (capability io.kubernetes.cri.pod-annotations). */
  readonly annotations: Readonly<Record<string, string>>;
  /** Interfaces or networks of the pod that must be there first (keys dependsOn; linkInContainer with master). */
  readonly dependsOn: readonly string[];
  readonly prevResult: unknown;
  /** GC: what the runtime says is valid. Absent: not told. */
  readonly validAttachments: readonly ValidAttachment[] | undefined;
}

export interface DnsConfig {
  readonly nameservers: readonly string[];
  readonly domain: string;
  readonly search: readonly string[];
  readonly options: readonly string[];
}

export interface ValidAttachment {
  readonly containerId: string;
  readonly ifname: string;
}

/** A port of the node that leads to one of the pod. */
export interface PortMapping {
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: "TCP" | "UDP" | "SCTP";
  /** Canonical. "0.0.0.0" and "::": all of the node's of that family; "": of both. */
  readonly hostIp: string;
}

/** One that a link can have: unicast, and not all zero. */
export const MAC_PATTERN = "^(?!00(:00){5}$)[0-9a-fA-F][02468aceACE](:[0-9a-fA-F]{2}){5}$";
const NAME_PATTERN = "^[A-Za-z0-9][A-Za-z0-9_.-]*$";
const PROTOCOL_PATTERN = "^([tT][cC][pP]|[uU][dD][pP]|[sS][cC][tT][pP])?$";

/** Of what a schema allows, in one error. */
const WORDS_MAX = 32;

/** Patterns in words. */
const EXPECTED: Readonly<Record<string, string>> = {
  [MAC_PATTERN]: "a unicast MAC address like 02:00:5e:00:53:01",
  [NAME_PATTERN]: "letters, digits, '_', '.' and '-', a letter or digit first",
  [PROTOCOL_PATTERN]: "tcp, udp or sctp",
  "^/": "an absolute path",
};

/** Capability by which containerd and CRI-O hand over a pod's annotations. */
const POD_ANNOTATIONS = "io.kubernetes.cri.pod-annotations";

/** Bits, or bits each second; what a double holds exactly. */
const RATE = { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const;

/** The keys that the host reads. A plugin's schema (GetInfo) checks the plugin's own keys beside these. */
export const CONFIG_SCHEMA = {
  type: "object",
  required: ["name"],
  properties: {
    // It stands in the alias of links, of which the kernel keeps 255 bytes.
    name: { type: "string", pattern: NAME_PATTERN, maxLength: 128 },
    type: { type: "string" },
    root: { type: "string", pattern: "^/" },
    timeoutSeconds: { type: "number", minimum: 1, maximum: 3600 },
    plugin: { type: "string", pattern: NAME_PATTERN, maxLength: 63 },
    mtu: { type: "integer", minimum: 68, maximum: 65535 },
    ipMasq: { type: "boolean" },
    ipam: { type: "object" },
    dns: {
      type: "object",
      properties: {
        nameservers: { type: "array", items: { type: "string" }, maxItems: 16 },
        domain: { type: "string" },
        search: { type: "array", items: { type: "string" }, maxItems: 64 },
        options: { type: "array", items: { type: "string" }, maxItems: 64 },
      },
    },
    args: {
      type: "object",
      properties: {
        cni: {
          type: "object",
          properties: { ips: { type: "array", items: { type: "string" }, maxItems: 2 } },
        },
      },
    },
    dependsOn: {
      type: "array",
      items: { type: "string", minLength: 1, maxLength: 512 },
      maxItems: LIMITS.podNetworksMax,
    },
    linkInContainer: { type: "boolean" },
    runtimeConfig: {
      type: "object",
      properties: {
        [POD_ANNOTATIONS]: { type: "object", additionalProperties: { type: "string" } },
        bandwidth: {
          type: "object",
          properties: {
            ingressRate: RATE,
            ingressBurst: RATE,
            egressRate: RATE,
            egressBurst: RATE,
          },
        },
        ips: { type: "array", items: { type: "string" }, maxItems: 2 },
        mac: { type: "string", pattern: MAC_PATTERN },
        portMappings: {
          type: "array",
          maxItems: LIMITS.hostPortsMax,
          items: {
            type: "object",
            required: ["hostPort", "containerPort"],
            properties: {
              hostPort: { type: "integer", minimum: 0, maximum: 65535 },
              containerPort: { type: "integer", minimum: 1, maximum: 65535 },
              protocol: { type: "string", pattern: PROTOCOL_PATTERN },
              hostIP: { type: "string" },
            },
          },
        },
      },
    },
  },
} as const;

const VALID_ATTACHMENTS_SCHEMA = {
  type: "array",
  maxItems: LIMITS.gcListMax,
  items: {
    type: "object",
    required: ["containerID", "ifname"],
    properties: { containerID: { type: "string" }, ifname: { type: "string" } },
  },
} as const;

const ajv = new Ajv({ allErrors: false, strict: false, verbose: true });
const validateConfig = ajv.compile(CONFIG_SCHEMA);
const validateAttachments = ajv.compile(VALID_ATTACHMENTS_SCHEMA);

/** Keys that libcni fills anew for each call; they are no part of the network itself. */
const VOLATILE_KEYS = new Set([
  "cniVersion",
  "args",
  "runtimeConfig",
  "prevResult",
  "capabilities",
  "cni.dev/valid-attachments",
  "cni.dev/attachments",
]);

interface ConfigShape {
  readonly name: string;
  readonly plugin?: string;
  readonly mtu?: number;
  readonly ipMasq?: boolean;
  readonly ipam?: Record<string, unknown>;
  readonly dns?: Partial<DnsConfig>;
  readonly args?: { readonly cni?: { readonly ips?: readonly string[] } };
  readonly runtimeConfig?: {
    readonly ips?: readonly string[];
    readonly mac?: string;
    readonly portMappings?: readonly PortMappingShape[];
    readonly bandwidth?: Partial<Bandwidth>;
    readonly [POD_ANNOTATIONS]?: Readonly<Record<string, string>>;
  };
  readonly dependsOn?: readonly string[];
  readonly linkInContainer?: boolean;
  readonly master?: unknown;
  /** Configuration of another CNI plugin (cni-exec), which brings the addresses. */
  readonly delegate?: unknown;
  readonly prevResult?: unknown;
}

/** CNI conventions, "portMappings". */
interface PortMappingShape {
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol?: string;
  readonly hostIP?: string;
}

/** Checks a configuration. Throws PatchbayError INVALID_NETWORK_CONFIG that names field and expectation. */
export function parseNetworkConfig(
  json: Record<string, unknown>,
  cniVersion: CniVersion,
  options: ParseOptions = {},
): NetworkConfig {
  const { isExtra = false, podCidrs = [] } = options;
  const wished = normalizeRuntimeConfig(json);
  if (!validateConfig(wished)) throw invalidField(firstError(validateConfig), "");
  const config = wished as unknown as ConfigShape;
  const isOfNode = asksNodeRanges(config.ipam, isExtra);
  if (isOfNode && podCidrs.length > 0) {
    return parseNetworkConfig(withRanges(json, podCidrs), cniVersion);
  }
  const hasOwnIpam = config.ipam !== undefined && config.ipam["type"] !== "none";
  const isDefaultPool = config.ipam === undefined && !isExtra && config.delegate === undefined;
  const readIpam = (): IpamConfig => {
    const { ipam = {} } = config;
    if (isOfNode) return { ...parseIpam(withoutRanges(ipam)), ranges: [], families: [] };
    return hasOwnIpam || isDefaultPool ? parseIpam(ipam) : NO_IPAM;
  };
  return {
    cniVersion,
    name: config.name,
    plugin: config.plugin ?? "routed",
    mtu: config.mtu ?? 0,
    ipMasq: config.ipMasq ?? false,
    ipam: readIpam(),
    awaitsNodeRanges: isOfNode,
    dns: parseDns(config.dns),
    configJson: stableConfigJson(json),
    requestedAddresses: [
      ...parseRequested(config.args?.cni?.ips ?? [], "args.cni.ips"),
      ...parseRequested(config.runtimeConfig?.ips ?? [], "runtimeConfig.ips"),
    ],
    requestedAddressTexts: [...(config.args?.cni?.ips ?? []), ...(config.runtimeConfig?.ips ?? [])],
    requestedMac: config.runtimeConfig?.mac,
    portMappings: parsePortMappings(config.runtimeConfig?.portMappings ?? []),
    requestedBandwidth: parseBandwidth(config.runtimeConfig?.bandwidth),
    annotations: config.runtimeConfig?.[POD_ANNOTATIONS] ?? {},
    dependsOn: dependenciesOf(config),
    prevResult: config.prevResult,
    validAttachments: parseValidAttachments(json),
  };
}

export interface ParseOptions {
  /** A network beside the pod's default one: without `ipam` it has no addresses, instead of the default pool's. */
  readonly isExtra?: boolean;
  /** The node's own ranges, for ipam.ranges "node". Default: not known. */
  readonly podCidrs?: readonly string[];
}

function parseBandwidth(rates: Partial<Bandwidth> | undefined): Bandwidth | undefined {
  if (!rates) return undefined;
  const { ingressRate = 0, ingressBurst = 0, egressRate = 0, egressBurst = 0 } = rates;
  return { ingressRate, ingressBurst, egressRate, egressBurst };
}

/**
 * What a configuration depends on. With linkInContainer the master is an interface of the pod, as CNI's
 * macvlan and vlan have it: those of a delegate as well.
 */
export function dependenciesOf(
  config: Pick<ConfigShape, "dependsOn" | "linkInContainer" | "master" | "delegate">,
): string[] {
  const { dependsOn = [], delegate } = config;
  const plugins: unknown = isObject(delegate) ? delegate["plugins"] : undefined;
  const members: unknown[] = Array.isArray(plugins) ? plugins : [delegate];
  return [...dependsOn, ...[config, ...members].flatMap(masterInside)];
}

/** A delegate is of others, and may be anything. */
function masterInside(member: unknown): string[] {
  if (!isObject(member) || member["linkInContainer"] !== true) return [];
  const { master } = member;
  return typeof master === "string" && master !== "" ? [master] : [];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/**
 * The configuration of a DEL, of which only the name matters: a field that was refused at ADD, or was
 * accepted before an upgrade, must not keep a pod from being deleted. Throws when the name is none.
 */
export function parseDelConfig(
  json: Record<string, unknown>,
  cniVersion: CniVersion,
): NetworkConfig {
  try {
    return parseNetworkConfig(json, cniVersion);
  } catch {
    return parseNetworkConfig({ name: json["name"] }, cniVersion);
  }
}

/** RFC 8200, section 5: Linux takes IPv6 away from links below. */
const IPV6_MTU_MIN = 1280;

/** Checks what only new attachments need. Throws like parseNetworkConfig. */
export function checkMtu({ mtu, ipam }: NetworkConfig): void {
  if (mtu === 0 || mtu >= IPV6_MTU_MIN || !ipam.families.includes(6)) return;
  throw new PatchbayError(
    "INVALID_NETWORK_CONFIG",
    `mtu is ${mtu}, expected at least ${IPV6_MTU_MIN} where ipam.ranges has IPv6`,
  );
}

/** Throws PatchbayError NODE_RANGES_UNKNOWN where an attachment would need ranges that the node does not have yet. */
export function requireNodeRanges({ name, awaitsNodeRanges }: NetworkConfig): void {
  if (!awaitsNodeRanges) return;
  throw new PatchbayError(
    "NODE_RANGES_UNKNOWN",
    `Network ${name} takes the node's ranges (ipam.ranges "node"), and the node has no spec.podCIDRs`,
  );
}

/** Checks a plugin's own keys by the schema that it gave. Throws like parseNetworkConfig. */
export function checkPluginConfig(configJson: string, schemaJson: string): void {
  if (schemaJson === "") return;
  const error = compilePluginSchema(schemaJson).findError(configJson);
  if (error) throw invalidField(error, "");
}

/** The same ipam object comes with every call; parsing addresses again would be most of a call's work. */
const parsedIpam = new Map<string, IpamConfig>();

function parseIpam(json: Record<string, unknown>): IpamConfig {
  const key = JSON.stringify(json);
  const known = parsedIpam.get(key);
  if (known) return known;
  try {
    const parsed = parseIpamConfig(json, "ipam");
    if (parsedIpam.size >= LIMITS.networksMax) parsedIpam.clear();
    parsedIpam.set(key, parsed);
    return parsed;
  } catch (cause) {
    if (cause instanceof IpamConfigError) {
      throw new PatchbayError("INVALID_NETWORK_CONFIG", cause.message);
    }
    throw cause;
  }
}

function parseDns(dns: Partial<DnsConfig> | undefined): DnsConfig | undefined {
  if (!dns) return undefined;
  const { nameservers = [], domain = "", search = [], options = [] } = dns;
  return { nameservers, domain, search, options };
}

/** "10.0.0.5" or "10.0.0.5/16". A prefix length is allowed and ignored: the pool knows it. */
export function parseRequested(texts: readonly string[], field: string): IpAddress[] {
  return texts.map((text, index) => {
    try {
      const { family, value } = text.includes("/") ? parsePrefix(text) : parseAddress(text);
      return { family, value };
    } catch {
      throw new PatchbayError(
        "INVALID_NETWORK_CONFIG",
        `${field}[${index}] is ${JSON.stringify(text)}, expected an IP address`,
      );
    }
  });
}

/** Addresses in any order with doubles removed: the three sources may say the same. */
export function mergeRequested(addresses: readonly IpAddress[]): IpAddress[] {
  return [...new Map(addresses.map((address) => [formatAddress(address), address])).values()];
}

/** A host port of 0 is none, as Kubernetes has it; saying the same twice is saying it once. */
function parsePortMappings(shapes: readonly PortMappingShape[]): PortMapping[] {
  const mappings = new Map<string, PortMapping>();
  for (const [index, shape] of shapes.entries()) {
    if (shape.hostPort === 0) continue;
    const mapping: PortMapping = {
      hostPort: shape.hostPort,
      containerPort: shape.containerPort,
      protocol: (shape.protocol || "tcp").toUpperCase() as PortMapping["protocol"],
      hostIp: parseHostIp(shape.hostIP ?? "", `runtimeConfig.portMappings[${index}].hostIP`),
    };
    const key = `${mapping.protocol} ${mapping.hostPort} ${mapping.hostIp}`;
    const before = mappings.get(key);
    if (before && before.containerPort !== mapping.containerPort) {
      throw new PatchbayError(
        "INVALID_NETWORK_CONFIG",
        `runtimeConfig.portMappings[${index}].hostPort is ${mapping.hostPort}, which container port ${before.containerPort} has already`,
      );
    }
    mappings.set(key, mapping);
  }
  return [...mappings.values()];
}

function parseHostIp(text: string, field: string): string {
  if (text === "") return "";
  try {
    return formatAddress(parseAddress(text));
  } catch {
    throw new PatchbayError(
      "INVALID_NETWORK_CONFIG",
      `${field} is ${JSON.stringify(text)}, expected an IP address`,
    );
  }
}

function parseValidAttachments(json: Record<string, unknown>): ValidAttachment[] | undefined {
  const field = ["cni.dev/valid-attachments", "cni.dev/attachments"].find((key) => key in json);
  if (field === undefined) return undefined;
  const list = json[field] ?? [];
  if (!validateAttachments(list)) throw invalidField(firstError(validateAttachments), field);
  return (list as { containerID: string; ifname: string }[]).map((entry) => ({
    containerId: entry.containerID,
    ifname: entry.ifname,
  }));
}

function stableConfigJson(json: Record<string, unknown>): string {
  return JSON.stringify(
    Object.fromEntries(
      Object.entries(json)
        .filter(([key]) => !VOLATILE_KEYS.has(key))
        .sort(([left], [right]) => (left < right ? -1 : 1)),
    ),
  );
}

function firstError({ errors }: ValidateFunction): ErrorObject {
  return errors?.[0] as ErrorObject;
}

function invalidField(error: ErrorObject, prefix: string): PatchbayError {
  const missing = error.keyword === "required" ? `/${error.params["missingProperty"]}` : "";
  const extra =
    error.keyword === "additionalProperties" ? `/${error.params["additionalProperty"]}` : "";
  const field = prefix + fieldName(error.instancePath + missing + extra, prefix === "");
  if (missing) {
    return new PatchbayError("INVALID_NETWORK_CONFIG", `${field} is missing`);
  }
  const found = extra ? "is not a known key" : `is ${shortJson(error.data)}`;
  return new PatchbayError(
    "INVALID_NETWORK_CONFIG",
    `${field} ${found}, expected ${expectationOf(error)}`,
  );
}

/** "/ipam/ranges/0/1/subnet" as "ipam.ranges[0][1].subnet". */
function fieldName(pointer: string, isFromRoot: boolean): string {
  return pointer
    .split("/")
    .filter((part) => part !== "")
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    .map((part, index) => {
      if (/^\d+$/.test(part)) return `[${part}]`;
      return index === 0 && isFromRoot ? part : `.${part}`;
    })
    .join("");
}

function expectationOf(error: ErrorObject): string {
  switch (error.keyword) {
    case "type":
      return `type ${error.params["type"]}`;
    case "pattern":
      return (
        EXPECTED[error.params["pattern"] as string] ??
        `a text like ${shorten(String(error.params["pattern"]))}`
      );
    case "minimum":
      return `at least ${error.params["limit"]}`;
    case "maximum":
      return `at most ${error.params["limit"]}`;
    case "maxLength":
      return `at most ${error.params["limit"]} characters`;
    case "maxItems":
      return `at most ${error.params["limit"]} entries`;
    case "enum":
      return `one of ${listOf((error.params["allowedValues"] as unknown[]).map(shortJson))}`;
    case "additionalProperties":
      return `one of ${listOf(Object.keys((error.parentSchema?.["properties"] as object) ?? {}))}`;
    default:
      return `a value that ${error.message ?? "fits the schema"}`;
  }
}

function shortJson(value: unknown): string {
  return shorten(JSON.stringify(value) ?? "nothing");
}

/** A schema may be a third party's, and have words without end. */
function listOf(words: readonly string[]): string {
  const more = words.length > WORDS_MAX ? ", ..." : "";
  return words.slice(0, WORDS_MAX).map(shorten).join(", ") + more;
}

function shorten(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`;
}
