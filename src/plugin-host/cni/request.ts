import type { NetnsPath } from "../../kernel/kernel.ts";
import type { InvokeRequest__Output } from "../../rpc/generated/patchbay/shim/v1/InvokeRequest.ts";
import { PatchbayError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import {
  type NetworkConfig,
  parseDelConfig,
  parseNetworkConfig,
  parseRequested,
} from "./network-config.ts";
import {
  CNI_VERSION_NEWEST,
  CNI_VERSIONS,
  type CniVersion,
  isAtLeast,
  isCniVersion,
  VERB_SINCE,
  type Verb,
} from "./versions.ts";

/** A CNI call, checked. Which fields are there depends on the verb: CNI 1.1, section 2. */
export type CniRequest =
  | ({ readonly verb: "ADD" } & Attachable & { readonly netns: NetnsPath })
  | ({ readonly verb: "CHECK" } & Attachable & { readonly netns: NetnsPath })
  | ({ readonly verb: "DEL" } & Attachable)
  | { readonly verb: "GC"; readonly config: NetworkConfig }
  | { readonly verb: "STATUS"; readonly config: NetworkConfig }
  | { readonly verb: "VERSION" };

interface Attachable {
  readonly config: NetworkConfig;
  readonly containerId: string;
  readonly ifname: string;
  readonly args: CniArgs;
}

/** CNI_ARGS, as far as known. Absent: not given. */
export interface CniArgs {
  readonly podNamespace: string;
  readonly podName: string;
  readonly podUid: string;
  readonly ip: string | undefined;
  readonly mac: string | undefined;
}

/** Version for an answer to bytes that may be anything: what they name, else the newest. */
export function findCniVersion(configJson: Uint8Array): CniVersion {
  try {
    const version = (JSON.parse(decodeUtf8(configJson)) as { cniVersion?: unknown }).cniVersion;
    return isCniVersion(version) ? version : CNI_VERSION_NEWEST;
  } catch {
    return CNI_VERSION_NEWEST;
  }
}

/**
 * Checks everything that a shim sent. `podCidrs` are the node's own ranges, for networks that have those.
 * Throws PatchbayError that names the variable or field.
 */
export function parseCniRequest(
  message: InvokeRequest__Output,
  podCidrs: readonly string[] = [],
): CniRequest {
  const verb = parseVerb(message.command);
  if (verb === "VERSION") return { verb };
  const json = readConfig(message.configJson);
  const config = parseConfig(json, verb, podCidrs);
  switch (verb) {
    case "GC":
    case "STATUS":
      return { verb, config };
    case "DEL":
      return { verb, config, ...parseAttachable(message) };
    case "ADD":
    case "CHECK": {
      const attachable = parseAttachable(message);
      checkRequestedAddresses(attachable.args.ip);
      return { verb, config, ...attachable, netns: parseNetns(message.netns) };
    }
  }
}

function parseVerb(command: InvokeRequest__Output["command"]): Verb {
  const verb = verbNameOf(command);
  if (Object.hasOwn(VERB_SINCE, verb)) return verb as Verb;
  throw new PatchbayError("INVALID_ENVIRONMENT", `Unknown CNI_COMMAND ${JSON.stringify(verb)}`);
}

/** "ADD" of COMMAND_ADD. A value that a newer shim knows and we do not arrives as its number. */
export function verbNameOf(command: InvokeRequest__Output["command"] | number): string {
  return `${command}`.replace(/^COMMAND_/, "");
}

function readConfig(bytes: Uint8Array): Record<string, unknown> {
  if (bytes.length > LIMITS.configBytesMax) {
    throw new PatchbayError(
      "INVALID_NETWORK_CONFIG",
      `Network configuration has ${bytes.length} bytes, at most ${LIMITS.configBytesMax} are read`,
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(decodeUtf8(bytes));
  } catch (cause) {
    throw new PatchbayError("UNDECODABLE_CONTENT", "Network configuration is not JSON", { cause });
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new PatchbayError("INVALID_NETWORK_CONFIG", "Network configuration is not an object");
  }
  return json as Record<string, unknown>;
}

function parseConfig(
  json: Record<string, unknown>,
  verb: Verb,
  podCidrs: readonly string[],
): NetworkConfig {
  const version = json["cniVersion"];
  if (!isCniVersion(version)) {
    throw new PatchbayError(
      "INCOMPATIBLE_CNI_VERSION",
      `cniVersion ${JSON.stringify(version)} is not supported, only ${CNI_VERSIONS.join(", ")}`,
    );
  }
  if (!isAtLeast(version, VERB_SINCE[verb])) {
    throw new PatchbayError(
      "INCOMPATIBLE_CNI_VERSION",
      `${verb} needs cniVersion ${VERB_SINCE[verb]} or newer, the configuration says ${version}`,
    );
  }
  if (verb === "DEL") return parseDelConfig(json, version);
  return parseNetworkConfig(json, version, { podCidrs });
}

function parseAttachable(message: InvokeRequest__Output): Omit<Attachable, "config"> {
  return {
    containerId: parseContainerId(message.containerId),
    ifname: parseIfname(message.ifname),
    args: parseArgs(message.args),
  };
}

function parseContainerId(text: string): string {
  if (isContainerId(text)) return text;
  throw invalidVariable(
    "CNI_CONTAINERID",
    text,
    "an alphanumeric, then alphanumerics, '_', '.' or '-', at most 256",
  );
}

/** CNI 1.1, "Parameters", with a bound. */
export function isContainerId(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_.-]{0,255}$/.test(text);
}

/**
 * dev_valid_name() of net/core/dev.c, of ASCII: what looks like another name is none. A '%' would make the
 * kernel take the name for a template ("eth%d"); "all" and "default" are the sysctls of all links
 * (sysctl_dev_name_is_allowed() of linux/inetdevice.h).
 */
export function isIfname(text: string): boolean {
  return /^[!-$&-.0-9;-~]{1,15}$/.test(text) && !/^(\.\.?|all|default)$/.test(text);
}

function parseIfname(text: string): string {
  if (isIfname(text)) return text;
  throw invalidVariable(
    "CNI_IFNAME",
    text,
    "1 to 15 ASCII characters without blank, '/', ':' or '%', not 'all' or 'default'",
  );
}

const NETNS_ROOTS = ["/run/", "/var/run/", "/proc/", "/var/lib/"];

function parseNetns(text: string): NetnsPath {
  const normal = !/(^|\/)\.\.?(\/|$)|\/\/|\0/.test(text) && text.length < 4096;
  if (normal && NETNS_ROOTS.some((root) => text.startsWith(root))) return text as NetnsPath;
  throw invalidVariable(
    "CNI_NETNS",
    text,
    `an absolute path without '.' or '..' below one of ${NETNS_ROOTS.join(" ")}`,
  );
}

/** Like parseNetns for a recorded or optional path: undefined instead of an error. */
export function findNetns(text: string): NetnsPath | undefined {
  try {
    return parseNetns(text);
  } catch {
    return undefined;
  }
}

/** CNI_ARGS: "K=V;K=V". Unknown keys are an error unless IgnoreUnknown is set (CNI conventions). */
function parseArgs(text: string): CniArgs {
  const pairs = new Map<string, string>();
  for (const part of text.split(";")) {
    if (part === "") continue;
    const equals = part.indexOf("=");
    if (equals < 1) throw invalidVariable("CNI_ARGS", part, "K=V pairs joined by ';'");
    pairs.set(part.slice(0, equals), part.slice(equals + 1));
  }
  const ignoreUnknown = /^(1|t|true)$/i.test(pairs.get("IgnoreUnknown") ?? "");
  const known = new Set([
    "IgnoreUnknown",
    "K8S_POD_NAMESPACE",
    "K8S_POD_NAME",
    "K8S_POD_UID",
    "K8S_POD_INFRA_CONTAINER_ID",
    "IP",
    "MAC",
  ]);
  for (const key of pairs.keys()) {
    if (!ignoreUnknown && !known.has(key)) {
      throw invalidVariable("CNI_ARGS", key, "a known key, or IgnoreUnknown=1 beside it");
    }
  }
  return {
    podNamespace: boundText(pairs.get("K8S_POD_NAMESPACE")),
    podName: boundText(pairs.get("K8S_POD_NAME")),
    podUid: boundText(pairs.get("K8S_POD_UID")),
    ip: pairs.get("IP") || undefined,
    mac: pairs.get("MAC") || undefined,
  };
}

/** So that the one to blame is the variable, not the configuration. */
function checkRequestedAddresses(ip: string | undefined): void {
  if (ip === undefined) return;
  try {
    parseRequested(ip.split(","), "IP");
  } catch {
    throw invalidVariable("CNI_ARGS", `IP=${ip}`, "IP addresses joined by ','");
  }
}

/** Kubernetes names have at most 253 characters. */
function boundText(text = ""): string {
  if (text.length <= 253 && isPrintable(text)) return text;
  throw invalidVariable("CNI_ARGS", text.slice(0, 253), "printable values of at most 253");
}

function isPrintable(text: string): boolean {
  return !/\p{Cc}/u.test(text);
}

function invalidVariable(variable: string, value: string, expected: string): PatchbayError {
  const found = value === "" ? "is missing" : `is ${JSON.stringify(value)}`;
  return new PatchbayError("INVALID_ENVIRONMENT", `${variable} ${found}, expected ${expected}`);
}

function decodeUtf8(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}
