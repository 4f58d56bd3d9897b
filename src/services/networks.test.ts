import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ObjectKey, SliceEndpoint } from "./objects.ts";
import type { OnNetwork, PlannedFrontend } from "./plan-types.ts";
import { networkStatusAnnotation } from "./pod-networks.ts";
import {
  puts,
  sampleEndpoint,
  sampleFacts,
  sampleService,
  sampleSlice,
  text,
  texts,
} from "./sample-objects.ts";
import { createServiceTable } from "./service-table.ts";
import type { ServiceTable } from "./table-types.ts";

const network = "services.patchbay.dev/network";
const onFast = { annotations: { [network]: "fast" } };

describe("Services on networks", () => {
  it("plan() refuses on the node and tells namespaces the pods' addresses on the network", () => {
    const table = sampleTable();
    attach(table, { pod: "web-1", addresses: ["10.20.0.5"] });
    attach(table, { pod: "web-2", addresses: ["10.20.0.6"] });
    const frontend = only(table);
    assert.deepEqual(frontend.inside, { kind: "reject" });
    assert.deepEqual(frontend.outside, { kind: "reject" });
    assert.deepEqual(frontend.onNetwork, {
      network: "default/fast",
      route: {
        kind: "forward",
        pick: "random",
        endpoints: [
          { address: text("10.20.0.5"), port: 8080, weight: 1 },
          { address: text("10.20.0.6"), port: 8080, weight: 1 },
        ],
      },
      closeTcpFlows: false,
    } satisfies OnNetwork);
    assert.equal(table.plan().lists.size, 0, "no plane of the node has the endpoints");
  });

  it("plan() follows pods that come to the network and leave it", () => {
    const table = sampleTable();
    assert.deepEqual(only(table).onNetwork?.route, { kind: "reject" });
    attach(table, { pod: "web-1", addresses: ["10.20.0.5"] });
    assert.deepEqual(targets(table), ["10.20.0.5:8080"]);
    table.changePodNetworks({ put: [], remove: ["web-1"] });
    const taken = table.takeChanges();
    assert.deepEqual(
      taken?.changes.putFrontends.map(({ onNetwork }) => onNetwork?.route),
      [{ kind: "reject" }],
    );
  });

  it("takeChanges() says nothing of pods that are no endpoint, and of other networks", () => {
    const table = sampleTable();
    table.takeChanges();
    attach(table, { pod: "other", addresses: ["10.20.0.5"] });
    attach(table, { pod: "web-1", on: "default/slow", addresses: ["10.30.0.5"] });
    assert.equal(table.takeChanges(), undefined);
  });

  it("plan() finds IPv6 on the network where slices have IPv4 alone", () => {
    const table = createServiceTable(sampleFacts());
    const service = sampleService({ clusterIPs: ["10.96.0.10", "fd96::10"] }, onFast);
    table.applyObjects("m", puts(service, sampleSlice([endpointOf("web-1", "10.1.0.5")])));
    attach(table, { pod: "web-1", addresses: ["10.20.0.5", "fd20::5"] });
    assert.deepEqual(targets(table), ["10.20.0.5:8080", "fd20::5:8080"]);
  });

  it("plan() names a pod once that stands in slices of both families", () => {
    const table = createServiceTable(sampleFacts());
    const service = sampleService({ clusterIPs: ["10.96.0.10", "fd96::10"] }, onFast);
    const six = { name: "web-6", addressType: "IPv6" } as const;
    table.applyObjects(
      "m",
      puts(
        service,
        sampleSlice([endpointOf("web-1", "10.1.0.5")]),
        sampleSlice([endpointOf("web-1", "fd01::5")], six),
      ),
    );
    attach(table, { pod: "web-1", addresses: ["10.20.0.5", "fd20::5"] });
    assert.deepEqual(targets(table), ["10.20.0.5:8080", "fd20::5:8080"]);
  });

  it("plan() takes pods of other nodes from their annotation", () => {
    const table = sampleTable();
    const status = JSON.stringify([{ name: "default/fast", ips: ["10.20.0.9"] }]);
    const metadata = { name: "web-1", namespace: "default" };
    const annotations = { [networkStatusAnnotation]: status };
    table.applyObjects("m", puts({ kind: "Pod", metadata: { ...metadata, annotations } }));
    assert.deepEqual(targets(table), ["10.20.0.9:8080"]);
    table.applyObjects("m", [{ kind: "delete", key: "Pod/default/web-1" as ObjectKey }]);
    assert.deepEqual(targets(table), []);
  });

  it("a relist without the pod takes its addresses away", () => {
    const table = sampleTable();
    const status = JSON.stringify([{ name: "default/fast", ips: ["10.20.0.9"] }]);
    const annotations = { [networkStatusAnnotation]: status };
    const metadata = { name: "web-1", namespace: "default", annotations };
    table.applyObjects("m", puts({ kind: "Pod", metadata }));
    table.applyObjects("m", [{ kind: "relist", objects: objects() }]);
    assert.deepEqual(targets(table), []);
  });

  it("plan() keeps weights, by pod and by the address on the network", () => {
    const weights = { "services.patchbay.dev/weights": "web-1=3,10.20.0.6=0" };
    const table = createServiceTable(sampleFacts());
    const annotations = { ...onFast.annotations, ...weights };
    table.applyObjects("m", puts(sampleService({}, { annotations }), ...objects().slice(1)));
    attach(table, { pod: "web-1", addresses: ["10.20.0.5"] });
    attach(table, { pod: "web-2", addresses: ["10.20.0.6"] });
    const route = only(table).onNetwork?.route;
    assert.deepEqual(route?.kind === "forward" && route.endpoints, [
      { address: "10.20.0.5", port: 8080, weight: 3 },
    ]);
  });

  it("plan() lets affinity choose the same endpoint", () => {
    const table = createServiceTable(sampleFacts());
    const service = sampleService({ sessionAffinity: "ClientIP" }, onFast);
    table.applyObjects("m", puts(service, ...objects().slice(1)));
    attach(table, { pod: "web-1", addresses: ["10.20.0.5"] });
    const route = only(table).onNetwork?.route;
    assert.equal(route?.kind === "forward" && route.pick, "same");
  });

  it("a Service that leaves its network is the node's again", () => {
    const table = sampleTable();
    attach(table, { pod: "web-1", addresses: ["10.20.0.5"] });
    table.applyObjects("m", puts(sampleService()));
    const frontend = only(table);
    assert.equal(frontend.onNetwork, undefined);
    assert.equal(frontend.inside.kind, "list");
  });

  it("explain() says forward to pods on the network, and refused to all others", () => {
    const table = sampleTable();
    attach(table, { pod: "web-1", addresses: ["10.20.0.5"] });
    table.takeChanges();
    const packet = { address: text("10.96.0.10"), protocol: "TCP", port: 80 } as const;
    const address = text("10.1.0.77");
    const inside = table.explain({
      ...packet,
      source: { kind: "address", address, networks: ["default/fast"] },
    });
    assert.equal(inside.verdict, "forward");
    assert.equal(inside.rule, "network-cluster");
    assert.deepEqual(
      inside.endpoints.map((endpoint) => endpoint.address),
      ["10.20.0.5"],
    );
    assert.deepEqual(
      inside.unused.map(({ endpoint, reason }) => `${endpoint.podName}: ${reason}`),
      ["web-2: its pod has no address of this family on the Service's network"],
    );
    const outside = table.explain({ ...packet, source: { kind: "address", address } });
    assert.equal(outside.verdict, "reject");
    assert.equal(outside.rule, "on-network");
    assert.match(outside.ruleText, /The network: default\/fast\.$/);
    assert.equal(table.explain({ ...packet, source: { kind: "node" } }).rule, "on-network");
  });

  it("NodePorts of such a Service are refused, and that is said", () => {
    const table = createServiceTable(sampleFacts());
    const port = { name: "http", protocol: "TCP", port: 80, nodePort: 30_080 } as const;
    const service = sampleService({ type: "NodePort", ports: [port] }, onFast);
    table.applyObjects("m", puts(service, ...objects().slice(1)));
    attach(table, { pod: "web-1", addresses: ["10.20.0.5"] });
    table.takeChanges();
    const nodePort = [...table.plan().frontends.values()].find(({ kind }) => kind === "nodePort");
    assert.deepEqual(nodePort?.inside, { kind: "reject" });
    assert.equal(nodePort.onNetwork, undefined);
    assert.match(
      table.problems()[0]?.message ?? "",
      /only pods on default\/fast reach the Service/,
    );
  });

  const names: readonly (readonly [string, string])[] = [
    ["", 'metadata.annotations[services.patchbay.dev/network] is ignored: ""'],
    ["a/b/c", 'metadata.annotations[services.patchbay.dev/network] is ignored: "a/b/c"'],
    ["Fast", 'metadata.annotations[services.patchbay.dev/network] is ignored: "Fast"'],
    ["/fast", 'metadata.annotations[services.patchbay.dev/network] is ignored: "/fast"'],
  ];
  for (const [name, problem] of names) {
    it(`the name ${JSON.stringify(name)} of a network is told and ignored`, () => {
      const table = createServiceTable(sampleFacts());
      const annotations = { [network]: name };
      table.applyObjects("m", puts(sampleService({}, { annotations }), ...objects().slice(1)));
      const expected = `${problem}, expected "namespace/name" or "name" of a network`;
      assert.deepEqual(
        table.problems().map(({ message }) => message),
        [expected],
      );
      assert.equal(only(table).onNetwork, undefined);
    });
  }
});

