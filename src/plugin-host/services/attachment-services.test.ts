import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseAddress } from "../../ip/address.ts";
import type { AddressText } from "../../services/model.ts";
import type { AttachmentRecord } from "../core/attachment.ts";
import { cniCall, FakeHostWorld, settled } from "../fake-host-world.ts";
import { LIMITS } from "../limits.ts";
import { CoreAttachmentServices } from "./attachment-services.ts";
import {
  makeServicesWorld,
  plainFacts,
  serviceChange,
  serviceRemoval,
} from "./services-fixture.ts";

const KEY = "192.0.2.1|TCP|8080";

async function makeRecord(hostIP = ""): Promise<AttachmentRecord> {
  const world = new FakeHostWorld();
  world.makeNetns("c1", 101);
  const host = await world.startHost();
  const portMappings = [{ hostPort: 8080, containerPort: 80, hostIP }];
  const config = { runtimeConfig: { portMappings } };
  await host.invoke(cniCall("ADD", { containerId: "c1", netns: "/run/netns/c1", config }));
  const [record] = [...host.context.state.attachments.values()];
  assert.ok(record);
  return record;
}

function setUp(addWaits = { enabled: false, timeoutMs: 100 }) {
  const world = makeServicesWorld();
  const { clock, core, events } = world;
  const inside: { settling: Promise<void> | undefined } = { settling: undefined };
  const services = new CoreAttachmentServices({
    core,
    events: { emit: (event) => events.push(event) },
    nodeName: "node1",
    addWaits,
    clock,
    networks: { restore: () => {}, withdraw: () => {}, settle: () => inside.settling },
    nodeAddresses: async () => ["127.0.0.1", "192.0.2.1", "192.0.2.77"].map(parseAddress),
  });
  return { ...world, services, inside };
}

describe("CoreAttachmentServices", () => {
  it("asks for no data plane where no pod has a host port", async () => {
    const { services, core, plane } = setUp();
    services.restore([]);
    await settled();
    assert.equal(core.isWanted, false);
    assert.deepEqual(plane.calls, []);
  });

  it("restore() has the host ports of pods in the first plan", async () => {
    const { services, plane } = setUp();
    services.restore([await makeRecord()]);
    await settled();
    assert.equal(plane.calls.length, 1);
    assert.match(plane.print(), /"key":"192\.0\.2\.1\|TCP\|8080","kind":"hostPort"/);
  });

  it("publish() resolves when the plane serves them, withdraw() takes them away", async () => {
    const { services, plane } = setUp();
    services.restore([]);
    const record = await makeRecord();
    await services.publish(record);
    const held = await plane.held(KEY as never);
    assert.deepEqual(held?.outside, {
      kind: "list",
      endpoints: [{ address: "10.88.0.2", port: 80, weight: 1 }],
    });
    services.withdraw(record.id);
    await settled();
    assert.equal(await plane.held(KEY as never), undefined);
  });

  it("publish() refuses a hostIP that is not the node's, and loopback, and names the field", async () => {
    const { services, plane } = setUp();
    services.restore([]);
    for (const [hostIP, expected] of [
      ["203.0.113.9", "an address of this node"],
      ["2001:db8::1", "an address of this node"],
      ["127.0.0.1", "no loopback address: host ports are not served there"],
      ["::1", "no loopback address: host ports are not served there"],
    ] as const) {
      await assert.rejects(services.publish(await makeRecord(hostIP)), {
        code: "INVALID_NETWORK_CONFIG",
        message: `hostIP of runtimeConfig.portMappings (hostPort 8080/TCP) is ${hostIP}, expected ${expected}`,
      });
    }
    await settled();
    assert.deepEqual(plane.calls, []);
    for (const hostIP of ["192.0.2.77", "0.0.0.0"]) {
      const record = await makeRecord(hostIP);
      await services.publish(record);
      services.withdraw(record.id);
    }
  });

  it("publish() fails when the plane refuses, is late, or another has the port", async () => {
    const { services, plane, clock, core } = setUp();
    services.restore([]);
    const record = await makeRecord();
    plane.refuses.set(KEY as never, "no room");
    await assert.rejects(services.publish(record), { code: "NOT_PROGRAMMED", message: /no room/ });
    services.withdraw(record.id);
    plane.refuses.clear();
    const address = "192.0.2.1" as AddressText;
    core.applyModel("a", serviceChange(1, ["10.1.0.1"], { kind: "nodePort", address, port: 8080 }));
    await assert.rejects(services.publish(record), {
      code: "HOST_PORT_TAKEN",
      message: /8080\/TCP of 192\.0\.2\.1 leads to Service test\/web1/,
    });
    services.withdraw(record.id);
    core.applyModel("a", serviceRemoval(1));
    await settled();
    plane.before = () => new Promise(() => {});
    const late = assert.rejects(services.publish(record), { code: "NOT_PROGRAMMED" });
    await settled();
    clock.advance(LIMITS.hostPortsMs);
    await late;
  });

  it("publish() fails on a node without an address", async () => {
    const { services, core } = setUp();
    services.restore([]);
    core.setFacts({ ...plainFacts, nodeAddresses: [], nodePortAddresses: [] });
    await assert.rejects(services.publish(await makeRecord()), {
      code: "NOT_PROGRAMMED",
      message: /no IPv[46] address to open 8080\/TCP on/,
    });
  });

  it("settle() goes on after its time, and says so", async () => {
    const { services, core, plane, clock, events } = setUp({ enabled: true, timeoutMs: 100 });
    services.restore([]);
    const record = await makeRecord();
    assert.equal(services.settle(record), undefined, "nobody wants Services");
    plane.before = () => new Promise(() => {});
    core.applyModel("a", serviceChange(1, ["10.1.0.1"]));
    const settling = services.settle(record);
    await settled();
    clock.advance(100);
    await settling;
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ["services-wait-failed"],
    );
    assert.match(
      events[0]?.message ?? "",
      /goes on without Services: Revision 1 was not programmed/,
    );
  });
});
