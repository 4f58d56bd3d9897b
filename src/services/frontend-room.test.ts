import assert from "node:assert/strict";
import { test } from "node:test";
import type { ObjectKey } from "./objects.ts";
import { puts, sampleFacts, sampleService, text } from "./sample-objects.ts";
import { createServiceTable } from "./service-table.ts";
import type { ServiceTable } from "./table-types.ts";

/** A Service with as many frontends as it has ports. */
function sized(name: string, ports: number) {
  const number = name.charCodeAt(0);
  return sampleService(
    {
      clusterIPs: [`10.96.1.${number}`],
      ports: Array.from({ length: ports }, (_, index) => ({ name: `p${index}`, port: index + 1 })),
    },
    { name },
  );
}

function served(table: ServiceTable): readonly string[] {
  table.takeChanges();
  return table.serviceNames();
}

function remove(table: ServiceTable, name: string): void {
  const key = `Service/default/${name}` as ObjectKey;
  table.applyObjects("one", [{ kind: "delete", key }]);
}

test("createServiceTable() does not serve what is too much for the node, and says so", () => {
  const table = createServiceTable(sampleFacts(), { maxFrontends: 5 });
  table.applyObjects("one", puts(sized("a", 3), sized("b", 3)));
  table.applyObjects("two", puts(sized("c", 2)));
  assert.deepEqual(served(table), ["default/a", "default/c"]);
  assert.deepEqual(table.problems(), [
    {
      source: "one",
      object: "Service default/b",
      message:
        "The Service is not served: with its 3 frontends and source ranges those of all Services would be more than 5",
    },
  ]);
  const asked = { address: text("10.96.1.98"), protocol: "TCP", port: 1 } as const;
  assert.equal(table.explain({ ...asked, source: { kind: "node" } }).verdict, "drop");
});

test("createServiceTable() counts each source range of each frontend", () => {
  const table = createServiceTable(sampleFacts(), { maxFrontends: 4 });
  const ranges = (count: number) =>
    sampleService(
      {
        loadBalancerSourceRanges: ["192.0.2.0/24", "198.51.100.0/24", "10.0.0.0/8"].slice(0, count),
      },
      { ingress: [{ ip: "203.0.113.1" }] },
    );
  table.applyObjects("one", puts(ranges(3)));
  assert.deepEqual(served(table), []);
  table.applyObjects("one", puts(ranges(2)));
  assert.deepEqual(served(table), ["default/web"]);
});

test("createServiceTable() serves a Service as soon as there is room for it", () => {
  const table = createServiceTable(sampleFacts(), { maxFrontends: 4 });
  table.applyObjects("one", puts(sized("a", 4), sized("d", 2), sized("c", 1), sized("b", 3)));
  assert.deepEqual(served(table), ["default/a"]);
  remove(table, "a");
  // By name, whoever came first; who is still too big waits on.
  assert.deepEqual(served(table), ["default/b", "default/c"]);
  assert.deepEqual(
    table.problems().map(({ object }) => object),
    ["Service default/d"],
  );
  table.applyObjects("one", puts(sized("b", 2)));
  assert.deepEqual(served(table), ["default/b", "default/c"]);
  remove(table, "c");
  assert.deepEqual(served(table), ["default/b", "default/d"]);
  assert.deepEqual(table.problems(), []);
});

test("createServiceTable() forgets a Service that waited and is gone", () => {
  const table = createServiceTable(sampleFacts(), { maxFrontends: 2 });
  table.applyObjects("one", puts(sized("a", 2), sized("b", 2)));
  served(table);
  remove(table, "b");
  remove(table, "a");
  assert.deepEqual(served(table), []);
  assert.deepEqual(table.problems(), []);
});
