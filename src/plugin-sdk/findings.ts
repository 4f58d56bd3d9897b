import { formatAddress, formatPrefix, type IpAddress, type IpPrefix } from "../ip/address.ts";
import type { Link, LinkAddress, Neighbour, Route } from "../kernel/kernel.ts";
import type { Finding } from "./network-plugin.ts";

/** What a link must be. Absent: not looked at. */
export interface ExpectedLink {
  readonly name: string;
  readonly mac?: string;
  readonly mtu?: number;
  readonly masterIfindex?: number;
}

/** What a route must be. */
export interface ExpectedRoute {
  readonly destination: IpPrefix;
  readonly gateway?: IpAddress;
  readonly ifindex: number;
  readonly table: number;
}

/** A difference, as CHECK reports it. */
export function finding(kind: string, object: string, expected: string, found: string): Finding {
  return { kind, object, expected, found, repaired: false };
}

/** Differences of a link: missing, down, or with another MAC address, MTU or master. */
export function compareLink(expected: ExpectedLink, found: Link | undefined): Finding[] {
  const { name } = expected;
  if (!found) return [finding("link-missing", name, "present", "")];
  const findings: Finding[] = [];
  if (!found.up) findings.push(finding("link-down", name, "up", "down"));
  if (expected.mac !== undefined && found.mac !== expected.mac) {
    findings.push(finding("mac", name, expected.mac, found.mac));
  }
  if (expected.mtu && found.mtu !== expected.mtu) {
    findings.push(finding("mtu", name, String(expected.mtu), String(found.mtu)));
  }
  if (expected.masterIfindex !== undefined && found.masterIfindex !== expected.masterIfindex) {
    const master = found.masterIfindex === undefined ? "" : `link ${found.masterIfindex}`;
    findings.push(finding("master", name, `link ${expected.masterIfindex}`, master));
  }
  return findings;
}

/** Addresses that are not on the link. */
export function compareAddresses(
  expected: readonly IpPrefix[],
  link: Link,
  found: readonly LinkAddress[],
): Finding[] {
  const present = new Set(
    found
      .filter((entry) => entry.ifindex === link.ifindex)
      .map((entry) => formatPrefix(entry.address)),
  );
  return expected
    .map(formatPrefix)
    .filter((text) => !present.has(text))
    .map((text) => finding("address-missing", link.name, text, ""));
}

/** Routes that are not there, or lead elsewhere. */
export function compareRoutes(
  expected: readonly ExpectedRoute[],
  found: readonly Route[],
): Finding[] {
  return expected.flatMap((route) => {
    const same = found.filter(
      (entry) =>
        formatPrefix(entry.destination) === formatPrefix(route.destination) &&
        entry.table === route.table,
    );
    if (same.some((entry) => leadsTo(entry, route))) return [];
    const elsewhere = same[0] ? describeRoute(same[0]) : "";
    return [
      finding("route-missing", formatPrefix(route.destination), describeRoute(route), elsewhere),
    ];
  });
}

/** Permanent neighbour entries that are not there, or name another MAC address. */
export function compareNeighbours(
  expected: readonly { readonly address: IpAddress; readonly mac: string }[],
  link: Link,
  found: readonly Neighbour[],
): Finding[] {
  return expected.flatMap(({ address, mac }) => {
    const entry = found.find(
      (each) =>
        each.ifindex === link.ifindex &&
        !each.forwarding &&
        !each.proxy &&
        each.address.family === address.family &&
        each.address.value === address.value,
    );
    const isPermanent = ((entry?.state ?? 0) & NUD_PERMANENT) !== 0;
    if (isPermanent && entry?.mac === mac) return [];
    const state = isPermanent ? "" : " not permanent";
    const object = `${formatAddress(address)} on ${link.name}`;
    return [finding("neighbour-missing", object, mac, entry ? `${entry.mac}${state}` : "")];
  });
}

/** NUD_PERMANENT, linux/neighbour.h. */
const NUD_PERMANENT = 0x80;

/** RT_TABLE_MAIN, linux/rtnetlink.h. */
export const MAIN_TABLE = 254;

/** RT_TABLE_LOCAL, linux/rtnetlink.h: the kernel keeps it, in its own time. */
export const LOCAL_TABLE = 255;

function leadsTo(entry: Route, route: ExpectedRoute): boolean {
  return entry.ifindex === route.ifindex && entry.gateway?.value === route.gateway?.value;
}

function describeRoute(route: Pick<Route, "gateway" | "ifindex">): string {
  const via = route.gateway ? `via ${formatAddress(route.gateway)} ` : "";
  return `${via}by link ${route.ifindex ?? "none"}`;
}
