import { type AttachResponse, PluginError } from "../../src/plugin-sdk/network-plugin.ts";
import { type CniVersion, isAtLeast } from "./versions.ts";

/**
 * The result of an ADD in the shape of CNI 1.1, whichever version it came in. Keys that we do not
 * know stay: a later plugin of the chain may know them.
 */
export interface CniResult {
  readonly interfaces: readonly ResultInterface[];
  readonly ips: readonly ResultIp[];
  readonly routes: readonly ResultRoute[];
  readonly dns: Readonly<Record<string, unknown>>;
  readonly [key: string]: unknown;
}

export interface ResultInterface {
  readonly name: string;
  readonly mac?: string;
  readonly mtu?: number;
  readonly sandbox?: string;
  readonly socketPath?: string;
  readonly pciID?: string;
}

export interface ResultIp {
  readonly address: string;
  readonly gateway?: string;
  readonly interface?: number;
}

export interface ResultRoute {
  readonly dst: string;
  readonly gw?: string;
  readonly mtu?: number;
  readonly advmss?: number;
  readonly priority?: number;
  readonly table?: number;
  readonly scope?: number;
}

const LIST_MAX = 1_024;

/** Reads a result of any version. Throws PluginError transient that says what is wrong with it. */
export function readResult(json: unknown): CniResult {
  const result = asObject(json, "The result");
  if ("ip4" in result || "ip6" in result) return readOldResult(result);
  const { cniVersion: _, ...rest } = result;
  const interfaces = asList(rest["interfaces"], "interfaces").map((entry, index) =>
    withTexts(entry, `interfaces[${index}]`, ["name"]),
  );
  const ips = asList(rest["ips"], "ips").map((entry, index) => {
    const { version: _version, ...ip } = withTexts(entry, `ips[${index}]`, ["address"]);
    return ip;
  });
  const routes = asList(rest["routes"], "routes").map((entry, index) =>
    withTexts(entry, `routes[${index}]`, ["dst"]),
  );
  return {
    ...rest,
    interfaces: interfaces as unknown as ResultInterface[],
    ips: ips as unknown as ResultIp[],
    routes: routes as unknown as ResultRoute[],
    dns: asObject(rest["dns"] ?? {}, "dns"),
  };
}

/** CNI 0.1.0 and 0.2.0: one address for each family, no interfaces. */
function readOldResult(result: Readonly<Record<string, unknown>>): CniResult {
  const families = ["ip4", "ip6"].filter(
    (key) => result[key] !== undefined && result[key] !== null,
  );
  const parts = families.map((key): { key: string; [field: string]: unknown } => ({
    key,
    ...withTexts(result[key], key, ["ip"]),
  }));
  const ips = parts.map((part) => ({
    address: textOf(part["ip"]),
    ...(part["gateway"] ? { gateway: textOf(part["gateway"]) } : {}),
  }));
  const routes = parts.flatMap((part) =>
    asList(part["routes"], `${part.key}.routes`).map((entry, index) =>
      withTexts(entry, `${part.key}.routes[${index}]`, ["dst"]),
    ),
  );
  return {
    interfaces: [],
    ips,
    routes: routes as unknown as ResultRoute[],
    dns: asObject(result["dns"] ?? {}, "dns"),
  };
}

/** The result in the words of a version, as prevResult or for people. */
export function writeResult(result: CniResult, version: CniVersion): object {
  if (!isAtLeast(version, "0.3.0")) return writeOldResult(result, version);
  const isNewest = isAtLeast(version, "1.1.0");
  return {
    ...result,
    cniVersion: version,
    interfaces: isNewest
      ? result.interfaces
      : result.interfaces.map((link) => without(link, ["mtu", "socketPath", "pciID"])),
    // Before 1.0.0 each address says its family in words.
    ips: isAtLeast(version, "1.0.0")
      ? result.ips
      : result.ips.map((ip) => ({ version: isIpv6(ip.address) ? "6" : "4", ...ip })),
    routes: isNewest
      ? result.routes
      : result.routes.map((route) =>
          without(route, ["mtu", "advmss", "priority", "table", "scope"]),
        ),
  };
}

