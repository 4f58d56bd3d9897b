/** Ways in of one Service, both families: an object of a few kilobytes names ports times addresses of them. */
export const SERVICE_FRONTENDS_MAX = 4096;
/** Prefixes of one loadBalancerSourceRanges. */
export const SERVICE_RANGES_MAX = 1024;
/** Load-balancer frontends of one Service times its prefixes: a data plane has an element for each pair. */
export const SERVICE_RANGE_PAIRS_MAX = 65_536;
/** Ways in of all Services that come as objects, and pairs of them with source ranges: 490 MB of a host whose heap ends at 1 GB. */
export const NODE_FRONTENDS_MAX = 250_000;
