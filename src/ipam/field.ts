import {
  type Family,
  formatPrefix,
  type IpAddress,
  type IpPrefix,
  lastOf,
  networkOf,
  parseAddress,
  parsePrefix,
} from "../ip/address.ts";
import type { Interval } from "./interval.ts";
import { IpamConfigError } from "./ipam-error.ts";

/** A value of the config and where it stands, for example "ipam.ranges[0][1].subnet". */
export interface Field {
  readonly path: string;
  readonly value: unknown;
}

/** The entry of an object that was read by parseObject. */
export function member(object: Readonly<Record<string, unknown>>, at: Field, key: string): Field {
  return { path: `${at.path}.${key}`, value: Object.hasOwn(object, key) ? object[key] : undefined };
}

/** True for a field that is not there or null, as Go's JSON reads it. */
export function isAbsent(field: Field): boolean {
  return field.value === undefined || field.value === null;
}

/** An object that has no other keys than these. */
export function parseObject(field: Field, keys: readonly string[]): Record<string, unknown> {
  const { path, value } = field;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw expected(field, "an object");
  }
  for (const key of Object.keys(value)) {
    if (!keys.includes(key)) {
      const wanted = `one of the keys ${keys.join(", ")}`;
      throw new IpamConfigError({ field: `${path}.${key}`, expected: wanted, got: key });
    }
  }
  return value as Record<string, unknown>;
}

/** The entries of a list of at most `limit` entries; none when the list is absent. */
export function parseList(field: Field, limit: number): Field[] {
  if (isAbsent(field)) return [];
  const { path, value } = field;
  if (!Array.isArray(value)) throw expected(field, "a list");
  if (value.length > limit) {
    throw new IpamConfigError({
      field: path,
      expected: `at most ${limit} entries`,
      got: value.length,
    });
  }
  return value.map((entry: unknown, index) => ({ path: `${path}[${index}]`, value: entry }));
}

/** A whole number of this range; undefined when absent. */
export function parseInteger(
  field: Field,
  range: { min: number; max: number },
): number | undefined {
  if (isAbsent(field)) return undefined;
  const { value } = field;
  if (typeof value === "number" && Number.isInteger(value)) {
    if (value >= range.min && value <= range.max) return value;
  }
  throw expected(field, `a whole number from ${range.min} to ${range.max}`);
}

/** A text; undefined when absent. */
export function parseText(field: Field): string | undefined {
  if (isAbsent(field)) return undefined;
  if (typeof field.value === "string") return field.value;
  throw expected(field, "a string");
}

/** An address of the family, or of any family; undefined when absent. */
export function parseAddressField(field: Field, family?: Family): IpAddress | undefined {
  if (isAbsent(field)) return undefined;
  const wanted = family === undefined ? "an IP address" : `an IPv${family} address`;
  const address = attempt(field, wanted, parseAddress);
  if (family !== undefined && address.family !== family) throw expected(field, wanted);
  return address;
}

/** A subnet in CIDR notation without host bits. */
export function parseSubnet(field: Field): IpPrefix {
  const subnet = attempt(field, "a subnet such as 10.1.0.0/16 or fd00:1::/64", parsePrefix);
  const network = networkOf(subnet);
  if (network.value !== subnet.value) {
    throw expected(field, `a subnet without host bits: ${formatPrefix(network)}`);
  }
  return subnet;
}

/** "10.0.0.8", "10.0.0.8/29" or "10.0.0.8-10.0.0.15", inside the subnet. */
export function parseExclude(field: Field, subnet: IpPrefix): Interval {
  const wanted = `an address, subnet or range "first-last" inside ${formatPrefix(subnet)}`;
  const interval = attempt(field, wanted, (text) => parseSpan(text, subnet.family));
  if (interval.first > interval.last) throw expected(field, wanted);
  if (interval.first < subnet.value || interval.last > lastOf(subnet).value) {
    throw expected(field, wanted);
  }
  return interval;
}

function parseSpan(text: string, family: Family): Interval {
  const [first, last] = text.includes("-") ? parseEnds(text) : parseBlock(text);
  if (first.family !== family || last.family !== family) {
    throw new RangeError(`Not of IPv${family}: ${text}`);
  }
  return { first: first.value, last: last.value };
}

function parseEnds(text: string): [IpAddress, IpAddress] {
  const dash = text.indexOf("-");
  return [parseAddress(text.slice(0, dash).trim()), parseAddress(text.slice(dash + 1).trim())];
}

function parseBlock(text: string): [IpAddress, IpAddress] {
  if (!text.includes("/")) return [parseAddress(text), parseAddress(text)];
  const block = parsePrefix(text);
  return [networkOf(block), lastOf(block)];
}

/** The error for a field whose value is not what it must be. */
export function expected(field: Field, wanted: string, options?: ErrorOptions): IpamConfigError {
  return new IpamConfigError({ field: field.path, expected: wanted, got: field.value }, options);
}

function attempt<T>(field: Field, wanted: string, parse: (text: string) => T): T {
  if (typeof field.value !== "string") throw expected(field, wanted);
  try {
    return parse(field.value);
  } catch (cause) {
    throw expected(field, wanted, { cause });
  }
}
