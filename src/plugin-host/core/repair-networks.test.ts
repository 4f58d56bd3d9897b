import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { cniCall, codeOf, FakeHostWorld, settled } from "../fake-host-world.ts";
import { LIMITS } from "../limits.ts";

async function worldOf(...calls: [name: string, config: Record<string, unknown>][]) {
  const world = new FakeHostWorld();
  const host = await world.startHost();
  for (const [index, [name, config]] of calls.entries()) {
    const netns = world.makeNetns(name, 100 + index);
    const answer = await host.invoke(cniCall("ADD", { containerId: name, netns, config }));
    assert.equal(codeOf(answer), undefined, answer.resultJson);
    await world.pass(1_000);
  }
  world.routed.repairs.length = 0;
  return { world, host };
}

describe("repairNetworks()", () => {
  it("is told after a restart, before any ADD, of every network and its pods", async () => {
    const { world } = await worldOf(["c1", { ipMasq: true }], ["c2", { name: "other" }]);
    await world.startHost();
    await settled();
    const asked = world.routed.repairs.map(({ network, attachments }) =>
      [network, ...attachments.map(({ sandboxId, masquerade }) => [sandboxId, masquerade])].flat(),
    );
    assert.deepEqual(asked, [
      ["net", "c1", { subnets: ["10.88.0.0/16", "fd00:88::/64"] }],
      ["other", "c2", null],
    ]);
  });

  it("goes by the configuration in force, whichever pod came last", async () => {
    const { world, host } = await worldOf(["old", { ipMasq: true }], ["new", { ipMasq: false }]);
    await host.invoke(
      cniCall("ADD", {
        containerId: "old",
        netns: "/run/netns/old",
        config: { ipMasq: false },
      }),
    );
    await world.pass(LIMITS.reconcileMs);
    const [asked] = world.routed.repairs;
    assert.deepEqual(
      asked?.attachments.map(({ sandboxId, masquerade }) => [sandboxId, masquerade]),
      [
        ["new", null],
        ["old", null],
      ],
    );
  });

  it("looks after networks whose pods are all gone", async () => {
    const { world, host } = await worldOf(["c1", {}]);
    await host.invoke(cniCall("DEL", { containerId: "c1" }));
    await world.pass(LIMITS.reconcileMs);
    assert.deepEqual(world.routed.repairs[0], {
      network: "net",
      configJson: '{"name":"net","type":"patchbay"}',
      attachments: [],
    });
  });

  it("says what was missing", async () => {
    const { world } = await worldOf(["c1", {}]);
    const object = "table inet patchbay_masq_x";
    world.routed.missing = [
      { kind: "masquerade-missing", object, expected: "present", found: "", repaired: false },
    ];
    await world.pass(LIMITS.reconcileMs);
    const event = world.events.find(({ kind }) => kind === "network-repaired");
    assert.equal(event?.subject, "net");
    assert.equal(
      event?.message,
      "Made again for network net: masquerade-missing table inet patchbay_masq_x: expected present, found nothing",
    );
  });

  it("comes at once when hurried, not more often than LIMITS.reconcileHurryMs", async () => {
    const { world, host } = await worldOf(["c1", {}]);
    await world.pass(LIMITS.reconcileMs);
    const before = world.routed.repairs.length;
    world.clock.advance(LIMITS.reconcileHurryMs);
    host.hurry();
    world.clock.advance(1);
    await settled();
    assert.equal(world.routed.repairs.length, before + 1);
    for (let times = 0; times < 10; times++) host.hurry();
    world.clock.advance(LIMITS.reconcileHurryMs - 2);
    await settled();
    assert.equal(world.routed.repairs.length, before + 1);
    world.clock.advance(2);
    await settled();
    assert.equal(world.routed.repairs.length, before + 2);
  });
});