function writeOldResult({ ips, routes, dns }: CniResult, version: CniVersion): object {
  const partOf = (is6: boolean) => {
    const ip = ips.find(({ address }) => isIpv6(address) === is6);
    if (!ip) return undefined;
    const own = routes.filter(({ dst }) => isIpv6(dst) === is6);
    return {
      ip: ip.address,
      ...(ip.gateway ? { gateway: ip.gateway } : {}),
      routes: own.map(({ dst, gw }) => ({ dst, ...(gw ? { gw } : {}) })),
    };
  };
  const [ip4, ip6] = [partOf(false), partOf(true)];
  return { cniVersion: version, ...(ip4 && { ip4 }), ...(ip6 && { ip6 }), dns };
}

/** What the kernel says of the interface in the pod. */
export interface PodLink {
  readonly mac: string;
  readonly mtu: number;
}

export interface PodInterface {
  readonly netns: string;
  readonly ifname: string;
  /** Absent: it is not there. */
  readonly link: PodLink | undefined;
}

/**
 * The result with the pod's interface in it: plugins of CNI 0.2.0 name none, and some later ones
 * leave it out. Throws PluginError transient when there is no such interface.
 */
export function withPodInterface(result: CniResult, pod: PodInterface): CniResult {
  const { netns, ifname, link } = pod;
  const isPod = ({ name, sandbox }: ResultInterface) => name === ifname && Boolean(sandbox);
  if (!link) {
    const named = result.interfaces.map(({ name }) => name).join(", ") || "none";
    throw new PluginError(
      "transient",
      `The result names interfaces ${named}, but ${netns} has no interface ${ifname}`,
    );
  }
  const at = result.interfaces.findIndex(isPod);
  const made: ResultInterface = {
    ...result.interfaces[at],
    name: ifname,
    mac: link.mac,
    mtu: link.mtu,
    sandbox: netns,
  };
  const interfaces = at >= 0 ? result.interfaces.with(at, made) : [...result.interfaces, made];
  const index = at >= 0 ? at : interfaces.length - 1;
  const ips = result.ips.map((ip) =>
    ip.interface === undefined || interfaces[ip.interface] === undefined
      ? { ...ip, interface: index }
      : ip,
  );
  return { ...result, interfaces, ips };
}

/** The result as the plugin contract has it. */
export function toAttachResponse(result: CniResult): AttachResponse {
  const { nameservers, domain, search, options } = result.dns;
  const hasDns = [nameservers, domain, search, options].some((value) => value !== undefined);
  return {
    interfaces: result.interfaces.map((link) => ({
      name: link.name,
      mac: textOf(link.mac),
      mtu: numberOf(link.mtu),
      sandbox: textOf(link.sandbox),
      pciId: textOf(link.pciID),
      socketPath: textOf(link.socketPath),
    })),
    addresses: result.ips.map((ip) => ({
      address: ip.address,
      gateway: textOf(ip.gateway),
      interfaceIndex: numberOf(ip.interface),
    })),
    routes: result.routes.map((route) => ({
      destination: route.dst,
      gateway: textOf(route.gw),
      mtu: numberOf(route.mtu),
      advmss: numberOf(route.advmss),
      priority: numberOf(route.priority),
      table: numberOf(route.table),
      scope: numberOf(route.scope),
    })),
    dns: hasDns
      ? {
          nameservers: textsOf(nameservers),
          domain: textOf(domain),
          search: textsOf(search),
          options: textsOf(options),
        }
      : null,
    deviceInfoJson: "",
  };
}

function without(object: object, keys: readonly string[]): object {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));
}

function isIpv6(text: string): boolean {
  return text.includes(":");
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === "string") : [];
}

function numberOf(value: unknown): number {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : 0;
}

function asList(value: unknown, field: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value) && value.length <= LIST_MAX) return value;
  throw garbled(field, value, `a list of at most ${LIST_MAX} entries`);
}

function withTexts(
  value: unknown,
  field: string,
  keys: readonly string[],
): Readonly<Record<string, unknown>> {
  const object = asObject(value, field);
  for (const key of keys) {
    if (typeof object[key] !== "string" || object[key] === "") {
      throw garbled(`${field}.${key}`, object[key], "a text");
    }
  }
  return object;
}

function asObject(value: unknown, field: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw garbled(field, value, "an object");
}

function garbled(field: string, value: unknown, expected: string): PluginError {
  const text = (JSON.stringify(value) ?? "missing").slice(0, 80);
  return new PluginError("transient", `${field} is ${text}, expected ${expected}`);
}
