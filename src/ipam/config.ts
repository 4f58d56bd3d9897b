import { type Family, formatAddress, type IpAddress, type IpPrefix } from "../ip/address.ts";
import {
  expected,
  type Field,
  isAbsent,
  member,
  parseAddressField,
  parseInteger,
  parseList,
  parseObject,
  parseSubnet,
  parseText,
} from "./field.ts";
import { ipamLimits } from "./limits.ts";
import { type IpamRange, parseRange, refuseOverlap } from "./range.ts";

/**
 * Which families an attachment gets: one address of each configured family or none at all, one of
 * each that has room, or one of the family that is configured first.
 */
export type FamilyPolicy = "RequireDual" | "PreferDual" | "Single";

/** A route that the network's config asks for, in the words of the CNI spec. */
export interface IpamRoute {
  readonly dst: IpPrefix;
  readonly gw?: IpAddress;
  readonly mtu?: number;
  readonly advmss?: number;
  readonly priority?: number;
  readonly table?: number;
  readonly scope?: number;
}

/** The `ipam` object of one network. */
export interface IpamConfig {
  /** None: the network has no IPAM of the host's. No two overlap. Within a family they are tried in this order. */
  readonly ranges: readonly IpamRange[];
  /** The families that have a range, in the order of the config. */
  readonly families: readonly Family[];
  readonly policy: FamilyPolicy;
  readonly cooldownMs: number;
  readonly routes: readonly IpamRoute[];
  /** Folder of host-local's records, for the import. */
  readonly dataDir?: string;
  /** File whose resolver settings go into the answer, as host-local does. */
  readonly resolvConf?: string;
}

/** IPv4 subnet of a network whose config names no range. */
export const DEFAULT_SUBNET4 = "10.88.0.0/16";
/** IPv6 subnet of a network whose config names no range. */
export const DEFAULT_SUBNET6 = "fd00:88::/64";
/** The `ranges` of a network whose config names none: a private /16 and a ULA /64. */
export const DEFAULT_RANGES: readonly (readonly { readonly subnet: string }[])[] = [
  [{ subnet: DEFAULT_SUBNET4 }],
  [{ subnet: DEFAULT_SUBNET6 }],
];

/** A network whose addresses, if any, come from elsewhere. */
export const NO_IPAM: IpamConfig = {
  ranges: [],
  families: [],
  policy: "PreferDual",
  cooldownMs: 0,
  routes: [],
};

const POLICIES: readonly FamilyPolicy[] = ["RequireDual", "PreferDual", "Single"];
const TYPES = ["patchbay", "host-local"];
const LEGACY_RANGE_KEYS = ["subnet", "rangeStart", "rangeEnd", "gateway"];
const OWN_KEYS = ["type", "ranges", "policy", "cooldownSeconds", "routes", "dataDir", "resolvConf"];
const CONFIG_KEYS = [...OWN_KEYS, ...LEGACY_RANGE_KEYS];
const ROUTE_KEYS = ["dst", "gw", "mtu", "advmss", "priority", "table", "scope"];

/**
 * Parses the `ipam` object of a network: host-local's config, of which it is a superset. Absent
 * (undefined or null) is the default pool. `path` names the object in errors, for example "ipam".
 * Throws IpamConfigError.
 */
export function parseIpamConfig(json: unknown, path: string): IpamConfig {
  const field = { path, value: json ?? {} };
  const object = parseObject(field, CONFIG_KEYS);
  const type = member(object, field, "type");
  if (!isAbsent(type) && !TYPES.includes(type.value as string)) {
    throw expected(type, `one of ${TYPES.join(", ")}`);
  }
  const ranges = parseRanges(object, field);
  const families = [...new Set(ranges.map((range) => range.family))];
  const seconds = parseInteger(member(object, field, "cooldownSeconds"), {
    min: 0,
    max: ipamLimits.cooldownSeconds,
  });
  const dataDir = parseText(member(object, field, "dataDir"));
  const resolvConf = parseText(member(object, field, "resolvConf"));
  return {
    ranges,
    families,
    policy: parsePolicy(member(object, field, "policy"), families),
    cooldownMs: (seconds ?? ipamLimits.defaultCooldownSeconds) * 1000,
    routes: parseList(member(object, field, "routes"), ipamLimits.routes).map(parseRoute),
    ...(dataDir !== undefined && { dataDir }),
    ...(resolvConf !== undefined && { resolvConf }),
  };
}

function parseRanges(object: Record<string, unknown>, field: Field): IpamRange[] {
  const sets = parseList(member(object, field, "ranges"), ipamLimits.rangeSets);
  const ranges = sets.flatMap(parseRangeSet);
  if (!isAbsent(member(object, field, "subnet"))) {
    const entries = Object.entries(object).filter(([key]) => LEGACY_RANGE_KEYS.includes(key));
    ranges.unshift(parseRange({ path: field.path, value: Object.fromEntries(entries) }));
  } else {
    const stray = LEGACY_RANGE_KEYS.map((key) => member(object, field, key)).find(
      (entry) => !isAbsent(entry) && entry.value !== "",
    );
    if (stray !== undefined) throw expected(stray, `nothing without ${field.path}.subnet`);
  }
  if (ranges.length === 0) {
    const defaults = { path: `${field.path}.ranges`, value: DEFAULT_RANGES };
    return parseList(defaults, ipamLimits.rangeSets).flatMap(parseRangeSet);
  }
  refuseOverlap(ranges);
  return ranges;
}

function parseRangeSet(field: Field): IpamRange[] {
  const entries = parseList(field, ipamLimits.rangesOfSet);
  if (entries.length === 0) throw expected(field, "a list of at least one range");
  const ranges = entries.map(parseRange);
  const family = ranges[0]!.family;
  const odd = ranges.find((range) => range.family !== family);
  if (odd !== undefined) {
    throw expected(
      { path: `${odd.field}.subnet`, value: formatAddress(odd.subnet) },
      `an IPv${family} subnet as in ${field.path}[0]`,
    );
  }
  return ranges;
}

function parsePolicy(field: Field, families: readonly Family[]): FamilyPolicy {
  if (isAbsent(field)) return families.length === 2 ? "RequireDual" : "Single";
  const policy = POLICIES.find((name) => name === field.value);
  if (policy === undefined) throw expected(field, `one of ${POLICIES.join(", ")}`);
  if (policy === "RequireDual" && families.length === 1) {
    throw expected(
      field,
      `ranges of both families, or another policy: only IPv${families[0]} has any`,
    );
  }
  return policy;
}

function parseRoute(field: Field): IpamRoute {
  const object = parseObject(field, ROUTE_KEYS);
  const dst = parseSubnet(member(object, field, "dst"));
  const gwField = member(object, field, "gw");
  const gw = gwField.value === "" ? undefined : parseAddressField(gwField, dst.family);
  const numbers = Object.fromEntries(
    (["mtu", "advmss", "priority", "table", "scope"] as const).flatMap((key) => {
      const max = key === "scope" ? 255 : 0xffff_ffff;
      const value = parseInteger(member(object, field, key), { min: 0, max });
      return value === undefined ? [] : [[key, value]];
    }),
  );
  return { dst, ...(gw !== undefined && { gw }), ...numbers };
}
