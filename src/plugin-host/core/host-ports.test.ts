import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PatchbayError } from "../errors.ts";
import { cniCall, codeOf, FakeHostWorld, settled } from "../fake-host-world.ts";
import { toHostPortModel } from "./host-ports.ts";

const WEB = { hostPort: 8080, containerPort: 80, protocol: "tcp" };

function podCall(verb: string, name: string, portMappings: readonly object[] = []) {
  const config = { runtimeConfig: { portMappings } };
  return cniCall(verb, { containerId: name, netns: `/run/netns/${name}`, config });
}

async function startWorld() {
  const world = new FakeHostWorld();
  world.makeNetns("c1", 101);
  world.makeNetns("c2", 102);
  const host = await world.startHost();
  return { world, host };
}

function publishedPods(world: FakeHostWorld): string[] {
  return [...world.services.published.values()].map(({ containerId }) => containerId);
}

describe("host ports", () => {
  it("are published before ADD answers, and withdrawn by DEL", async () => {
    const { world, host } = await startWorld();
    const gate = Promise.withResolvers<void>();
    world.services.before = () => gate.promise;
    let isAnswered = false;
    const adding = host.invoke(podCall("ADD", "c1", [WEB])).then((answer) => {
      isAnswered = true;
      return answer;
    });
    await settled();
    assert.equal(isAnswered, false);
    gate.resolve();
    assert.equal(codeOf(await adding), undefined);
    assert.deepEqual(publishedPods(world), ["c1"]);
    assert.equal(codeOf(await host.invoke(podCall("DEL", "c1"))), undefined);
    assert.deepEqual(publishedPods(world), []);
  });

  it("come back after a restart of the host, for pods that stand", async () => {
    const { world, host } = await startWorld();
    await host.invoke(podCall("ADD", "c1", [WEB]));
    await host.invoke(podCall("ADD", "c2"));
    world.services.published.clear();
    await world.startHost();
    assert.deepEqual(publishedPods(world), ["c1"]);
  });

  it("fail the ADD closed when they cannot be programmed", async () => {
    const { world, host } = await startWorld();
    world.services.before = async () => {
      throw new PatchbayError("NOT_PROGRAMMED", "no room");
    };
    const answer = await host.invoke(podCall("ADD", "c1", [WEB]));
    assert.equal(codeOf(answer), 11);
    assert.match(answer.resultJson, /no room/);
    assert.equal(world.store.attachments.size, 0);
    assert.equal(world.routed.held.size, 0);
    assert.deepEqual(publishedPods(world), []);
  });

  const conflicts: [string, object, object, boolean][] = [
    ["the same port", WEB, WEB, true],
    ["another port", WEB, { ...WEB, hostPort: 8081 }, false],
    ["another protocol", WEB, { ...WEB, protocol: "udp" }, false],
    ["one address of all", WEB, { ...WEB, hostIP: "192.0.2.1" }, true],
    ["two addresses", { ...WEB, hostIP: "192.0.2.1" }, { ...WEB, hostIP: "192.0.2.2" }, false],
    ["all of IPv4, one of it", { ...WEB, hostIP: "0.0.0.0" }, { ...WEB, hostIP: "10.0.0.1" }, true],
    ["all of IPv4, all of IPv6", { ...WEB, hostIP: "0.0.0.0" }, { ...WEB, hostIP: "::" }, false],
  ];
  for (const [what, held, wanted, isTaken] of conflicts) {
    it(`of two pods: ${what} ${isTaken ? "is refused, by name" : "is possible"}`, async () => {
      const { host } = await startWorld();
      assert.equal(codeOf(await host.invoke(podCall("ADD", "c1", [held]))), undefined);
      const answer = await host.invoke(podCall("ADD", "c2", [wanted]));
      if (!isTaken) {
        assert.equal(codeOf(answer), undefined, answer.resultJson);
        return;
      }
      assert.equal(codeOf(answer), 11);
      assert.match(
        answer.resultJson,
        /Host port 8080\/TCP.* leads to container c1.*HOST_PORT_TAKEN/,
      );
      await host.invoke(podCall("DEL", "c1"));
      assert.equal(codeOf(await host.invoke(podCall("ADD", "c2", [wanted]))), undefined);
    });
  }

  it("toHostPortModel() has a frontend for each family that pod and mapping share", async () => {
    const { world, host } = await startWorld();
    const mappings = [WEB, { ...WEB, hostPort: 53, protocol: "udp", hostIP: "192.0.2.1" }];
    await host.invoke(podCall("ADD", "c1", mappings));
    const [record] = [...host.context.state.attachments.values()];
    assert.ok(record);
    const model = toHostPortModel(record, { nodeName: "node1" });
    assert.deepEqual(
      model.frontends.map(({ family, address, protocol, port, portName, group }) =>
        [family, address ?? "all", protocol, port, portName, group.slice(-2)].join(" "),
      ),
      ["6 all TCP 8080 80 /6", "4 all TCP 8080 80 /4", "4 192.0.2.1 UDP 53 80 /4"],
    );
    assert.deepEqual(
      model.groups.map(({ endpoints }) => endpoints[0]?.address),
      ["fd00:88::2", "10.88.0.2"],
    );
    assert.ok(world.services.published.has(record.id));
  });

  it("an ADD waits for Services where the host is configured to", async () => {
    const { world, host } = await startWorld();
    const gate = Promise.withResolvers<void>();
    world.services.settling = gate.promise;
    let isAnswered = false;
    const adding = host.invoke(podCall("ADD", "c1")).finally(() => {
      isAnswered = true;
    });
    await settled();
    assert.equal(isAnswered, false);
    gate.resolve();
    assert.equal(codeOf(await adding), undefined);
  });
});
