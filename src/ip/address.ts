import { isIPv4, isIPv6 } from "node:net";
import { collapseIPv6Number, IPv4, IPv6 } from "ip-num";

/** An address family by its number of bits in the header: 4 or 6. */
export type Family = 4 | 6;

/** One address. Inside Patchbay an address is a number of 32 or 128 bits; text exists at the edge only. */
export interface IpAddress {
  readonly family: Family;
  /** 0 to 2^32-1 or 2^128-1. */
  readonly value: bigint;
}

/** An address with the prefix length of its subnet; host bits may be set. */
export interface IpPrefix extends IpAddress {
  /** 0 to 32, or 0 to 128. */
  readonly prefixLength: number;
}

/** Number of bits of an address: 32 or 128. */
export function addressBits(family: Family): 32 | 128 {
  return family === 4 ? 32 : 128;
}

/** Parses "10.0.0.1" or "fd00::1". Throws RangeError for anything else, zone ids and octal forms included. */
export function parseAddress(text: string): IpAddress {
  if (isIPv4(text)) return { family: 4, value: IPv4.fromString(text).getValue() };
  if (isIPv6(text) && !text.includes("%")) {
    return { family: 6, value: IPv6.fromString(mappedToHex(text)).getValue() };
  }
  throw new RangeError(`Not an IP address: ${JSON.stringify(text)}`);
}

/** Parses "10.0.0.1/16" or "fd00::1/64". Throws RangeError for anything else. */
export function parsePrefix(text: string): IpPrefix {
  const slash = text.indexOf("/");
  const digits = slash < 0 ? "" : text.slice(slash + 1);
  if (!/^(0|[1-9]\d{0,2})$/.test(digits)) {
    throw new RangeError(`Not an address with a prefix length: ${JSON.stringify(text)}`);
  }
  const address = parseAddress(text.slice(0, slash));
  const prefixLength = Number(digits);
  if (prefixLength > addressBits(address.family)) {
    throw new RangeError(
      `Prefix length above ${addressBits(address.family)}: ${JSON.stringify(text)}`,
    );
  }
  return { ...address, prefixLength };
}

/** Prints an address; IPv6 in the canonical form of RFC 5952. */
export function formatAddress(address: IpAddress): string {
  if (address.family === 4) return IPv4.fromNumber(address.value).toString();
  return collapseIPv6Number(IPv6.fromBigInt(address.value).toString());
}

/** Prints an address with its prefix length. */
export function formatPrefix(prefix: IpPrefix): string {
  return `${formatAddress(prefix)}/${prefix.prefixLength}`;
}

/** First address of the subnet: the host bits cleared. */
export function networkOf(prefix: IpPrefix): IpPrefix {
  const hostBits = BigInt(addressBits(prefix.family) - prefix.prefixLength);
  return { ...prefix, value: (prefix.value >> hostBits) << hostBits };
}

/** Last address of the subnet: the host bits set. */
export function lastOf(prefix: IpPrefix): IpAddress {
  const hostBits = BigInt(addressBits(prefix.family) - prefix.prefixLength);
  return { family: prefix.family, value: networkOf(prefix).value | ((1n << hostBits) - 1n) };
}

/** True when the address lies in the subnet of the prefix. */
export function prefixContains(prefix: IpPrefix, address: IpAddress): boolean {
  if (prefix.family !== address.family) return false;
  const hostBits = BigInt(addressBits(prefix.family) - prefix.prefixLength);
  return prefix.value >> hostBits === address.value >> hostBits;
}

/** The address as 4 or 16 bytes in network order. */
export function addressBytes(address: IpAddress): Uint8Array {
  const bytes = new Uint8Array(addressBits(address.family) / 8);
  let rest = address.value;
  for (let index = bytes.length - 1; index >= 0; index--) {
    bytes[index] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

/** Reads an address from 4 or 16 bytes in network order. Throws RangeError for another length. */
export function addressFromBytes(bytes: Uint8Array): IpAddress {
  if (bytes.length !== 4 && bytes.length !== 16) {
    throw new RangeError(`An address has 4 or 16 bytes, not ${bytes.length}`);
  }
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return { family: bytes.length === 4 ? 4 : 6, value };
}

/** "::ffff:10.0.0.1" as "::ffff:a00:1": ip-num does not read the dotted tail. */
function mappedToHex(text: string): string {
  const tail = text.slice(text.lastIndexOf(":") + 1);
  if (!tail.includes(".")) return text;
  const value = IPv4.fromString(tail).getValue();
  const words = `${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`;
  return text.slice(0, -tail.length) + words;
}
