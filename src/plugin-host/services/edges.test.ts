import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { parseAddress } from "../../ip/address.ts";
import { FakeConntrack } from "../../kernel/fake-conntrack.ts";
import type { AddressText } from "../../services/model.ts";
import { settled } from "../fake-host-world.ts";
import { ServiceEdges } from "./edges.ts";
import { makeServicesWorld, serviceChange, silentMetrics } from "./services-fixture.ts";

const KEY = { source: parseAddress("10.88.0.9"), sourcePort: 4000 };

/** A UDP flow to 10.96.0.10:80 that an endpoint answers. */
function flowTo(endpoint: string) {
  const destination = parseAddress("10.96.0.10");
  return {
    family: 4,
    protocol: "UDP",
    original: { ...KEY, destination, destinationPort: 80 },
    reply: {
      source: parseAddress(endpoint),
      sourcePort: 8080,
      destination: KEY.source,
      destinationPort: KEY.sourcePort,
    },
  } as const;
}

describe("ServiceEdges", () => {
  let world: ReturnType<typeof makeServicesWorld>;
  let edges: ServiceEdges;
  let conntrack: FakeConntrack;

  beforeEach(() => {
    world = makeServicesWorld();
    conntrack = new FakeConntrack();
    const { core, clock, events } = world;
    edges = new ServiceEdges({
      core,
      clock,
      events: { emit: (event) => events.push(event) },
      metrics: { ...silentMetrics, healthAnswered() {}, flowsSynced() {} },
      healthz: undefined,
      servesLocalhost: false,
      nodePortAddresses: () => ["127.0.0.1" as AddressText],
    });
    edges.openFlows(conntrack);
  });

  afterEach(() => edges[Symbol.asyncDispose]());

  const flows = async () => {
    for (let turn = 0; turn < 5; turn++) await settled();
    return (await conntrack.flows({ family: 4, protocol: "UDP" })).length;
  };

  it("deletes flows of removed endpoints once the plane holds the change, healthy ones never", async () => {
    const { core, plane } = world;
    const both = ["10.1.0.1", "10.1.0.2"];
    core.applyModel("a", serviceChange(10, both, { protocol: "UDP" }));
    const udp = (addresses: readonly string[]) => {
      const change = serviceChange(10, addresses, { protocol: "UDP" });
      return {
        ...change,
        putGroups: change.putGroups.map((group) => ({
          ...group,
          endpoints: group.endpoints.map((endpoint) => ({
            ...endpoint,
            ports: [{ name: "", protocol: "UDP", port: 8080 } as const],
          })),
        })),
      };
    };
    core.applyModel("a", udp(both));
    await settled();
    conntrack.addFlow(flowTo("10.1.0.1"));
    assert.equal(await flows(), 1);
    const gate = Promise.withResolvers<void>();
    plane.before = () => gate.promise;
    core.applyModel("a", udp(["10.1.0.2"]));
    assert.equal(await flows(), 1, "before the acknowledgement");
    gate.resolve();
    assert.equal(await flows(), 0);
    conntrack.addFlow(flowTo("10.1.0.2"));
    world.plane.tamper();
    world.clock.advance(1);
    assert.equal(await flows(), 1, "a repair leaves healthy flows alone");
    conntrack.addFlow(flowTo("10.96.0.10"));
    world.plane.tamper();
    world.clock.advance(1);
    assert.equal(await flows(), 0, "one that began without rules goes");
  });

  it("says when connection tracking cannot be read", async () => {
    const { core, events } = world;
    await edges[Symbol.asyncDispose]();
    const broken = new FakeConntrack({ failCall: () => 1 });
    const { clock } = world;
    await using other = new ServiceEdges({
      core,
      clock,
      events: { emit: (event) => events.push(event) },
      metrics: { ...silentMetrics, healthAnswered() {}, flowsSynced() {} },
      healthz: undefined,
      servesLocalhost: false,
      nodePortAddresses: () => [],
    });
    other.openFlows(broken);
    core.applyModel("a", serviceChange(10, ["10.1.0.1"], { protocol: "UDP" }));
    await flows();
    assert.match(events.at(-1)?.message ?? "", /^Flows cannot be looked at: /);
  });
});
