import assert from "node:assert/strict";
import { test } from "node:test";
import { addressesOf, cniCall, codeOf, FakeHostWorld, settled } from "../fake-host-world.ts";

const POD = { containerId: "c1", netns: "/run/netns/c1" };

async function attachedWorld() {
  const world = new FakeHostWorld();
  world.makeNetns("c1", 100);
  const host = await world.startHost();
  const answer = await host.invoke(cniCall("ADD", POD));
  assert.equal(codeOf(answer), undefined, answer.resultJson);
  return { world, host, answer };
}

test("ADD records, attaches and answers; a repeat answers the same", async () => {
  const { world, host, answer } = await attachedWorld();
  assert.deepEqual(addressesOf(answer), ["10.88.0.2/16", "fd00:88::2/64"]);
  assert.deepEqual(world.steps, [
    "add.admitted",
    "add.planned",
    "add.recorded",
    "add.joined",
    "add.attached",
    "add.published",
    "add.confirmed",
  ]);
  const again = await host.invoke(cniCall("ADD", POD));
  assert.equal(again.resultJson, answer.resultJson);
});

test("ADD again goes to the plugin that made the attachment", async () => {
  const { world, host } = await attachedWorld();
  await host.invoke(cniCall("ADD", { ...POD, config: { plugin: "other" } }));
  assert.deepEqual(world.other.calls, []);
  await host.invoke(cniCall("DEL", POD));
  assert.equal(world.routed.held.size, 0);
});

test("ADD of a namespace made anew under the same path attaches anew", async () => {
  const { world, host } = await attachedWorld();
  world.makeNetns("c1", 101);
  const again = await host.invoke(cniCall("ADD", POD));
  assert.deepEqual(addressesOf(again), ["10.88.0.3/16", "fd00:88::3/64"]);
  assert.deepEqual(world.routed.calls, ["attach eth0", "detach eth0", "attach eth0"]);
});

test("ADD that fails leaves nothing", async () => {
  const world = new FakeHostWorld();
  world.makeNetns("c1", 100);
  const host = await world.startHost();
  world.routed.before = async (call) => {
    if (call === "attach") throw new Error("ENOBUFS");
  };
  assert.equal(codeOf(await host.invoke(cniCall("ADD", POD))), 11);
  assert.equal(world.store.attachments.size, 0);
  assert.deepEqual(
    [...world.store.leases.values()].map((lease) => lease.releasedWallMs !== undefined),
    [true, true],
  );
});

test("DEL succeeds without record, twice, and without namespace", async () => {
  const { world, host } = await attachedWorld();
  world.namespaces.clear();
  for (const netns of [POD.netns, "", ""]) {
    assert.equal(codeOf(await host.invoke(cniCall("DEL", { ...POD, netns }))), undefined);
  }
  assert.equal(world.store.attachments.size, 0);
  assert.equal(world.routed.held.size, 0);
});

test("DEL does not overtake an Attach that is late", async () => {
  const { world, host } = await attachedWorld();
  let finish = (): void => {};
  world.routed.before = async (call) => {
    if (call === "attach") await new Promise<void>((resolve) => (finish = resolve));
  };
  const late = host.invoke(cniCall("ADD", POD));
  await world.pass(30_000);
  assert.equal(codeOf(await late), 11);
  const deleted = host.invoke(cniCall("DEL", POD));
  await settled();
  finish();
  assert.equal(codeOf(await deleted), undefined);
  assert.equal(world.routed.held.size, 0);
});

test("a kernel that cannot be asked is no bug of the host", async () => {
  const { world } = await attachedWorld();
  const identify = () => Promise.reject(new Error("EMFILE"));
  const host = await world.startHost({ netns: { identify } });
  for (const verb of ["ADD", "CHECK"]) {
    assert.equal(codeOf(await host.invoke(cniCall(verb, POD))), 11, verb);
  }
  world.routed.before = () => Promise.reject(new Error("ENOMEM"));
  assert.equal(codeOf(await host.invoke(cniCall("STATUS"))), 50);
});

test("a namespace that is never looked at is an answer at the deadline", async () => {
  const { world } = await attachedWorld();
  const host = await world.startHost({ netns: { identify: () => new Promise(() => {}) } });
  const answer = host.invoke(cniCall("CHECK", POD));
  await world.pass(30_000);
  assert.equal(codeOf(await answer), 11);
});

test("CHECK names what the plugin finds", async () => {
  const { world, host } = await attachedWorld();
  assert.equal(codeOf(await host.invoke(cniCall("CHECK", POD))), undefined);
  world.routed.findings = [
    { kind: "link-down", object: "eth0", expected: "up", found: "down", repaired: false },
  ];
  const answer = await host.invoke(cniCall("CHECK", POD));
  assert.equal(codeOf(answer), 103);
  assert.match(answer.resultJson, /link-down eth0: expected up, found down/);
});

test("GC frees at once what is gone, and a living pod only on its second list", async () => {
  const { world, host } = await attachedWorld();
  world.makeNetns("c2", 200);
  await host.invoke(cniCall("ADD", { containerId: "c2", netns: "/run/netns/c2" }));
  world.namespaces.delete("/run/netns/c2");
  const gc = cniCall("GC", { config: { "cni.dev/valid-attachments": [] } });
  assert.equal(codeOf(await host.invoke(gc)), undefined);
  assert.deepEqual(
    [...world.store.attachments.values()].map((record) => record.containerId),
    ["c1"],
  );
  world.clock.advance(60_000);
  await host.invoke(gc);
  assert.equal(world.store.attachments.size, 0);
});

