import type { EndpointView__Output } from "../rpc/generated/patchbay/host/v1/EndpointView.ts";
import type { FrontendView__Output } from "../rpc/generated/patchbay/host/v1/FrontendView.ts";
import type { RouteView__Output } from "../rpc/generated/patchbay/host/v1/RouteView.ts";
import type { ServiceView__Output } from "../rpc/generated/patchbay/host/v1/ServiceView.ts";

/** Answers of ListServices for tests. */
export function fakeService(fields: Partial<ServiceView__Output> = {}): ServiceView__Output {
  return {
    service: "default/web",
    frontends: [fakeFrontend()],
    revision: 7,
    programmed: true,
    ...fields,
  };
}

export function fakeFrontend(fields: Partial<FrontendView__Output> = {}): FrontendView__Output {
  const route = forward("10.88.0.2", "10.88.1.3");
  return {
    kind: "clusterIP",
    address: "10.96.0.10",
    protocol: "TCP",
    port: 80,
    portName: "http",
    inside: route,
    outside: route,
    masquerade: "others",
    affinitySeconds: 0,
    refused: "",
    sourceRanges: [],
    connections: 0,
    shadowedBy: "",
    pick: "random",
    countsConnections: false,
    network: "",
    ...fields,
  };
}

/** Endpoints on port 8080: 10.88.0.0/24 is this node. */
export function forward(...addresses: readonly string[]): RouteView__Output {
  return { verdict: "forward", endpoints: addresses.map((address) => fakeEndpoint({ address })) };
}

export const reject: RouteView__Output = { verdict: "reject", endpoints: [] };
export const drop: RouteView__Output = { verdict: "drop", endpoints: [] };

export function fakeEndpoint(fields: Partial<EndpointView__Output> = {}): EndpointView__Output {
  const { address = "10.88.0.2" } = fields;
  const local = address.startsWith("10.88.0.");
  return {
    address,
    port: 8080,
    weight: 1,
    node: local ? "node-a" : "node-b",
    pod: "",
    zone: "",
    local,
    ...fields,
  };
}

/** Services of every shape that a map knows, `count` of them. */
export function fakeServices(count: number): ServiceView__Output[] {
  return Array.from({ length: count }, (_, index) => {
    const address = `10.96.${index >> 8}.${index & 255}`;
    const v6 = `fd00:10:96::${index.toString(16)}`;
    const local = [1, 2].map((host) => `10.88.0.${index + host}`);
    const remote = [1, 2, 3].map((host) => `10.88.${1 + (index % 3)}.${index + host}`);
    const both = withPods(forward(...local, ...remote), index);
    const many = withPods(
      forward(...Array.from({ length: 40 }, (_, host) => `10.88.${host % 4}.${host + 10}`)),
      index,
    );
    const shapes: Partial<ServiceView__Output>[] = [
      { frontends: [fakeFrontend({ address, inside: both, outside: both })] },
      {
        frontends: [
          fakeFrontend({ address, inside: both, outside: both, affinitySeconds: 10_800 }),
          fakeFrontend({ address: v6, inside: reject, outside: reject }),
        ],
      },
      {
        frontends: [
          fakeFrontend({ address, inside: both, outside: both }),
          ...["192.0.2.1", "192.0.2.2", "2001:db8::1"].map((node) =>
            fakeFrontend({
              ...{ kind: "nodePort", address: node, port: 30_000 + index },
              ...{ inside: both, outside: drop, masquerade: "nobody" },
            }),
          ),
          fakeFrontend({
            ...{ kind: "loadBalancer", address: "198.51.100.7", port: 443, portName: "https" },
            ...{ inside: both, outside: withPods(forward(...local), index), masquerade: "nobody" },
          }),
        ],
      },
      {
        programmed: false,
        frontends: [
          fakeFrontend({ address, inside: many, outside: many }),
          fakeFrontend({
            ...{ kind: "externalIP", address: "203.0.113.9", inside: many, outside: many },
            shadowedBy: "shop/frontend-with-a-rather-long-name",
          }),
        ],
      },
      {
        frontends: [
          fakeFrontend({
            address,
            refused: "the kernel said ENOSPC: no space in the map of lists",
          }),
        ],
      },
      { frontends: [] },
    ];
    const namespace = index % 2 === 0 ? "default" : "kube-system";
    const name = `${namespace}/service-${index}`;
    return fakeService({ service: name, revision: index + 1, ...shapes[index % shapes.length] });
  });
}

function withPods(route: RouteView__Output, index: number): RouteView__Output {
  const endpoints = route.endpoints.map((endpoint, host) => ({
    ...endpoint,
    pod: `default/service-${index}-7d4b9c-x${host}z`,
    zone: endpoint.local ? "zone-1" : "zone-2",
  }));
  return { ...route, endpoints };
}