function objects() {
  return [
    sampleService({}, onFast),
    sampleSlice([endpointOf("web-1", "10.1.0.5"), endpointOf("web-2", "10.1.0.6")]),
  ];
}

function sampleTable(): ServiceTable {
  const table = createServiceTable(sampleFacts());
  table.applyObjects("m", puts(...objects()));
  return table;
}

function endpointOf(podName: string, address: string): SliceEndpoint {
  return sampleEndpoint(address, { targetRef: { kind: "Pod", name: podName } });
}

function attach(
  table: ServiceTable,
  { pod, on = "default/fast", addresses }: { pod: string; on?: string; addresses: string[] },
): void {
  const entry = { id: pod, pod: `default/${pod}`, network: on, ifname: "net1" };
  table.changePodNetworks({ put: [{ ...entry, addresses: texts(...addresses) }], remove: [] });
}

function only(table: ServiceTable): PlannedFrontend {
  table.takeChanges();
  const [frontend] = table.plan().frontends.values();
  assert.ok(frontend);
  return frontend;
}

function targets(table: ServiceTable): string[] {
  table.takeChanges();
  return [...table.plan().frontends.values()].flatMap(({ onNetwork }) =>
    onNetwork?.route.kind === "forward"
      ? onNetwork.route.endpoints.map(({ address, port }) => `${address}:${port}`)
      : [],
  );
}
