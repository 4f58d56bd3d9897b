import { parsePrefix } from "../ip/address.ts";
import type {
  AddressText,
  Endpoint,
  EndpointGroup,
  Frontend,
  FrontendPolicy,
  NodeFacts,
} from "./model.ts";
import type {
  EndpointSlice,
  ObjectEvent,
  Service,
  ServicesObject,
  SliceEndpoint,
} from "./objects.ts";

/** Objects for tests: a plain one of each kind, and what differs. */
export function sampleFacts(changes: Partial<NodeFacts> = {}): NodeFacts {
  return {
    nodeName: "node-a",
    nodeLabels: new Map([
      ["node-a", labels("node-a", { zone: "zone-1", rack: "r1" })],
      ["node-b", labels("node-b", { zone: "zone-1", rack: "r2" })],
      ["node-c", labels("node-c", { zone: "zone-2", rack: "r1" })],
    ]),
    nodeAddresses: texts("192.0.2.1", "2001:db8::1"),
    nodePortAddresses: texts("192.0.2.1", "2001:db8::1"),
    podPrefixes: [parsePrefix("10.1.0.0/16"), parsePrefix("fd01::/64")],
    servicePrefixes: [parsePrefix("10.96.0.0/16"), parsePrefix("fd96::/112")],
    masqueradeAll: false,
    ...changes,
  };
}

export function sampleService(
  spec: Partial<Service["spec"]> = {},
  {
    name = "web",
    annotations,
    labels,
    ingress,
    created,
  }: {
    readonly name?: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly labels?: Readonly<Record<string, string>>;
    readonly ingress?: readonly {
      readonly ip?: string;
      readonly hostname?: string;
      readonly ipMode?: "VIP" | "Proxy";
    }[];
    readonly created?: string;
  } = {},
): Service {
  return {
    kind: "Service",
    metadata: {
      name,
      namespace: "default",
      ...(annotations && { annotations }),
      ...(labels && { labels }),
      ...(created && { creationTimestamp: created }),
    },
    spec: {
      clusterIPs: ["10.96.0.10"],
      ports: [{ name: "http", protocol: "TCP", port: 80 }],
      ...spec,
    },
    ...(ingress && { status: { loadBalancer: { ingress } } }),
  };
}

export function sampleSlice(
  endpoints: readonly SliceEndpoint[],
  {
    name = "web-1",
    service = "web",
    addressType = "IPv4",
    ports = [{ name: "http", protocol: "TCP", port: 8080 }],
    annotations,
    labels,
  }: {
    readonly name?: string;
    readonly service?: string;
    readonly addressType?: EndpointSlice["addressType"];
    readonly ports?: EndpointSlice["ports"];
    readonly annotations?: Readonly<Record<string, string>>;
    readonly labels?: Readonly<Record<string, string>>;
  } = {},
): EndpointSlice {
  return {
    kind: "EndpointSlice",
    metadata: {
      name,
      namespace: "default",
      labels: { "kubernetes.io/service-name": service, ...labels },
      ...(annotations && { annotations }),
    },
    addressType,
    endpoints,
    ...(ports !== undefined && { ports }),
  };
}

export function sampleEndpoint(
  address: string,
  more: Omit<SliceEndpoint, "addresses"> = {},
): SliceEndpoint {
  return { addresses: [address], ...more };
}

export const samplePolicy: FrontendPolicy = {
  internalTrafficPolicy: "Cluster",
  externalTrafficPolicy: "Cluster",
  pick: "random",
  topologyKeys: [],
  countConnections: false,
  closeTcpFlows: false,
};

export function sampleFrontend(changes: Partial<Frontend> = {}): Frontend {
  return {
    id: "frontend",
    family: 4,
    kind: "clusterIP",
    address: "10.96.0.10" as AddressText,
    protocol: "TCP",
    port: 80,
    group: "group",
    portName: "http",
    policy: samplePolicy,
    service: "default/web",
    createdMs: 0,
    ...changes,
  };
}

export function sampleModelEndpoint(address: string, changes: Partial<Endpoint> = {}): Endpoint {
  return {
    address: address as AddressText,
    ports: samplePorts,
    ready: true,
    serving: true,
    terminating: false,
    weight: 1,
    ...changes,
  };
}

export function sampleGroup(
  endpoints: readonly Endpoint[],
  changes: Partial<EndpointGroup> = {},
): EndpointGroup {
  return { id: "group", family: 4, endpoints, ...changes };
}

export function puts(...objects: readonly ServicesObject[]): readonly ObjectEvent[] {
  return objects.map((object) => ({ kind: "put", object }));
}

export function text(address: string): AddressText {
  return address as AddressText;
}

export function texts(...addresses: readonly string[]): readonly AddressText[] {
  return addresses as readonly AddressText[];
}

const samplePorts = [{ name: "http", protocol: "TCP", port: 8080 }] as const;

function labels(
  node: string,
  { zone, rack }: { readonly zone: string; readonly rack: string },
): ReadonlyMap<string, string> {
  return new Map([
    ["kubernetes.io/hostname", node],
    ["topology.kubernetes.io/zone", zone],
    ["example.com/rack", rack],
  ]);
}
