import assert from "node:assert/strict";
import { test } from "node:test";
import {
  puts,
  sampleEndpoint,
  sampleFacts,
  sampleFrontend,
  sampleService,
  sampleSlice,
  text,
  texts,
} from "./sample-objects.ts";
import { createServiceTable } from "./service-table.ts";
import type { Explanation, ServiceTable } from "./table-types.ts";

const NODE = text("192.0.2.1");

/** What becomes of a stranger's packet to the node. */
function explain(table: ServiceTable, port: number): Explanation {
  const source = { kind: "address", address: text("203.0.113.9") } as const;
  return table.explain({ source, address: NODE, protocol: "TCP", port });
}

function tableWithOwnAddress(): ServiceTable {
  const table = createServiceTable(sampleFacts());
  const service = sampleService({ clusterIPs: [NODE] });
  table.applyObjects("test", puts(service, sampleSlice([sampleEndpoint("10.1.0.1")])));
  return table;
}

test("a cluster IP that is the node's leaves the node its other ports", () => {
  const table = tableWithOwnAddress();
  const taken = table.takeChanges();
  assert.deepEqual(taken?.changes.addClusterIps, []);
  assert.deepEqual(table.plan().clusterIps, new Set());
  assert.equal(explain(table, 80).verdict, "forward");
  assert.equal(explain(table, 22).verdict, "no-service");
  assert.deepEqual(table.problems(), [
    {
      source: "test",
      object: "Service default/web",
      message:
        "spec.clusterIPs: 192.0.2.1 is an address of this node: ports that the Service does not name stay the node's",
    },
  ]);
});

test("a cluster IP becomes the node's, and ceases to be, with the node's addresses", () => {
  const table = tableWithOwnAddress();
  table.setFacts(sampleFacts({ nodeAddresses: texts("192.0.2.7") }));
  assert.deepEqual(table.takeChanges()?.changes.addClusterIps, [NODE]);
  assert.deepEqual(table.problems(), []);
  assert.equal(explain(table, 22).rule, "cluster-ip-wrong-port");
  table.setFacts(sampleFacts({ nodeAddresses: texts("192.0.2.7", NODE) }));
  const { changes } = table.takeChanges() ?? assert.fail("nothing changed");
  assert.deepEqual(changes.removeClusterIps, [NODE]);
  assert.deepEqual(changes.putFrontends, []);
  assert.equal(table.problems().length, 1);
  assert.equal(explain(table, 22).verdict, "no-service");
});

test("the problem of a cluster IP that is the node's goes with the Service", () => {
  const table = createServiceTable(sampleFacts());
  const change = { replace: true, putGroups: [], removeGroups: [], removeFrontends: [] };
  table.applyModel("api", { ...change, putFrontends: [sampleFrontend({ address: NODE })] });
  table.takeChanges();
  assert.deepEqual(
    table.problems().map(({ source, message }) => [source, message.split(":")[0]]),
    [["api", "Frontend.address"]],
  );
  table.applyModel("api", { ...change, putFrontends: [] });
  table.takeChanges();
  assert.deepEqual(table.problems(), []);
});

test("an endpoint that no machine of a network can have is ignored, and told", () => {
  const table = createServiceTable(sampleFacts());
  const addresses = ["127.0.0.1", "169.254.169.254", "224.0.0.1", "0.0.0.0", "10.1.0.1"];
  table.applyObjects(
    "test",
    puts(sampleService(), sampleSlice(addresses.map((address) => sampleEndpoint(address)))),
  );
  table.takeChanges();
  const lists = [...table.plan().lists.values()];
  assert.deepEqual(
    lists.map(({ endpoints }) => endpoints.map(({ address }) => address)),
    [["10.1.0.1"]],
  );
  assert.deepEqual(
    table.problems().map(({ object, message }) => `${object} ${message}`),
    [
      "EndpointSlice default/web-1 endpoints[0].addresses[0]: 127.0.0.1 is a loopback address: the endpoint is ignored",
      "EndpointSlice default/web-1 endpoints[1].addresses[0]: 169.254.169.254 is a link-local address: the endpoint is ignored",
      "EndpointSlice default/web-1 endpoints[2].addresses[0]: 224.0.0.1 is a multicast address: the endpoint is ignored",
      "EndpointSlice default/web-1 endpoints[3].addresses[0]: 0.0.0.0 is unspecified: the endpoint is ignored",
    ],
  );
});
