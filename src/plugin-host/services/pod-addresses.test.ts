import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { cniCall, FakeHostWorld, settled } from "../fake-host-world.ts";
import { PodAddresses } from "./pod-addresses.ts";

async function attach(world: FakeHostWorld, name: string, inode: number) {
  world.makeNetns(name, inode);
  const host = await world.startHost();
  await host.invoke(cniCall("ADD", { containerId: name, netns: `/run/netns/${name}` }));
  return host;
}

describe("PodAddresses", () => {
  it("tells addresses that come and go, later than the event and together", async () => {
    const world = new FakeHostWorld();
    const told: string[] = [];
    const pods = new PodAddresses({
      changePodAddresses: ({ add, remove }) => told.push(`+${add} -${remove}`),
    });
    const host = await attach(world, "c1", 101);
    pods.restore(host.context.state.attachments.values());
    assert.deepEqual(told, []);
    await settled();
    assert.deepEqual(told, ["+10.88.0.2,fd00:88::2 -"]);
    await host.invoke(cniCall("DEL", { containerId: "c1", netns: "/run/netns/c1" }));
    for (const event of world.events) if (event.kind === "detached") pods.onEvent(event);
    await settled();
    assert.deepEqual(told.slice(1), ["+ -10.88.0.2,fd00:88::2"]);
  });

  it("says nothing of a pod that came and went at once", async () => {
    const world = new FakeHostWorld();
    const told: unknown[] = [];
    const pods = new PodAddresses({ changePodAddresses: (change) => told.push(change) });
    const host = await attach(world, "c1", 101);
    await host.invoke(cniCall("DEL", { containerId: "c1", netns: "/run/netns/c1" }));
    for (const event of world.events) pods.onEvent(event);
    await settled();
    assert.deepEqual(told, []);
  });
});
