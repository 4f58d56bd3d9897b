import type { AddressText } from "./model.ts";

/** What nobody may serve, or serve from: each means something else on every machine, or many machines at once. */
export type SpecialAddress =
  | "unspecified"
  | "a loopback address"
  | "a link-local address"
  | "a multicast address"
  | "the broadcast address";

/**
 * undefined: an address that one machine of a network can have. The API refuses the others as
 * endpoints and external IPs (k8s.io/kubernetes pkg/apis/core/validation, ValidateNonSpecialIP).
 * Asked of every endpoint of every slice, so it reads the canonical text alone.
 */
export function specialAddress(address: AddressText): SpecialAddress | undefined {
  return address.includes(":") ? specialIpv6(address) : specialIpv4(address);
}

function specialIpv4(address: string): SpecialAddress | undefined {
  if (address.startsWith("0.")) return "unspecified";
  if (address.startsWith("127.")) return "a loopback address";
  if (address.startsWith("169.254.")) return "a link-local address";
  if (address === "255.255.255.255") return "the broadcast address";
  // 224.0.0.0/4; a first part of two digits has its dot before the third character.
  if (address.charCodeAt(0) !== TWO || address.charCodeAt(3) !== DOT) return undefined;
  const first = Number(address.slice(0, 3));
  return first >= 224 && first <= 239 ? "a multicast address" : undefined;
}

function specialIpv6(address: string): SpecialAddress | undefined {
  if (address === "::") return "unspecified";
  if (address === "::1") return "a loopback address";
  if (address.charCodeAt(0) !== LOWER_F) return undefined;
  // Only a first word of four digits has these bits first.
  if (/^ff[0-9a-f]{2}:/.test(address)) return "a multicast address";
  return /^fe[89ab][0-9a-f]:/.test(address) ? "a link-local address" : undefined;
}

const TWO = 0x32;
const DOT = 0x2e;
const LOWER_F = 0x66;
