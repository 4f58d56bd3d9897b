import {
  addressBits,
  type Family,
  formatAddress,
  type IpAddress,
  type IpPrefix,
  networkOf,
  parseAddress,
} from "../ip/address.ts";
import { isCanonicalIpv4, isCanonicalIpv6 } from "./canonical-text.ts";
import type { AddressText } from "./model.ts";

/**
 * Addresses as objects of a cluster write them, made canonical: leading zeros of IPv4 are decimal
 * (Kubernetes accepts 010.0.0.1 and means 10.0.0.1, CVE-2021-29923), IPv6 is RFC 5952, and an
 * IPv4-mapped IPv6 address is the IPv4 address. Throws RangeError for what is no address.
 */
export function parseAddressText(text: string): AddressText {
  if (isCanonical(text)) return text as AddressText;
  return formatAddress(parseSloppyAddress(text)) as AddressText;
}

/** As parseAddressText(); undefined for what is no address. */
export function findAddressText(text: string): AddressText | undefined {
  if (isCanonical(text)) return text as AddressText;
  try {
    return formatAddress(parseSloppyAddress(text)) as AddressText;
  } catch {
    return undefined;
  }
}

/**
 * A prefix as objects write it ("010.0.0.0/8", spaces around it), canonical: host bits cleared, an
 * IPv4-mapped one of at least 96 bits as IPv4. Throws RangeError for anything else.
 */
export function canonicalPrefix(text: string): IpPrefix {
  const trimmed = text.trim();
  const slash = trimmed.indexOf("/");
  const digits = slash < 0 ? "" : trimmed.slice(slash + 1);
  if (!/^\d{1,3}$/.test(digits)) {
    throw new RangeError(`Not an address with a prefix length: ${JSON.stringify(text)}`);
  }
  const address = parseUnmapped(trimmed.slice(0, slash));
  const prefixLength = Number(digits);
  if (prefixLength > addressBits(address.family)) {
    throw new RangeError(
      `Prefix length above ${addressBits(address.family)}: ${JSON.stringify(text)}`,
    );
  }
  const mapped = prefixLength >= MAPPED_BITS ? unmap(address) : undefined;
  return mapped
    ? networkOf({ ...mapped, prefixLength: prefixLength - MAPPED_BITS })
    : networkOf({ ...address, prefixLength });
}

/** The family of a canonical address. */
export function familyOf(address: AddressText): Family {
  return address.includes(":") ? 6 : 4;
}

function parseSloppyAddress(text: string): IpAddress {
  const address = parseUnmapped(text);
  return unmap(address) ?? address;
}

function parseUnmapped(text: string): IpAddress {
  return parseAddress(text.includes(".") ? text.replace(LEADING_ZEROS, "") : text);
}

/** The IPv4 address in ::ffff:0:0/96. */
function unmap(address: IpAddress): IpAddress | undefined {
  if (address.family === 4 || address.value >> 32n !== 0xffffn) return undefined;
  return { family: 4, value: address.value & 0xffff_ffffn };
}

/** What nearly every address is; found without a BigInt. */
function isCanonical(text: string): boolean {
  return isCanonicalIpv4(text) || isCanonicalIpv6(text);
}

const MAPPED_BITS = 96;
/** Zeros in front of a digit of a dotted part: "010.0.0.01", "::ffff:010.0.0.1". */
const LEADING_ZEROS = /(?<=^|\.|:(?=\d+\.))0+(?=\d)/g;
