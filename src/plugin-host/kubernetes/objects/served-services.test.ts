import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type ObjectEvent, objectKey, type ServicesObject } from "../../../services/objects.ts";
import { settled } from "../../fake-host-world.ts";
import { isServicesObject } from "../../manifests/manifest-object.ts";
import { makeServicesWorld } from "../../services/services-fixture.ts";
import { type ResourceName, watchedResources } from "../resources.ts";

const SOURCE = "kubernetes";

const FIXTURES: readonly (readonly [ResourceName, string])[] = [
  ["services", "services.json"],
  ["endpointslices.discovery.k8s.io", "endpointslices.json"],
  ["nodes (own)", "own-node.json"],
  ["nodes (others)", "nodes.json"],
  ["servicecidrs.networking.k8s.io", "servicecidrs.json"],
];

describe("Services of a real API server", () => {
  it("are served as they are specified", async () => {
    const { core, plane } = makeServicesWorld();
    core.applyObjects(SOURCE, [{ kind: "relist", objects: readObjects() }]);
    await settled();
    const frontends = [...core.table.plan().frontends.values()];
    const printed = frontends.map(
      ({ service, kind, address, protocol, port }) =>
        `${service} ${kind} ${address} ${protocol} ${port}`,
    );
    assert.deepEqual(printed.sort(byText), [
      "default/balanced clusterIP 10.96.200.137 TCP 80",
      "default/balanced clusterIP 10.96.200.137 UDP 53",
      "default/balanced loadBalancer 192.0.2.10 TCP 80",
      "default/balanced loadBalancer 192.0.2.10 UDP 53",
      "default/balanced nodePort 192.0.2.1 TCP 31177",
      "default/balanced nodePort 192.0.2.1 UDP 32124",
      "default/kubernetes clusterIP 10.96.0.1 TCP 443",
      "default/web clusterIP 10.96.32.27 TCP 80",
      "default/web clusterIP fd00:10:96::4ca8 TCP 80",
      "default/web nodePort 192.0.2.1 TCP 32741",
    ]);
    const lists = [...core.table.plan().lists.values()];
    const web = lists.filter(({ id }) => id.includes("default/web/"));
    assert.deepEqual(
      web.map(({ pick, affinity, endpoints }) => ({
        pick,
        seconds: affinity?.seconds,
        endpoints: endpoints.map(({ address, port }) => `${address} ${port}`),
      })),
      [
        ["10.244.0.5 8080", "10.244.0.6 8080"],
        ["fd00:244::5 8080", "fd00:244::6 8080"],
      ].map((endpoints) => ({ pick: "consistent-hash", seconds: 10_800, endpoints })),
    );
    assert.deepEqual(plane.calls, ["reset 1"]);
  });

  it("come to the same by a list as by whatever came before it", async () => {
    const objects = readObjects();
    const event = fc.oneof(
      fc.constantFrom(...objects).map((object): ObjectEvent => ({ kind: "put", object })),
      fc
        .constantFrom(...objects)
        .map((object): ObjectEvent => ({ kind: "delete", key: objectKey(object) })),
      fc.subarray(objects).map((listed): ObjectEvent => ({ kind: "relist", objects: listed })),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 30 }), async (events) => {
        const told = makeServicesWorld();
        for (const each of events) told.core.applyObjects(SOURCE, [each]);
        await settled();
        const fresh = makeServicesWorld();
        const left = [...objectsAfter(events).values()];
        fresh.core.applyObjects(SOURCE, [{ kind: "relist", objects: left }]);
        await settled();
        // What was never told of anything has not been written at all.
        if (told.plane.calls.length > 0 && fresh.plane.calls.length > 0) {
          assert.equal(told.plane.print(), fresh.plane.print());
        }
        assert.deepEqual(told.core.table.plan().frontends, fresh.core.table.plan().frontends);
      }),
      { numRuns: 100 },
    );
  });
});

function objectsAfter(events: readonly ObjectEvent[]): Map<string, ServicesObject> {
  const held = new Map<string, ServicesObject>();
  for (const event of events) {
    switch (event.kind) {
      case "put":
        held.set(objectKey(event.object), event.object);
        break;
      case "delete":
        held.delete(event.key);
        break;
      case "relist":
        held.clear();
        for (const object of event.objects) held.set(objectKey(object), object);
        break;
    }
  }
  return held;
}

function readObjects(): ServicesObject[] {
  const resources = new Map(watchedResources("one").map((each) => [each.name, each]));
  return FIXTURES.flatMap(([name, file]) => {
    const url = new URL(`../../../../test/fixtures/kubernetes/${file}`, import.meta.url);
    const list = JSON.parse(readFileSync(url, "utf8")) as { readonly items: readonly unknown[] };
    return list.items.flatMap((item) => {
      const kept = resources.get(name)?.keep(item);
      assert.ok(kept?.kind === "object" || kept?.kind === "own-node");
      assert.ok(isServicesObject(kept.object));
      return [kept.object];
    });
  });
}

function byText(left: string, right: string): number {
  return left < right ? -1 : 1;
}
