import type { AddressText, Endpoint, Frontend, NodeFacts } from "../../services/model.ts";
import { createServiceTable } from "../../services/service-table.ts";
import type { ModelChange } from "../../services/table-types.ts";
import type { HostEvent } from "../core/ports.ts";
import { FakeClock } from "../fake-clock.ts";
import { FakeServicePlane } from "./fake-service-plane.ts";
import { ServicesCore, type ServicesMetrics } from "./services-core.ts";

/** Facts of a node with nothing special. */
export const plainFacts: NodeFacts = {
  nodeName: "node1",
  nodeLabels: new Map(),
  nodeAddresses: ["192.0.2.1" as AddressText],
  nodePortAddresses: ["192.0.2.1" as AddressText],
  podPrefixes: [],
  servicePrefixes: [],
  masqueradeAll: false,
};

export const silentMetrics: ServicesMetrics = {
  queued() {},
  nothingPending() {},
  taken() {},
  called() {},
};

/** A core with a fake plane on a fake clock. */
export function makeServicesWorld(options: { readonly withPlane?: boolean } = {}) {
  const clock = new FakeClock();
  const events: HostEvent[] = [];
  const plane = new FakeServicePlane();
  const core = new ServicesCore({
    clock,
    events: { emit: (event) => events.push(event) },
    table: createServiceTable(plainFacts),
    metrics: silentMetrics,
  });
  if (options.withPlane !== false) core.addPlane(plane, { isRequired: true, version: "1" });
  const kinds = () => events.map(({ kind }) => kind);
  return { clock, events, kinds, plane, core };
}

/** One Service with a cluster IP and endpoints: number 10 is 10.96.0.10. */
export function serviceChange(
  number: number,
  endpoints: readonly string[],
  more: Partial<Frontend> = {},
): ModelChange {
  const group = `web${number}`;
  return {
    replace: false,
    putGroups: [{ id: group, family: 4, endpoints: endpoints.map(plainEndpoint) }],
    removeGroups: [],
    putFrontends: [
      {
        id: group,
        family: 4,
        kind: "clusterIP",
        address: `10.96.${number >> 8}.${number & 255}` as AddressText,
        protocol: "TCP",
        port: 80,
        group,
        portName: "",
        policy: {
          internalTrafficPolicy: "Cluster",
          externalTrafficPolicy: "Cluster",
          pick: "random",
          topologyKeys: [],
          countConnections: false,
          closeTcpFlows: false,
        },
        service: `test/${group}`,
        createdMs: 0,
        ...more,
      },
    ],
    removeFrontends: [],
  };
}

/** Takes a Service of serviceChange() away. */
export function serviceRemoval(number: number): ModelChange {
  const id = `web${number}`;
  return {
    replace: false,
    putGroups: [],
    removeGroups: [id],
    putFrontends: [],
    removeFrontends: [id],
  };
}

function plainEndpoint(address: string): Endpoint {
  return {
    address: address as AddressText,
    ports: [{ name: "", protocol: "TCP", port: 8080 }],
    ready: true,
    serving: true,
    terminating: false,
    weight: 1,
  };
}
