import { isIPv4, isIPv6 } from "node:net";

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
  if (isIPv4(text)) return { family: 4, value: BigInt(readDotted(text)) };
  if (isIPv6(text) && !text.includes("%")) return { family: 6, value: readWords(text) };
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
  if (address.family === 4) {
    const value = Number(address.value);
    return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
  }
  return formatWords(wordsOf(address.value));
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

/** A checked "10.0.0.1" as a number. */
function readDotted(text: string): number {
  let value = 0;
  let part = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === DOT) {
      value = value * 256 + part;
      part = 0;
    } else {
      part = part * 10 + (code - ZERO);
    }
  }
  return value * 256 + part;
}

/** A checked IPv6 address as a number: the words before "::", then those after it. */
function readWords(text: string): bigint {
  const gap = text.indexOf("::");
  if (gap < 0) return joinWords(text);
  const before = text.slice(0, gap);
  const missingBits = BigInt(128 - 16 * countWords(before));
  return (joinWords(before) << missingBits) | joinWords(text.slice(gap + 2));
}

/** "fd00:88" as 0xfd000088; a last part with dots is two words. */
function joinWords(text: string): bigint {
  if (text === "") return 0n;
  let value = 0n;
  for (const word of text.split(":")) {
    value = word.includes(".")
      ? (value << 32n) | BigInt(readDotted(word))
      : (value << 16n) | BigInt(Number.parseInt(word, 16));
  }
  return value;
}

function countWords(text: string): number {
  return text === "" ? 0 : text.split(":").length;
}

/** The eight words of an IPv6 address. */
function wordsOf(value: bigint): number[] {
  const words: number[] = [];
  for (const half of [value >> 64n, value & 0xffff_ffff_ffff_ffffn]) {
    const high = Number(half >> 32n);
    const low = Number(half & 0xffff_ffffn);
    words.push(high >>> 16, high & 0xffff, low >>> 16, low & 0xffff);
  }
  return words;
}

/** RFC 5952: lower case, no leading zeros, "::" for the first of the longest runs of two zeros or more. */
function formatWords(words: readonly number[]): string {
  let start = -1;
  let length = 1;
  for (let from = 0; from < words.length; from++) {
    let to = from;
    while (words[to] === 0) to++;
    if (to - from > length) {
      start = from;
      length = to - from;
    }
    from = Math.max(from, to);
  }
  const hex = (some: readonly number[]): string => some.map((word) => word.toString(16)).join(":");
  if (start < 0) return hex(words);
  return `${hex(words.slice(0, start))}::${hex(words.slice(start + length))}`;
}

const ZERO = 0x30;
const DOT = 0x2e;
