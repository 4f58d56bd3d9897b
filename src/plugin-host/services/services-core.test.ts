import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { settled } from "../fake-host-world.ts";
import { LIMITS } from "../limits.ts";
import { FakeServicePlane, printPlan } from "./fake-service-plane.ts";
import { makeServicesWorld, serviceChange, serviceRemoval } from "./services-fixture.ts";

const KEY = "10.96.0.10|TCP|80" as Parameters<FakeServicePlane["held"]>[0];

describe("ServicesCore", () => {
  it("leaves the plane alone until somebody gives Services", async () => {
    const { core, plane } = makeServicesWorld();
    core.changePodAddresses({ add: ["10.88.0.2" as never], remove: [] });
    await settled();
    assert.deepEqual(plane.calls, []);
    assert.equal(core.programmedRevision, core.revision);
    core.applyModel("a", serviceChange(10, ["10.88.0.2"]));
    await settled();
    assert.deepEqual(plane.calls, ["reset 2"]);
    assert.match(plane.print(), /pod 10\.88\.0\.2/);
  });

  it("sends the first change at once, and what comes meanwhile as one", async () => {
    const { core, plane } = makeServicesWorld();
    core.applyModel("a", serviceChange(1, ["10.88.0.1"]));
    await settled();
    const gate = Promise.withResolvers<void>();
    plane.before = () => gate.promise;
    core.applyModel("a", serviceChange(2, ["10.88.0.2"]));
    await settled();
    for (const number of [3, 4, 5]) {
      core.applyModel("a", serviceChange(number, ["10.88.0.3"]));
      await settled();
    }
    assert.deepEqual(plane.calls, ["reset 1", "apply 2"]);
    plane.before = async () => {};
    gate.resolve();
    await settled();
    assert.deepEqual(plane.calls, ["reset 1", "apply 2", "apply 3"]);
    assert.equal(plane.print(), printPlan(core.table.plan()));
    assert.equal(core.programmedRevision, 3);
  });

  it("answers a failure with the whole plan, after pauses that grow to ten seconds", async () => {
    const { core, plane, clock, kinds } = makeServicesWorld();
    core.applyModel("a", serviceChange(1, ["10.88.0.1"]));
    await settled();
    plane.before = () => Promise.reject(new Error("EBUSY"));
    core.applyModel("a", serviceChange(2, ["10.88.0.2"]));
    await settled();
    for (const pauseMs of [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]) {
      const before = plane.calls.length;
      clock.advance(pauseMs - 1);
      await settled();
      assert.equal(plane.calls.length, before, `${pauseMs} ms`);
      clock.advance(1);
      await settled();
      assert.equal(plane.calls.length, before + 1, `${pauseMs} ms`);
    }
    assert.ok(plane.calls.slice(2).every((call) => call.startsWith("reset")));
    // The 1st, 2nd, 4th and 8th of ten.
    assert.equal(kinds().filter((kind) => kind === "services-failed").length, 4);
    plane.before = async () => {};
    clock.advance(10_000);
    await settled();
    assert.equal(kinds().at(-1), "services-recovered");
    assert.equal(plane.print(), printPlan(core.table.plan()));
    core.applyModel("a", serviceChange(3, ["10.88.0.3"]));
    await settled();
    assert.equal(plane.calls.at(-1), `apply ${core.revision}`);
  });

  it("goes on after a call that never ends", async () => {
    const { core, plane, clock, kinds } = makeServicesWorld();
    core.applyModel("a", serviceChange(1, ["10.88.0.1"]));
    await settled();
    plane.before = () => new Promise(() => {});
    core.applyModel("a", serviceChange(2, ["10.88.0.2"]));
    await settled();
    clock.advance(LIMITS.planeApplyMs);
    await settled();
    assert.deepEqual(kinds(), ["services-failed"]);
    plane.before = async () => {};
    clock.advance(LIMITS.planeLateMs - 1_000);
    await settled();
    assert.equal(plane.calls.length, 2, "the call may still be at work");
    clock.advance(2_000);
    await settled();
    assert.equal(plane.print(), printPlan(core.table.plan()));
  });

  it("has one refused frontend harm no other, and says so until it is programmed", async () => {
    const { core, plane, clock, events } = makeServicesWorld();
    plane.refuses.set(KEY, "no room");
    core.applyModel("a", serviceChange(10, ["10.88.0.1"]));
    core.applyModel("a", serviceChange(11, ["10.88.0.1"]));
    await settled();
    assert.equal(core.programmedRevision, core.revision);
    assert.equal(core.refusalOf(KEY), "fake: no room");
    assert.deepEqual(
      events.map(({ message }) => message),
      ["fake refuses 10.96.0.10:80/TCP: no room"],
    );
    clock.advance(LIMITS.planeRefusedMs);
    await settled();
    assert.equal(core.refusalOf(KEY), "fake: no room");
    assert.equal(events.length, 1);
    plane.refuses.clear();
    clock.advance(LIMITS.planeRefusedMs);
    await settled();
    assert.equal(core.refusalOf(KEY), "");
    assert.deepEqual(plane.calls, ["reset 1", "apply 1", "apply 1"]);
    clock.advance(LIMITS.planeRefusedMs);
    await settled();
    assert.equal(plane.calls.length, 3);
  });

  it("repairs what somebody else changed, and says who and how long it took", async () => {
    const { core, plane, clock, events } = makeServicesWorld();
    core.applyModel("a", serviceChange(10, ["10.88.0.1"]));
    await settled();
    const gate = Promise.withResolvers<void>();
    plane.before = () => gate.promise;
    plane.tamper("nft (pid 7) deleted the table");
    plane.tamper("nft (pid 7) deleted the other");
    clock.advance(LIMITS.planeTamperMs);
    await settled();
    clock.advance(4);
    gate.resolve();
    await settled();
    assert.deepEqual(plane.calls, ["reset 1", "reset 1"]);
    assert.equal(plane.print(), printPlan(core.table.plan()));
    assert.deepEqual(
      events.map(({ kind, message }) => [kind, message]),
      [["services-repaired", "fake: nft (pid 7) deleted the table; everything is back after 5 ms"]],
    );
  });

  it("repairs again when somebody comes while it repairs", async () => {
    const { core, plane, clock, kinds } = makeServicesWorld();
    core.applyModel("a", serviceChange(10, ["10.88.0.1"]));
    await settled();
    const gate = Promise.withResolvers<void>();
    plane.before = () => gate.promise;
    plane.tamper();
    clock.advance(LIMITS.planeTamperMs);
    await settled();
    plane.tamper();
    gate.resolve();
    await settled();
    assert.deepEqual(plane.calls, ["reset 1", "reset 1", "reset 1"]);
    assert.deepEqual(kinds(), ["services-repaired"]);
    assert.equal(plane.print(), printPlan(core.table.plan()));
  });

  it("does not fight without pause", async () => {
    const { core, plane, clock } = makeServicesWorld();
    core.applyModel("a", serviceChange(10, ["10.88.0.1"]));
    await settled();
    for (let round = 0; round < 10_000; round++) {
      plane.tamper();
      clock.advance(1);
      await settled();
    }
    assert.ok(plane.calls.length < 60, `${plane.calls.length} calls in 10 s`);
    clock.advance(10_000);
    await settled();
    assert.equal(plane.print(), printPlan(core.table.plan()));
  });

  it("waits for the first list of its sources before it touches what an earlier host left", async () => {
    const { core, plane } = makeServicesWorld();
    core.expectSource("manifests", { keeps: true });
    core.expectSource("host-ports", { keeps: false });
    core.applyModel("host-ports", serviceChange(1, ["10.88.0.1"]));
    await settled();
    assert.deepEqual(plane.calls, []);
    core.applyObjects("manifests", [{ kind: "relist", objects: [] }]);
    await settled();
    assert.deepEqual(plane.calls, ["reset 1"]);
  });

  it("waits as long as it takes where the kernel may hold something, and says so", async () => {
    const { core, plane, clock, events } = makeServicesWorld();
    core.expectSource("manifests", { keeps: true });
    core.expectSource("node addresses", { keeps: false });
    core.applyModel("host-ports", serviceChange(1, ["10.88.0.1"]));
    await settled();
    assert.deepEqual(core.lateSources, []);
    clock.advance(LIMITS.servicesFirstListMs);
    await settled();
    clock.advance(60 * LIMITS.servicesFirstListMs);
    await settled();
    assert.deepEqual(plane.calls, []);
    assert.deepEqual(core.lateSources, ["manifests"]);
    assert.match(
      events[0]?.message ?? "",
      /manifests, node addresses; what the kernel holds stays/,
    );
    core.applyObjects("manifests", [{ kind: "relist", objects: [] }]);
    await settled();
    assert.deepEqual(plane.calls, ["reset 1"]);
    assert.deepEqual(core.lateSources, []);
    assert.equal(events.length, 1);
  });

  it("waits no longer than ten seconds for them where the kernel holds nothing", async () => {
    const { core, plane, clock, events } = makeServicesWorld();
    core.expectSource("manifests", { keeps: false });
    await settled();
    clock.advance(LIMITS.servicesFirstListMs);
    await settled();
    assert.deepEqual(plane.calls, ["reset 0"]);
    assert.match(events[0]?.message ?? "", /manifests/);
  });

  it("waitProgrammed() answers when the newest revision is everywhere", async () => {
    const { core, plane } = makeServicesWorld();
    const gate = Promise.withResolvers<void>();
    plane.before = () => gate.promise;
    core.applyModel("a", serviceChange(10, ["10.88.0.1"]));
    let isDone = false;
    const waiting = core.waitProgrammed({ timeoutMs: 1_000 }).then((revision) => {
      isDone = true;
      return revision;
    });
    await settled();
    assert.equal(isDone, false);
    gate.resolve();
    assert.equal(await waiting, 1);
    assert.equal(await core.waitProgrammed({ revision: 1, timeoutMs: 1_000 }), 1);
  });

  it("waitProgrammed() waits for a Service to appear, and says what it lacks at the deadline", async () => {
    const { core, clock } = makeServicesWorld();
    const waiting = core.waitProgrammed({ service: "test/web10", timeoutMs: 1_000 });
    await settled();
    core.applyModel("a", serviceChange(10, ["10.88.0.1"]));
    assert.equal(await waiting, 1);
    const late = core.waitProgrammed({ service: "test/other", timeoutMs: 1_000 });
    await settled();
    clock.advance(1_000);
    await assert.rejects(late, {
      code: "DEADLINE_EXCEEDED",
      message: "Service test/other did not appear within 1000 ms",
    });
    const ahead = core.waitProgrammed({ revision: 99, timeoutMs: 1_000 });
    await settled();
    clock.advance(1_000);
    await assert.rejects(ahead, {
      message: "Revision 99 did not appear within 1000 ms, the newest is 1",
    });
  });

  it("waitProgrammed() waits for the first reset even where nothing is planned", async () => {
    const { core, plane, clock } = makeServicesWorld();
    core.expectSource("manifests", { keeps: true });
    const early = core.waitProgrammed({ timeoutMs: 100 });
    await settled();
    clock.advance(100);
    await assert.rejects(early, {
      message: "Revision 0 was not programmed (waiting for manifests) within 100 ms",
    });
    const gate = Promise.withResolvers<void>();
    plane.before = () => gate.promise;
    core.applyObjects("manifests", [{ kind: "relist", objects: [] }]);
    await settled();
    assert.deepEqual(plane.calls, ["reset 0"]);
    const during = core.waitProgrammed({ timeoutMs: 100 });
    await settled();
    clock.advance(100);
    await assert.rejects(during, { code: "DEADLINE_EXCEEDED" });
    gate.resolve();
    assert.equal(await core.waitProgrammed({ timeoutMs: 100 }), 0);
  });

  it("waitProgrammed() shows a hostile name harmlessly", async () => {
    const { core, clock } = makeServicesWorld();
    const waits = ["a\u001b[2J\n\u009b", "x y".repeat(10_000)].map((service) =>
      core.waitProgrammed({ service, timeoutMs: 100 }).then(String, String),
    );
    await settled();
    clock.advance(100);
    const [escaped = "", long = ""] = await Promise.all(waits);
    assert.ok(escaped.includes('Service "a\\u001b[2J\\n\\u009b" did not'), escaped);
    assert.ok(long.length < 200);
  });

  it("waitProgrammed() bounds the number of those who wait", async () => {
    const { core, clock } = makeServicesWorld();
    core.expectSource("manifests", { keeps: true });
    const waiting = Array.from({ length: LIMITS.servicesWaitersMax }, () =>
      core.waitProgrammed({ revision: 9, timeoutMs: 100 }),
    );
    await assert.rejects(core.waitProgrammed({ revision: 9, timeoutMs: 100 }), {
      code: "LIMIT_REACHED",
    });
    clock.advance(100);
    const ended = await Promise.allSettled(waiting);
    assert.ok(ended.every(({ status }) => status === "rejected"));
  });

  it("leaves a plugin that is down out, and waits for the built-in plane for ever", async () => {
    const { core, clock, events } = makeServicesWorld();
    const third = new FakeServicePlane("third");
    core.addPlane(third, { isRequired: false, version: "1" });
    core.applyModel("a", serviceChange(1, ["10.88.0.1"]));
    await settled();
    third.before = () => new Promise(() => {});
    core.applyModel("a", serviceChange(2, ["10.88.0.1"]));
    await settled();
    assert.equal(core.programmedRevision, 1, "within its deadline it counts");
    clock.advance(LIMITS.planeApplyMs);
    await settled();
    assert.equal(core.programmedRevision, 2);
    assert.deepEqual(
      events.map(({ kind, subject }) => [kind, subject]),
      [["services-failed", "third"]],
    );
    assert.match(core.planes[1]?.trouble ?? "", /longer than 10000 ms/);
  });

  it("keeps the pace of the built-in plane while a plugin is slow, which gets all of it in order", async () => {
    const { core, plane } = makeServicesWorld();
    const third = new FakeServicePlane("third");
    core.addPlane(third, { isRequired: false, version: "1" });
    core.applyModel("a", serviceChange(1, ["10.88.0.1"]));
    await settled();
    const gate = Promise.withResolvers<void>();
    third.before = () => gate.promise;
    for (let number = 2; number < 30; number++) {
      core.applyModel("a", serviceChange(number, ["10.88.0.1"]));
      await settled();
    }
    assert.equal(plane.calls.length, 29);
    assert.equal(third.calls.length, 2);
    gate.resolve();
    await settled();
    assert.equal(third.calls.length, 29);
    assert.equal(third.print(), plane.print());
  });

  it("gives a plugin that is too far behind the whole plan instead", async () => {
    const { core, plane } = makeServicesWorld();
    const third = new FakeServicePlane("third");
    core.addPlane(third, { isRequired: false, version: "1" });
    core.applyModel("a", serviceChange(1, ["10.88.0.1"]));
    await settled();
    const gate = Promise.withResolvers<void>();
    third.before = () => gate.promise;
    for (let number = 2; number < LIMITS.planeQueueMax + 10; number++) {
      core.applyModel("a", serviceChange(number, ["10.88.0.1"]));
      await settled();
    }
    gate.resolve();
    await settled();
    assert.equal(third.calls.at(-1), `reset ${core.revision}`);
    assert.equal(third.print(), plane.print());
  });

  it("goes on with plugins while the built-in plane hangs", async () => {
    const { core, plane, clock } = makeServicesWorld();
    const third = new FakeServicePlane("third");
    core.addPlane(third, { isRequired: false, version: "1" });
    core.applyModel("a", serviceChange(1, ["10.88.0.1"]));
    await settled();
    plane.before = () => new Promise(() => {});
    core.applyModel("a", serviceChange(2, ["10.88.0.1"]));
    await settled();
    core.applyModel("a", serviceChange(3, ["10.88.0.1"]));
    await settled();
    clock.advance(LIMITS.planeOverdueMs);
    await settled();
    assert.equal(third.print(), printPlan(core.table.plan()));
    assert.ok(core.table.view("test/web3"));
    assert.equal(core.programmedRevision, 1);
  });

  it("tells watchers what changed, what is programmed, and what went", async () => {
    const { core } = makeServicesWorld();
    const seen: string[] = [];
    const stop = core.watch(({ change, service }) => seen.push(`${change} ${service}`));
    core.applyModel("a", serviceChange(1, ["10.88.0.1"]));
    await settled();
    core.applyModel("a", serviceRemoval(1));
    await settled();
    stop();
    core.applyModel("a", serviceChange(2, ["10.88.0.1"]));
    await settled();
    assert.deepEqual(seen, ["changed test/web1", "programmed test/web1", "removed test/web1"]);
  });

  it("tells of flows that lead nowhere only when the plane holds the change", async () => {
    const { core, plane } = makeServicesWorld();
    const stale: string[] = [];
    core.listen({
      programmed: ({ staleFlows }) => stale.push(...staleFlows.map(({ key }) => key)),
    });
    core.applyModel("a", serviceChange(10, ["10.88.0.1"], { protocol: "UDP" }));
    core.applyModel("a", serviceChange(10, ["10.88.0.1"]));
    await settled();
    stale.length = 0;
    const gate = Promise.withResolvers<void>();
    plane.before = () => gate.promise;
    core.applyModel("a", serviceChange(10, ["10.88.0.2"]));
    await settled();
    assert.deepEqual(stale, []);
    gate.resolve();
    await settled();
    assert.deepEqual(stale, [KEY]);
  });

  it("stop() ends those who wait and sends nothing more", async () => {
    const { core, plane } = makeServicesWorld();
    core.expectSource("manifests", { keeps: true });
    const waiting = core.waitProgrammed({ revision: 1, timeoutMs: 1_000 });
    core.stop();
    await assert.rejects(waiting, { code: "HOST_NOT_READY" });
    core.applyModel("a", serviceChange(2, ["10.88.0.1"]));
    await settled();
    assert.deepEqual(plane.calls, []);
  });
});
