import assert from "node:assert/strict";
import { test } from "node:test";
import type { Frontend } from "./model.ts";
import {
  puts,
  sampleEndpoint,
  sampleFacts,
  sampleFrontend,
  sampleGroup,
  sampleModelEndpoint,
  sampleService,
  sampleSlice,
  text,
} from "./sample-objects.ts";
import { createServiceTable } from "./service-table.ts";
import type { ServiceTable } from "./table-types.ts";

/** Puts frontends of one address and port, each of its own Service, in the order given. */
function tableOf(frontends: readonly Partial<Frontend>[]): ServiceTable {
  const table = createServiceTable(sampleFacts());
  for (const changes of frontends) {
    table.applyModel("test", {
      replace: false,
      putGroups: [sampleGroup([sampleModelEndpoint("10.1.0.1")])],
      removeGroups: [],
      putFrontends: [sampleFrontend(changes)],
      removeFrontends: [],
    });
    table.takeChanges();
  }
  return table;
}

const key = "10.96.0.10|TCP|80";

const ROWS: readonly [why: string, winner: Partial<Frontend>, loser: Partial<Frontend>][] = [
  ["the lower kind", { kind: "clusterIP", createdMs: 9 }, { kind: "nodePort", createdMs: 1 }],
  ["node port before external", { kind: "nodePort" }, { kind: "externalIP" }],
  ["external before load balancer", { kind: "externalIP" }, { kind: "loadBalancer" }],
  ["load balancer before hostPort", { kind: "loadBalancer" }, { kind: "hostPort" }],
  ["the earlier time", { createdMs: 1 }, { createdMs: 2 }],
  ["the smaller id", { createdMs: 1 }, { createdMs: 1 }],
];

test("of two frontends with one key the first has it, whoever came first", () => {
  for (const [why, winner, loser] of ROWS) {
    const first = { ...winner, id: "a", service: "default/first" };
    const second = { ...loser, id: "b", service: "default/second" };
    for (const order of [
      [first, second],
      [second, first],
    ]) {
      const table = tableOf(order);
      assert.equal(table.plan().frontends.get(text(key) as never)?.service, "default/first", why);
      assert.equal(table.view("default/first")?.frontends[0]?.shadowedBy, undefined, why);
      assert.equal(table.view("default/second")?.frontends[0]?.shadowedBy, "default/first", why);
    }
  }
});

test("takeChanges() gives the key to the next one when the first goes, its list with it", () => {
  const table = createServiceTable(sampleFacts());
  const other = sampleService({}, { name: "other", created: "2026-01-02T00:00:00Z" });
  table.applyObjects(
    "test",
    puts(
      sampleService({}, { created: "2026-01-01T00:00:00Z" }),
      sampleSlice([sampleEndpoint("10.1.0.1")]),
      other,
      sampleSlice([sampleEndpoint("10.1.0.2")], { name: "other-1", service: "other" }),
    ),
  );
  table.takeChanges();
  assert.deepEqual([...table.plan().lists.keys()], ["test:default/web/4|http|TCP|cluster"]);
  table.applyObjects("test", [{ kind: "delete", key: "Service/default/web" as never }]);
  const taken = table.takeChanges();
  assert.deepEqual(
    taken?.changes.putFrontends.map(({ service }) => service),
    ["default/other"],
  );
  assert.deepEqual(taken?.changes.removeFrontends, []);
  assert.deepEqual(
    taken?.changes.putLists.map(({ id }) => id),
    ["test:default/other/4|http|TCP|cluster"],
  );
  assert.deepEqual(taken?.changes.removeLists, ["test:default/web/4|http|TCP|cluster"]);
  // The address stays a cluster IP all the while.
  assert.deepEqual([taken?.changes.addClusterIps, taken?.changes.removeClusterIps], [[], []]);
  assert.deepEqual(new Set(taken?.services), new Set(["default/web", "default/other"]));
});

test("problems() say whose address and port another Service has, and why", () => {
  const named = tableOf([
    { id: "a", service: "default/athief" },
    { id: "b", service: "default/web" },
    // A frontend of the same Service takes from nobody.
    { id: "c", service: "default/athief", kind: "externalIP" },
  ]);
  assert.deepEqual(named.problems(), [
    {
      source: "test",
      object: "Service default/web",
      message: "10.96.0.10:80/TCP is taken by default/athief, named first",
    },
  ]);
  const whys = [
    [{ kind: "clusterIP" }, "whose clusterIP comes before a nodePort"],
    [{ createdMs: 1 }, "created earlier"],
    [{ createdMs: 0 }, "whose age is not known"],
  ] as const;
  for (const [winner, why] of whys) {
    const kind = "nodePort";
    const table = tableOf([
      { id: "b", service: "default/web", kind, createdMs: 2 },
      { id: "c", service: "default/x", kind, createdMs: 1, ...winner },
    ]);
    const [only, ...more] = table.problems();
    assert.deepEqual([only?.object, more], ["Service default/web", []]);
    assert.equal(only?.message, `10.96.0.10:80/TCP is taken by default/x, ${why}`);
  }
});

test("problems() forget who was shadowed when the other goes", () => {
  const table = createServiceTable(sampleFacts());
  table.applyObjects("b", puts(sampleService()));
  table.applyObjects("a", puts(sampleService()));
  table.takeChanges();
  assert.deepEqual(table.problems(), [
    {
      source: "b",
      object: "Service default/web",
      message: "10.96.0.10:80/TCP is taken by default/web of another source, named first",
    },
  ]);
  table.applyObjects("a", [{ kind: "relist", objects: [] }]);
  table.takeChanges();
  assert.deepEqual(table.problems(), []);
});

test("sources with the same Service do not disturb each other", () => {
  const table = createServiceTable(sampleFacts());
  table.applyObjects("b", puts(sampleService(), sampleSlice([sampleEndpoint("10.1.0.2")])));
  table.applyObjects("a", puts(sampleService(), sampleSlice([sampleEndpoint("10.1.0.1")])));
  table.takeChanges();
  assert.deepEqual([...table.plan().lists.keys()], ["a:default/web/4|http|TCP|cluster"]);
  table.applyObjects("a", [{ kind: "relist", objects: [] }]);
  table.takeChanges();
  assert.deepEqual([...table.plan().lists.keys()], ["b:default/web/4|http|TCP|cluster"]);
});
