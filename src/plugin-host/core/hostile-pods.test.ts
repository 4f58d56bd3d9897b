/** Pods, definitions and plugins that want the host to go wrong. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Finding } from "../../plugin-sdk/network-plugin.ts";
import { codeOf } from "../fake-host-world.ts";
import { LIMITS } from "../limits.ts";
import { messageOf, PodWorld } from "../fake-pod-world.ts";
import { checkAttachments } from "./operator.ts";

const CLAIM = { name: "a", "ipam-claim-reference": "vm" };

describe("a claim", () => {
  it("is of one attachment of a network: the same pod has it no second time", async () => {
    const world = new PodWorld();
    world.definitions.claims.add("default/vm");
    const host = await world.startHost();
    for (const when of ["before it has addresses", "when it has them"]) {
      const answer = await world.call(host, "ADD", [CLAIM, CLAIM], "c1");
      assert.equal(codeOf(answer), 7, when);
      assert.match(messageOf(answer), /networks\[1\]\.ipam-claim-reference.*networks\[0\]/);
      assert.deepEqual(world.records, []);
      await world.call(host, "ADD", [CLAIM], "c2");
      await world.call(host, "DEL", "", "c2");
    }
    assert.equal(world.heldAddresses, 2);
  });

  it("keeps its addresses when its network makes room for others", async () => {
    const world = new PodWorld();
    world.definitions.claims.add("default/vm");
    const ipam = { ranges: [[{ subnet: "10.4.0.0/24" }]], cooldownSeconds: 0 };
    world.define("kept", { plugin: "routed", ipam });
    const claimed = [{ name: "kept", "ipam-claim-reference": "vm" }];
    const addresses = () =>
      [...world.routed.held.values()].find(({ ifname }) => ifname === "net2")?.addresses;
    const host = await world.startHost();
    await world.call(host, "ADD", [{ name: "kept" }, ...claimed], "c1");
    const before = addresses();
    await world.call(host, "DEL", "", "c1");
    for (let count = 0; count < LIMITS.networksMax; count += 64) {
      const names = Array.from({ length: 64 }, (_, index) => `many${count + index}`);
      for (const name of names) world.define(name, { plugin: "other" });
      assert.equal(codeOf(await world.call(host, "ADD", names.join(","), "c2")), undefined);
      await world.call(host, "DEL", "", "c2");
    }
    await world.call(host, "ADD", [{ name: "bare" }, ...claimed], "c3");
    assert.deepEqual(addresses(), before);
    assert.equal(before?.length, 1);
  });
});

describe("a container with two networks of the runtime's", () => {
  it("cannot have the same attachment by both", async () => {
    const world = new PodWorld();
    const host = await world.startHost();
    await world.call(host, "ADD", "a", "c1");
    const answer = await world.call(host, "ADD", "a", "c1", { ifname: "eth1" });
    assert.equal(codeOf(answer), 105, answer.resultJson);
    assert.match(messageOf(answer), /net1 of default\/c1 is attached to network default\/a/);
    assert.deepEqual(world.records, ["eth0 net attached", "net1 default/a attached"]);
    // What the runtime does after it, with both.
    await world.call(host, "DEL", "", "c1", { ifname: "eth1" });
    assert.deepEqual(world.records, ["eth0 net attached", "net1 default/a attached"]);
    await world.call(host, "DEL", "", "c1");
    assert.deepEqual(world.records, []);
    assert.equal(world.heldAddresses, 0);
  });

  it("is plugged at the first of them, and its other interfaces are its own", async () => {
    const world = new PodWorld();
    const host = await world.startHost();
    await world.call(host, "ADD", "", "c1");
    await world.call(host, "ADD", "", "c1", { ifname: "net1" });
    const plugged = await host.attachNetwork("default/c1", "a");
    assert.equal(plugged.ifname, "net2");
    await assert.rejects(host.attachNetwork("c1", "b@net1"), /net1 of default\/c1 is attached/);
    await world.call(host, "DEL", "", "c1");
    assert.deepEqual(world.records, ["net1 net attached"]);
  });
});

describe("detach", () => {
  it("of an interface leaves the network of that name, and the other way by its full name", async () => {
    const world = new PodWorld();
    world.define("net1", { plugin: "other" });
    const host = await world.startHost();
    await world.call(host, "ADD", "a,net1");
    assert.equal((await host.detachNetwork("default/c1", "net1")).length, 1);
    assert.deepEqual(world.records, ["eth0 net attached", "net2 default/net1 attached"]);
    await host.detachNetwork("default/c1", "default/net1");
    assert.deepEqual(world.records, ["eth0 net attached"]);
  });

  it("is refused while a chain of CNI plugins stands on the interface", async () => {
    const world = new PodWorld();
    world.define("vlan", { type: "vlan", master: "net1", linkInContainer: true });
    const host = await world.startHost({ plugins: world.directoryWith("cni-exec", world.other) });
    assert.equal(codeOf(await world.call(host, "ADD", "a,vlan")), undefined);
    await assert.rejects(host.detachNetwork("default/c1", "a"), /net2 depends on it/);
  });

  it("of a pod takes what was plugged on another network away before that one", async () => {
    const world = new PodWorld();
    for (const plugin of [world.routed, world.other]) {
      plugin.info.capabilities.push("CAPABILITY_ATTACH_IN_PARALLEL");
    }
    const host = await world.startHost();
    await world.call(host, "ADD", "a");
    await host.attachNetwork("default/c1", "over");
    const seen: string[] = [];
    world.routed.before = async () => void seen.push(world.routed.calls.at(-1) ?? "");
    world.other.before = async () => {
      await Promise.resolve();
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(world.other.calls.at(-1) ?? "");
    };
    await world.call(host, "DEL", "");
    assert.deepEqual(seen, ["detach net2", "detach net1", "detach eth0"]);
  });
});

describe("check --repair", () => {
  it("looks at all without a lock, and mends under it what differs", async () => {
    const world = new PodWorld();
    world.other.info.capabilities.push("CAPABILITY_REPAIR");
    const asked: string[] = [];
    let isWell = true;
    world.other.check = async (request?: { repair: boolean }): Promise<Finding[]> => {
      const repaired = request?.repair ?? false;
      asked.push(repaired ? "repair" : "look");
      return isWell ? [] : [{ kind: "mtu", object: "net1", expected: "1", found: "2", repaired }];
    };
    const host = await world.startHost();
    await world.call(host, "ADD", "b");
    const request = { attachmentId: "", pod: "default/c1", network: "", repair: true };
    const counts = async () => {
      const found = await checkAttachments(host.context, request);
      return found.map(({ findings, repaired }) => [findings?.length, repaired?.length].join());
    };
    assert.deepEqual(await counts(), ["0,0", "0,0"]);
    assert.deepEqual(asked, ["look"]);
    isWell = false;
    assert.deepEqual(await counts(), ["0,0", "1,1"]);
    assert.deepEqual(asked, ["look", "look", "repair"]);
    await host.stop();
  });
});

describe("what plugins say", () => {
  it("one thing that cannot be removed keeps no other that nobody recorded", async () => {
    const world = new PodWorld();
    const host = await world.startHost();
    await world.call(host, "ADD", "");
    const [request] = [...world.routed.held.values()];
    assert.ok(request);
    for (const id of ["bad", "good", "better"]) world.routed.held.set(id, request);
    const detach = world.routed.detach.bind(world.routed);
    world.routed.detach = (asked) =>
      asked.attachmentId === "bad" ? Promise.reject(new Error("EBUSY")) : detach(asked);
    await world.pass(LIMITS.leakGraceMs + 4 * LIMITS.reconcileMs);
    assert.deepEqual([...world.routed.held.keys()], [request.attachmentId, "bad"]);
    await host.stop();
  });

  it("a difference that reads otherwise each time is mended no more often, and remembered once", async () => {
    const world = new PodWorld();
    world.other.info.capabilities.push("CAPABILITY_REPAIR");
    let count = 0;
    let repairs = 0;
    world.other.check = async (request?: { repair: boolean }): Promise<Finding[]> => {
      if (request?.repair) repairs++;
      const found = String(++count);
      return [{ kind: "mtu", object: "net1", expected: "1500", found, repaired: true }];
    };
    const host = await world.startHost();
    await world.call(host, "ADD", "b");
    await world.pass(6 * LIMITS.driftMs);
    assert.equal(repairs, LIMITS.driftRepairsMax);
    await host.stop();
  });

  it("differences without end are not all remembered, nor all mended", async () => {
    const world = new PodWorld();
    world.other.info.capabilities.push("CAPABILITY_REPAIR");
    let count = 0;
    let repairs = 0;
    world.other.check = async (request?: { repair: boolean }): Promise<Finding[]> => {
      if (request?.repair) repairs++;
      return Array.from({ length: 50 }, () => {
        const object = String(++count);
        return { kind: "mtu", object, expected: "", found: "", repaired: true };
      });
    };
    const host = await world.startHost();
    await world.call(host, "ADD", "b");
    await world.pass(10 * LIMITS.driftMs);
    assert.ok(repairs <= 4, `${repairs} repairs`);
    const record = [...host.context.state.attachments.values()].find(
      ({ ifname }) => ifname === "net1",
    );
    assert.ok(record);
    const seen = host.context.drift.get(record.id);
    assert.ok((seen?.repairs.size ?? 0) <= LIMITS.driftRepairedMax);
    await host.stop();
  });
});
