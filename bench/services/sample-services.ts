import type {
  EndpointSlice,
  Node,
  Service,
  ServiceCidr,
  SliceEndpoint,
} from "../../src/services/objects.ts";

/** Where the Services of a run lie. */
export const SERVICE_CIDR = "10.64.0.0/12";
export const POD_CIDR = "10.128.0.0/9";
export const NODE_NAME = "bench-node";
/** Of so many endpoints one lies on this node. */
const NODES = 100;

export interface SampleService {
  readonly name: string;
  readonly clusterIp: string;
  readonly endpoints: readonly SampleEndpoint[];
}

export interface SampleEndpoint {
  readonly address: string;
  readonly node: string;
}

export const SERVICE_PORT = 80;
export const TARGET_PORT = 8080;

/** Service `index` of a cluster whose Services have `endpoints` each: the same for ours and the peer. */
export function sampleService(index: number, endpoints: number): SampleService {
  return {
    name: `svc-${index}`,
    clusterIp: dotted((10 << 24) + (64 << 16) + index + 10),
    endpoints: Array.from({ length: endpoints }, (_, at) => endpointAt(index * endpoints + at)),
  };
}

export function sampleServices(count: number, endpoints: number): SampleService[] {
  return Array.from({ length: count }, (_, index) => sampleService(index, endpoints));
}

/** Endpoint `number` of the cluster. */
export function endpointAt(number: number): SampleEndpoint {
  const node = number % NODES;
  return {
    address: dotted((10 << 24) + (129 << 16) + number),
    node: node === 0 ? NODE_NAME : `node-${node}`,
  };
}

export function serviceObject({ name, clusterIp }: SampleService): Service & ApiVersion {
  // More than is read, as people have them.
  const labels: Record<string, string> = { "app.kubernetes.io/name": name };
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: "bench", labels },
    spec: {
      type: "ClusterIP",
      clusterIP: clusterIp,
      clusterIPs: [clusterIp],
      sessionAffinity: "None",
      internalTrafficPolicy: "Cluster",
      ports: [{ name: "http", protocol: "TCP", port: SERVICE_PORT }],
    },
  };
}

/** One of a Service's slices, as the controller writes it, without what only the API needs. */
export function sliceObject(
  service: string,
  options: { readonly endpoints: readonly SampleEndpoint[]; readonly number?: number },
): EndpointSlice & ApiVersion {
  const labels: Record<string, string> = {
    "kubernetes.io/service-name": service,
    "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
  };
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      name: `${service}-${options.number ?? 0}`,
      namespace: "bench",
      labels,
    },
    addressType: "IPv4",
    endpoints: options.endpoints.map(sliceEndpoint),
    ports: [{ name: "http", protocol: "TCP", port: TARGET_PORT }],
  };
}

/** This node and the range of Services. */
export function clusterObjects(): readonly [Node & ApiVersion, ServiceCidr & ApiVersion] {
  return [
    {
      apiVersion: "v1",
      kind: "Node",
      metadata: { name: NODE_NAME, namespace: "" },
      spec: { podCIDR: POD_CIDR, podCIDRs: [POD_CIDR] },
      status: { addresses: [{ type: "InternalIP", address: "192.0.2.1" }] },
    },
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "ServiceCIDR",
      metadata: { name: "kubernetes", namespace: "" },
      spec: { cidrs: [SERVICE_CIDR] },
    },
  ];
}

interface ApiVersion {
  readonly apiVersion: string;
}

function sliceEndpoint({ address, node }: SampleEndpoint): SliceEndpoint {
  return {
    addresses: [address],
    conditions: { ready: true, serving: true, terminating: false },
    nodeName: node,
    zone: "zone-1",
    targetRef: { kind: "Pod", name: `pod-${address.replaceAll(".", "-")}` },
  };
}

function dotted(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join(".");
}
