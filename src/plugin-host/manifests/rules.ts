import { isIPv4, isIPv6 } from "node:net";
import type { TextRule } from "./fields.ts";

const LABEL = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const QUALIFIED_NAME = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/** RFC 1123 label: names of Services, namespaces and ports. */
export const DNS_LABEL: TextRule = {
  expected: "a DNS label",
  test: (text) => LABEL.test(text),
};

/**
 * RFC 1123 subdomain, as the API has it (apimachinery IsDNS1123Subdomain): names of nodes, slices, pods and CIDRs.
 * Its labels may be longer than those of DNS.
 */
export const DNS_SUBDOMAIN: TextRule = { expected: "a DNS name", test: isSubdomain };

/** Keys of labels and annotations: a name, with or without a prefix. */
export const META_KEY: TextRule = {
  expected: "a name of letters, digits, '-', '_' and '.', after an optional DNS name and '/'",
  test(text) {
    const slash = text.indexOf("/");
    if (slash >= 0 && !isSubdomain(text.slice(0, slash).toLowerCase())) return false;
    return QUALIFIED_NAME.test(text.slice(slash + 1));
  },
};

export const LABEL_VALUE: TextRule = {
  expected: "at most 63 letters, digits, '-', '_' and '.'",
  test: (text) => text === "" || QUALIFIED_NAME.test(text),
};

export const SHORT_TEXT: TextRule = {
  expected: "text of at most 1024 characters",
  test: (text) => text.length <= 1024,
};

export const TIMESTAMP: TextRule = {
  expected: "a time such as 2026-01-31T12:00:00Z",
  test: (text) =>
    /^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[-+]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text)),
};

/** As upstream reads addresses (services.md 3.1): leading zeros are decimal. */
export const ADDRESS: TextRule = { expected: "an IP address", test: isSloppyAddress };

export const CLUSTER_IP: TextRule = {
  expected: "an IP address or None",
  test: (text) => text === "None" || isSloppyAddress(text),
};

export const PREFIX: TextRule = {
  expected: "an address with a prefix length",
  test: isSloppyPrefix,
};

/** Source ranges are trimmed of spaces. */
export const SPACED_PREFIX: TextRule = {
  expected: "an address with a prefix length",
  test: (text) => isSloppyPrefix(text.trim()),
};

function isSubdomain(text: string): boolean {
  return text.length <= 253 && SUBDOMAIN.test(text);
}

function isSloppyAddress(text: string): boolean {
  if (text.length > 64 || text.includes("%")) return false;
  if (isIPv4(text) || isIPv6(text)) return true;
  const last = text.lastIndexOf(":") + 1;
  const dotted = text.slice(last);
  if (!/^\d+\.\d+\.\d+\.\d+$/.test(dotted)) return false;
  const strict = text.slice(0, last) + dotted.split(".").map(Number).join(".");
  return last === 0 ? isIPv4(strict) : isIPv6(strict);
}

function isSloppyPrefix(text: string): boolean {
  const slash = text.indexOf("/");
  const address = text.slice(0, slash);
  const digits = text.slice(slash + 1);
  if (slash < 0 || !/^\d{1,3}$/.test(digits) || !isSloppyAddress(address)) return false;
  return Number(digits) <= (address.includes(":") ? 128 : 32);
}
