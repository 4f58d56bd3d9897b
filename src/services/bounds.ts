/** Ways in of one Service, both families: an object of a few kilobytes names ports times addresses of them. */
export const SERVICE_FRONTENDS_MAX = 4096;
/** Prefixes of one loadBalancerSourceRanges. */
export const SERVICE_RANGES_MAX = 1024;
/** Load-balancer frontends of one Service times its prefixes: a data plane has an element for each pair. */
export const SERVICE_RANGE_PAIRS_MAX = 65_536;
/** Ways in of all Services that come as objects: 400 MB of heap in the table alone, ten for each of 50,000 Services. */
export const NODE_FRONTENDS_MAX = 500_000;
