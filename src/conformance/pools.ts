import {
  addressBits,
  formatAddress,
  formatPrefix,
  type IpPrefix,
  networkOf,
  parsePrefix,
} from "../ip/address.ts";
import type { AttachRequest } from "../plugin-sdk/network-plugin.ts";

/** Addresses that the kit gives out: at most one subnet of each family. */
export type Pools = readonly IpPrefix[];

/** Fewer are too few for the rules that attach many pods. */
const HOST_BITS_MIN = 6;

/** Reads subnets from "10.251.0.0/24,fd00:251::/64"; "none" is no pool. Throws RangeError. */
export function parsePools(text: string): Pools {
  if (text === "none") return [];
  const pools = text.split(",").map((part) => networkOf(parsePrefix(part.trim())));
  for (const pool of pools) {
    if (addressBits(pool.family) - pool.prefixLength < HOST_BITS_MIN) {
      throw new RangeError(`${formatPrefix(pool)} is too small: 64 addresses are needed`);
    }
  }
  if (new Set(pools.map(({ family }) => family)).size < pools.length) {
    throw new RangeError(`${JSON.stringify(text)} has two subnets of one family`);
  }
  return pools;
}

/**
 * What an IPAM would allocate for the pod of that number: the gateway is the first address of each subnet,
 * pods follow. Numbers come round again after the last one.
 */
export function allocate(pools: Pools, podNumber: number): AttachRequest["addresses"] {
  return pools.map((pool) => {
    const hostBits = BigInt(addressBits(pool.family) - pool.prefixLength);
    // Not the subnet's own address, not the gateway's, not the broadcast address.
    const usable = (1n << hostBits) - 3n;
    const value = pool.value + 2n + (BigInt(podNumber) % usable);
    return {
      address: formatPrefix({ ...pool, value }),
      gateway: formatAddress({ family: pool.family, value: pool.value + 1n }),
    };
  });
}
