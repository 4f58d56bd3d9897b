/** Every name and address of the lane. The first of a pair is IPv4, the second IPv6. */
export const ADDRESSES = {
  nodeName: "node1",
  /** The node's own, on a veth whose other end is outside. */
  node: ["10.200.0.1", "fd00:200::1"],
  /** Another machine's: that of whoever runs the tests. */
  outside: ["10.200.0.2", "fd00:200::2"],
  nodePrefixLengths: [24, 64],
  clusterCidrs: ["10.244.0.0/16", "fd00:244::/48"],
  /** What the controller-manager gives the first node of these. */
  podCidrs: ["10.244.0.0/24", "fd00:244::/64"],
  podCidrLengths: [24, 64],
  serviceCidrs: ["10.96.0.0/16", "fd00:10:96::/112"],
  /** The first of each range: the API server's own Service has the IPv4 one. */
  apiService: ["10.96.0.1", "fd00:10:96::1"],
  apiServer: "https://10.200.0.1:6443",
} as const;
