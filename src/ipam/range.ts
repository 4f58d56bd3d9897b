import {
  addressBits,
  type Family,
  formatAddress,
  formatPrefix,
  type IpAddress,
  type IpPrefix,
  lastOf,
  prefixContains,
} from "../ip/address.ts";
import {
  expected,
  type Field,
  isAbsent,
  member,
  parseAddressField,
  parseExclude,
  parseList,
  parseObject,
  parseSubnet,
} from "./field.ts";
import { type Interval, intervalsOverlap } from "./interval.ts";
import type { LeaseSubnet } from "./lease.ts";
import { ipamLimits } from "./limits.ts";

/** Part of a subnet out of which addresses are given. */
export interface IpamRange extends Interval {
  /** Where it stands in the config, for example "ipam.ranges[0][1]". */
  readonly field: string;
  readonly family: Family;
  readonly subnet: IpPrefix;
  /** The gateway that leases of this range carry. It may lie outside the range, or the subnet. */
  readonly gateway: IpAddress | undefined;
  /** Never given out. */
  readonly excludes: readonly Interval[];
  /** Never given out: addresses that something else on the network has. */
  readonly reserved: readonly IpAddress[];
}

const RANGE_KEYS = ["subnet", "rangeStart", "rangeEnd", "gateway", "exclude", "reserved"];

/** Parses one range of a range set. Throws IpamConfigError. */
export function parseRange(field: Field): IpamRange {
  const object = parseObject(field, RANGE_KEYS);
  const subnet = parseSubnet(member(object, field, "subnet"));
  const interval = parseInterval(object, field, subnet);
  const reserved = parseList(member(object, field, "reserved"), ipamLimits.excludesOfRange);
  return {
    ...interval,
    field: field.path,
    family: subnet.family,
    subnet,
    gateway: parseGateway(member(object, field, "gateway"), subnet),
    excludes: parseList(member(object, field, "exclude"), ipamLimits.excludesOfRange).map((entry) =>
      parseExclude(entry, subnet),
    ),
    reserved: reserved.map((entry) => parseReserved(entry, subnet)),
  };
}

/** Throws IpamConfigError when two ranges share an address; the error names both. */
export function refuseOverlap(ranges: readonly IpamRange[]): void {
  for (const [index, range] of ranges.entries()) {
    for (const earlier of ranges.slice(0, index)) {
      if (range.family !== earlier.family || !intervalsOverlap(range, earlier)) continue;
      throw expected(
        { path: range.field, value: formatRange(range) },
        `a range that does not overlap ${earlier.field} (${formatRange(earlier)})`,
      );
    }
  }
}

/** "10.0.0.1-10.0.0.254". */
export function formatRange({ family, first, last }: IpamRange): string {
  const text = (value: bigint): string => formatAddress({ family, value });
  return `${text(first)}-${text(last)}`;
}

/** Prefix length and gateway of the first range in whose subnet the address lies. */
export function findSubnetOf(
  ranges: readonly IpamRange[],
  address: IpAddress,
): LeaseSubnet | undefined {
  const range = ranges.find(({ subnet }) => prefixContains(subnet, address));
  return range && { prefixLength: range.subnet.prefixLength, gateway: range.gateway };
}

/** Why an address that lies in a range or is one's gateway is never given out: "is the gateway of …". */
export function findExclusion(
  ranges: readonly IpamRange[],
  address: IpAddress,
): string | undefined {
  const own = ranges.filter(({ family }) => family === address.family);
  const { value } = address;
  for (const { field, gateway, reserved, excludes } of own) {
    if (gateway?.value === value) return `is the gateway of ${field}`;
    if (reserved.some((entry) => entry.value === value)) return `is reserved by ${field}`;
    if (excludes.some(({ first, last }) => first <= value && value <= last)) {
      return `is excluded by ${field}`;
    }
  }
  return undefined;
}

function parseInterval(object: Record<string, unknown>, field: Field, subnet: IpPrefix): Interval {
  const usable = usableOf(subnet);
  const start = parseBound(member(object, field, "rangeStart"), subnet);
  const end = parseBound(member(object, field, "rangeEnd"), subnet);
  // rangeStart may name the subnet-router anycast address: who writes it wants it.
  const lowest = subnet.family === 6 ? subnet.value : usable.first;
  const first = start === undefined ? usable.first : largest(start.value, lowest);
  const last = end === undefined || end.value > usable.last ? usable.last : end.value;
  if (first > last) {
    const wanted = `at least one usable address between rangeStart and rangeEnd in ${formatPrefix(subnet)}`;
    throw expected(field, wanted);
  }
  const widest = first + (1n << BigInt(ipamLimits.rangeBits)) - 1n;
  return { first, last: last > widest ? widest : last };
}

function parseBound(field: Field, subnet: IpPrefix): IpAddress | undefined {
  const bound = field.value === "" ? undefined : parseAddressField(field, subnet.family);
  if (bound === undefined) return undefined;
  if (bound.value < subnet.value || bound.value > lastOf(subnet).value) {
    throw expected(field, `an address in ${formatPrefix(subnet)}`);
  }
  return bound;
}

function parseReserved(field: Field, subnet: IpPrefix): IpAddress {
  const address = parseBound(field, subnet);
  if (address === undefined) throw expected(field, `an address in ${formatPrefix(subnet)}`);
  return address;
}

/** Absent: the first usable address. null and "": none. */
function parseGateway(field: Field, subnet: IpPrefix): IpAddress | undefined {
  if (field.value === undefined) {
    if (isPointToPoint(subnet)) return undefined;
    return { family: subnet.family, value: usableOf(subnet).first };
  }
  if (isAbsent(field) || field.value === "") return undefined;
  return parseAddressField(field, subnet.family);
}

/**
 * The addresses that hosts may have: without network and broadcast address (RFC 919) for IPv4,
 * without the subnet-router anycast address (RFC 4291 2.6.1) for IPv6. Subnets of one or two
 * addresses (RFC 3021, RFC 6164) are usable whole.
 */
function usableOf(subnet: IpPrefix): Interval {
  const last = lastOf(subnet).value;
  if (isPointToPoint(subnet)) return { first: subnet.value, last };
  return { first: subnet.value + 1n, last: subnet.family === 4 ? last - 1n : last };
}

function isPointToPoint(subnet: IpPrefix): boolean {
  return addressBits(subnet.family) - subnet.prefixLength <= 1;
}

function largest(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}