test("start() undoes what a crash left half done", async () => {
  const { world } = await attachedWorld();
  const [record] = world.store.attachments.values();
  assert.ok(record);
  world.store.commit([
    { kind: "put-attachment", attachment: { ...record, state: { kind: "attaching" } } },
  ]);
  await world.startHost();
  assert.equal(world.store.attachments.size, 0);
  assert.equal(world.routed.held.size, 0);
});

test("start() after a reboot forgets attachments and lets their addresses cool", async () => {
  const { world } = await attachedWorld();
  world.bootId = "boot-2";
  world.routed.held.clear();
  const host = await world.startHost();
  assert.equal(host.context.state.attachments.size, 0);
  const network = host.context.state.networks.get("net");
  assert.equal(network?.pool.counts(4, world.clock.monotonicMs()).cooling, 1n);
});

test("start() after stop() does not serve", async () => {
  const world = new FakeHostWorld();
  const host = world.makeHost();
  const started = host.start();
  await host.stop();
  await started;
  assert.equal(host.phase, "stopped");
});

test("start() serves although the DEL journal cannot be read", async () => {
  const world = new FakeHostWorld();
  world.journal.read = () => Promise.reject(new Error("EIO"));
  const host = await world.startHost();
  assert.equal(host.phase, "ready");
  assert.equal(world.events[0]?.kind, "reconcile-failed");
});

test("start() replays the DEL journal, but no DEL that an ADD came after", async () => {
  const { world, host } = await attachedWorld();
  world.clock.advance(10);
  world.journal.write("one", world.clock.wallMs(), cniCall("DEL", POD));
  world.clock.advance(10);
  // The runtime wants it again; the old DEL is still in the journal.
  assert.equal(codeOf(await host.invoke(cniCall("ADD", POD))), undefined);
  await world.startHost();
  assert.equal(world.journal.size, 0);
  assert.equal(world.store.attachments.size, 1);

  world.clock.advance(10);
  world.journal.write("two", world.clock.wallMs(), cniCall("DEL", POD));
  await world.startHost();
  assert.equal(world.journal.size, 0);
  assert.equal(world.store.attachments.size, 0);
});

test("start() puts journal entries aside that are no DEL", async () => {
  const world = new FakeHostWorld();
  world.journal.write("bad", world.clock.wallMs(), undefined);
  world.journal.write("add", world.clock.wallMs(), cniCall("ADD", POD));
  await world.startHost();
  assert.deepEqual([...world.journal.aside].sort(), ["add", "bad"]);
});

test("reconciliation frees a pod whose namespace stays gone, and none that comes back", async () => {
  const { world } = await attachedWorld();
  const identity = world.namespaces.get(POD.netns);
  assert.ok(identity);
  world.namespaces.delete(POD.netns);
  await world.pass(40_000);
  world.namespaces.set(POD.netns, identity);
  await world.pass(40_000);
  assert.equal(world.store.attachments.size, 1);
  world.namespaces.delete(POD.netns);
  await world.pass(90_000);
  assert.equal(world.store.attachments.size, 0);
});

test("reconciliation removes what a plugin holds without a record, after the grace", async () => {
  const { world } = await attachedWorld();
  const [request] = world.routed.held.values();
  assert.ok(request);
  world.other.held.set("lost", { ...request, attachmentId: "lost" });
  await world.pass(60_000);
  assert.equal(world.other.held.size, 1);
  await world.pass(30_000);
  assert.equal(world.other.held.size, 0);
  assert.equal(world.routed.held.size, 1);
});

test("one detach that hangs does not hold up the others", async () => {
  const { world, host } = await attachedWorld();
  world.makeNetns("c2", 200);
  await host.invoke(cniCall("ADD", { containerId: "c2", netns: "/run/netns/c2" }));
  for (const attachment of world.store.attachments.values()) {
    world.store.commit([
      { kind: "put-attachment", attachment: { ...attachment, state: { kind: "detaching" } } },
    ]);
  }
  let calls = 0;
  world.routed.before = (call) =>
    call === "detach" && ++calls === 1 ? new Promise(() => {}) : Promise.resolve();
  void world.makeHost().start();
  await settled();
  assert.equal(world.store.attachments.size, 1);
});

test("STATUS says when a network that must be dual has no address left", async () => {
  const world = new FakeHostWorld();
  const host = await world.startHost();
  const config = {
    ipam: { ranges: [[{ subnet: "10.1.0.0/30" }], [{ subnet: "fd00:1::/64" }]] },
  };
  assert.equal(codeOf(await host.invoke(cniCall("STATUS", { config }))), undefined);
  world.makeNetns("c1", 100);
  await host.invoke(cniCall("ADD", { ...POD, config }));
  const answer = await host.invoke(cniCall("STATUS", { config }));
  assert.equal(codeOf(answer), 50);
  assert.match(answer.resultJson, /no IPv4 address is left/);
  world.makeNetns("c2", 200);
  const full = cniCall("ADD", { containerId: "c2", netns: "/run/netns/c2", config });
  assert.equal(codeOf(await host.invoke(full)), 11);
});
