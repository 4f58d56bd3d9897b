import type { Family, IpPrefix } from "../ip/address.ts";
import { SERVICE_FRONTENDS_MAX, SERVICE_RANGE_PAIRS_MAX, SERVICE_RANGES_MAX } from "./bounds.ts";
import type { ByFamily, ReadPort } from "./translate.ts";

/** What a Service's frontends are the product of. */
export interface WaysIn {
  readonly ports: readonly ReadPort[];
  readonly externalIps: ByFamily;
  readonly ingress: ByFamily;
}

/**
 * The first of the ways in, as many as one Service may have: cluster IPs with every port, then
 * NodePorts, external IPs and load balancers. An address is served with all ports or not at all.
 */
export function boundWays(
  ways: WaysIn,
  { families, problems }: { readonly families: readonly Family[]; readonly problems: string[] },
): WaysIn {
  const named = countWays(ways, families);
  if (named <= SERVICE_FRONTENDS_MAX) return ways;
  // The caller has a family at least, and a port: there would be no ways in otherwise.
  const ports = ways.ports.slice(0, Math.floor(SERVICE_FRONTENDS_MAX / families.length));
  let left = SERVICE_FRONTENDS_MAX - ports.length * families.length;
  const withNodePorts = ports.map((port): ReadPort => {
    if (port.nodePort === 0) return port;
    left -= families.length;
    return left >= 0 ? port : { ...port, nodePort: 0 };
  });
  left = Math.max(left, 0);
  const take = (addresses: ByFamily): ByFamily => {
    const taken: Record<Family, ByFamily[Family]> = { 4: [], 6: [] };
    for (const family of families) {
      taken[family] = addresses[family].slice(0, Math.floor(left / ports.length));
      left -= taken[family].length * ports.length;
    }
    return taken;
  };
  const externalIps = take(ways.externalIps);
  const bounded = { ports: withNodePorts, externalIps, ingress: take(ways.ingress) };
  // First: of many problems the last ones are not told.
  problems.unshift(
    `spec.ports: ${ways.ports.length} ports at all addresses make ${named} frontends, at most ${SERVICE_FRONTENDS_MAX} may be: ${countWays(bounded, families)} are served, cluster IPs first, then NodePorts, spec.externalIPs and status.loadBalancer.ingress`,
  );
  return bounded;
}

function countWays({ ports, externalIps, ingress }: WaysIn, families: readonly Family[]): number {
  const nodePorts = ports.filter(({ nodePort }) => nodePort !== 0).length;
  let count = 0;
  for (const family of families) {
    const addresses = 1 + externalIps[family].length + ingress[family].length;
    count += ports.length * addresses + nodePorts;
  }
  return count;
}

/** The first of the source ranges. Whoever is only in the others may not come in: ranges open, they never close. */
export function boundRanges(
  ranges: readonly IpPrefix[] | undefined,
  { frontends, problems }: { readonly frontends: number; readonly problems: string[] },
): readonly IpPrefix[] | undefined {
  if (ranges === undefined) return undefined;
  const most = Math.min(
    SERVICE_RANGES_MAX,
    Math.floor(SERVICE_RANGE_PAIRS_MAX / Math.max(frontends, 1)),
  );
  if (ranges.length <= most) return ranges;
  problems.unshift(
    `spec.loadBalancerSourceRanges has ${ranges.length} ranges for ${frontends} frontends, at most ${most} of them count (${SERVICE_RANGES_MAX}, and ${SERVICE_RANGE_PAIRS_MAX} in all): the others let nobody in`,
  );
  return ranges.slice(0, most);
}
