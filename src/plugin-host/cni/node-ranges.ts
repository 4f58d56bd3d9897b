import { parsePrefix } from "../../ip/address.ts";
import { PatchbayError } from "../errors.ts";

/** Value of `ipam.ranges` by which a network takes the address ranges of the node (Node spec.podCIDRs). */
export const NODE_RANGES = "node";

/** Keys by which host-local names one range. */
const SINGLE_RANGE_KEYS = ["subnet", "rangeStart", "rangeEnd", "gateway"];

type Json = Readonly<Record<string, unknown>>;

/** True where `ipam` says that the node's ranges are its own. Throws PatchbayError INVALID_NETWORK_CONFIG. */
export function asksNodeRanges(ipam: Json | undefined, isExtra: boolean): boolean {
  const ranges = ipam?.["ranges"];
  if (typeof ranges !== "string") return false;
  if (ranges !== NODE_RANGES) {
    throw invalid(
      `ipam.ranges is ${JSON.stringify(ranges.slice(0, 80))}, expected a list or "node"`,
    );
  }
  if (isExtra) {
    throw invalid(
      'ipam.ranges is "node", expected a list: only the node\'s default network has the ranges of the node',
    );
  }
  const beside = SINGLE_RANGE_KEYS.find((key) => (ipam?.[key] ?? "") !== "");
  if (beside !== undefined) {
    throw invalid(`ipam.${beside} is given, expected nothing beside ipam.ranges "node"`);
  }
  return true;
}

/** The configuration with ranges in place of "node": the first of each family counts, as Kubernetes allows no more. */
export function withRanges(config: Json, podCidrs: readonly string[]): Record<string, unknown> {
  const firsts = new Map(podCidrs.toReversed().map((cidr) => [parsePrefix(cidr).family, cidr]));
  const ranges = podCidrs
    .filter((cidr) => firsts.get(parsePrefix(cidr).family) === cidr)
    .map((subnet) => [{ subnet }]);
  return { ...config, ipam: { ...(config["ipam"] as Json), ranges } };
}

/** The `ipam` object with no word of ranges, for its other keys to be read. */
export function withoutRanges(ipam: Json): Record<string, unknown> {
  return Object.fromEntries(Object.entries(ipam).filter(([key]) => key !== "ranges"));
}

function invalid(message: string): PatchbayError {
  return new PatchbayError("INVALID_NETWORK_CONFIG", message);
}
