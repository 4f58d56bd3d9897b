import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ApiError } from "../api.ts";
import { PODS, record, Scene, STATUS } from "./publish-fixture.ts";

const WEB = '[{"name":"cluster","dns":{},"interface":"eth0","ips":["10.0.0.5"],"default":true}]';
const WITH_STORAGE = `${WEB.slice(0, -1)},{"name":"default/storage","dns":{},"interface":"net1","ips":["10.1.0.5"]}]`;
const FORBIDDEN = new ApiError(
  'pods "web" is forbidden: User "u" cannot patch resource "pods/status" in API group ""',
  { status: 403, reason: "Forbidden" },
);

describe("network-status by Publisher", () => {
  it("is written by a merge patch of status, for the pod of this uid alone", async () => {
    const scene = new Scene();
    scene.pod("web");
    scene.publisher.start();
    scene.attach("web", ["default/storage"]);
    await scene.pass(100);
    assert.equal(scene.statusOf("web"), WITH_STORAGE);
    const [request] = scene.api.requests;
    assert.equal(request?.path, "/api/v1/namespaces/default/pods/web/status");
    assert.equal(request?.contentType, "application/merge-patch+json");
    assert.deepEqual(request?.body, {
      metadata: { uid: "web-uid", annotations: { [STATUS]: WITH_STORAGE } },
    });
    await scene.pass(86_400_000);
    assert.equal(scene.writes("/api/v1/namespaces/default/pods"), 1);
  });

  it("is not looked for before the caller of ADD has its answer", () => {
    const scene = new Scene();
    scene.pod("web");
    scene.publisher.start();
    scene.attach("web");
    assert.equal(scene.writes(), 0);
  });

  it("is written after a crash where it is missing, and nowhere else", async () => {
    const scene = new Scene();
    scene.pod("web", { [STATUS]: WEB });
    scene.pod("db");
    scene.records = [record("web", "cluster"), record("db", "cluster")];
    await scene.restart();
    assert.equal(scene.statusOf("db"), WEB);
    assert.equal(scene.writes(), 1);
  });

  it("waits for a pod that the watch has not shown, and leaves one that goes", async () => {
    const scene = new Scene();
    scene.publisher.start();
    scene.pod("old", {}, { deletionTimestamp: "2026-01-01T00:00:00Z" });
    scene.attach("web");
    scene.attach("old");
    await scene.pass(60_000);
    assert.equal(scene.writes(), 0);
    scene.pod("web");
    await scene.pass(100);
    assert.equal(scene.statusOf("web"), WEB);
    assert.equal(scene.statusOf("old"), undefined);
  });

  it("of a static pod is written to its mirror", async () => {
    const scene = new Scene();
    scene.publisher.start();
    scene.attach("etcd");
    scene.pod("etcd", { "kubernetes.io/config.hash": "etcd-uid" }, { uid: "mirror" });
    await scene.pass(100);
    assert.equal(scene.statusOf("etcd"), WEB);
  });

  it("is not written to another pod that has the name by now", async () => {
    const scene = new Scene();
    scene.pod("web");
    scene.publisher.start();
    scene.attach("web");
    // The watch is late.
    scene.api.put(PODS, { metadata: { namespace: "default", name: "web", uid: "next" } });
    await scene.pass(5_000, { seen: false });
    assert.equal(scene.statusOf("web"), undefined);
    assert.ok(scene.outcomes.every((outcome) => outcome === "network-status conflict"));
    scene.view.catchUp();
    const writes = scene.writes();
    await scene.pass(3_600_000);
    assert.equal(scene.writes(), writes);
    assert.deepEqual(scene.told, []);
  });

  it("follows a pod that is attached to one network more, and then to one less", async () => {
    const scene = new Scene();
    scene.pod("web");
    scene.publisher.start();
    scene.attach("web");
    await scene.pass(100);
    const attachment = record("web", "default/storage", 1);
    scene.records = [...scene.records, attachment];
    scene.publisher.onEvent({ kind: "attached", subject: "", message: "", attachment });
    await scene.pass(100);
    assert.equal(scene.statusOf("web"), WITH_STORAGE);
    scene.records = scene.records.slice(0, 1);
    scene.publisher.onEvent({ kind: "detached", subject: "", message: "", attachment });
    await scene.pass(100);
    assert.equal(scene.statusOf("web"), WEB);
  });

  it("stays as it is when the pod's attachments are gone", async () => {
    const scene = new Scene();
    scene.pod("web");
    scene.publisher.start();
    scene.attach("web");
    await scene.pass(100);
    const [attachment] = scene.records;
    scene.records = [];
    assert.ok(attachment);
    scene.publisher.onEvent({ kind: "detached", subject: "", message: "", attachment });
    await scene.pass(60_000);
    assert.equal(scene.statusOf("web"), WEB);
    assert.equal(scene.writes(), 1);
  });

  it("tells of the newest sandbox, where the old one is not away yet", async () => {
    const scene = new Scene();
    scene.pod("web");
    scene.publisher.start();
    const fresh = { ...record("web", "blue"), containerId: "again", createdWallMs: 2 };
    scene.records = [fresh, record("web", "cluster")];
    scene.publisher.onEvent({ kind: "attached", subject: "", message: "", attachment: fresh });
    await scene.pass(100);
    assert.equal(scene.statusOf("web"), WEB.replace("cluster", "blue"));
  });

  it("is written again when somebody takes it away, some times an hour", async () => {
    const scene = new Scene();
    scene.pod("web");
    scene.publisher.start();
    scene.attach("web");
    for (let time = 0; time < 10; time++) {
      await scene.pass(30_000);
      scene.pod("web", { other: String(time) });
    }
    assert.equal(scene.writes(), 4);
    assert.deepEqual(
      scene.told.map(({ kind, message }) => `${kind}: ${message}`),
      [
        `kubernetes-publish-failed: Somebody else changes annotation ${STATUS} of default/web again and again: it is left so for a while`,
      ],
    );
    await scene.pass(3_600_000);
    assert.equal(scene.statusOf("web"), WEB);
  });

  it("is not written twice while the watch is late", async () => {
    const scene = new Scene();
    scene.pod("web");
    scene.publisher.start();
    scene.attach("web");
    await scene.pass(100, { seen: false });
    const attachment = record("web", "cluster");
    scene.publisher.onEvent({ kind: "attached", subject: "", message: "", attachment });
    await scene.pass(1_000, { seen: false });
    assert.equal(scene.writes(), 1);
  });

  it("is not taken for undone by a watch that does not stand", async () => {
    const scene = new Scene();
    scene.pod("web");
    scene.publisher.start();
    scene.attach("web");
    scene.view.fallBehind();
    await scene.pass(3_600_000, { seen: false });
    assert.equal(scene.writes(), 1);
    assert.deepEqual(scene.told, []);
    scene.view.catchUp();
    await scene.pass(60_000);
    assert.equal(scene.writes(), 1);
    assert.equal(scene.clock.nextTimerMs(), undefined);
  });

  it("waits for rights, with one try after each pause, and tells once which it needs", async () => {
    const scene = new Scene();
    scene.api.fail("/", FORBIDDEN, { times: 5 });
    scene.publisher.start();
    for (const name of ["a", "b", "c"]) {
      scene.pod(name);
      scene.attach(name);
    }
    await scene.pass(2_000);
    const tries = scene.writes();
    assert.ok(tries <= 5, `${tries} tries`);
    assert.equal(scene.told.length, 1);
    assert.match(scene.told[0]?.message ?? "", /the host needs patch on pods\/status/);
    const rights = () => scene.publisher.denials.map((denial) => denial.rights);
    assert.deepEqual(rights(), ["patch on pods/status"]);
    await scene.pass(120_000);
    assert.deepEqual(rights(), []);
    assert.deepEqual(
      ["a", "b", "c"].map((name) => scene.statusOf(name)),
      [WEB, WEB, WEB],
    );
  });

  it("comes after an outage, of which it makes no storm", async () => {
    const scene = new Scene();
    scene.publisher.start();
    const names = Array.from({ length: 50 }, (_, index) => `web-${index}`);
    for (const name of names) scene.pod(name);
    scene.api.down();
    for (const name of names) scene.attach(name);
    await scene.pass(600_000);
    assert.ok(scene.writes() < 30, `${scene.writes()} tries`);
    assert.deepEqual(scene.told, []);
    scene.api.up();
    await scene.pass(61_000);
    assert.ok(names.every((name) => scene.statusOf(name) === WEB));
  });

  it("is written of four pods at once, not more", async () => {
    const waiting: (() => void)[] = [];
    const scene = new Scene({
      api: { request: () => new Promise<void>((resolve) => waiting.push(resolve)) },
    });
    scene.publisher.start();
    for (let index = 0; index < 10; index++) {
      scene.pod(`web-${index}`);
      scene.attach(`web-${index}`);
    }
    await scene.pass(100);
    assert.equal(waiting.length, 4);
    waiting[0]?.();
    await scene.pass(100);
    assert.equal(waiting.length, 5);
  });

  it("that the server refuses is told once, and tried again when it says something else", async () => {
    const scene = new Scene();
    const invalid = new ApiError("annotations: Too long", { status: 422, reason: "Invalid" });
    scene.api.fail("/", invalid);
    scene.pod("web");
    scene.publisher.start();
    scene.attach("web");
    await scene.pass(3_600_000);
    assert.equal(scene.writes(), 1);
    assert.equal(scene.told.length, 1);
    scene.records = [];
    scene.attach("web", ["default/storage"]);
    await scene.pass(100);
    assert.equal(scene.statusOf("web"), WITH_STORAGE);
  });

  it("is the same text after a restart, whatever order the store has", async () => {
    const scene = new Scene();
    scene.pod("web");
    scene.publisher.start();
    scene.attach("web", ["default/storage", "prod/blue"]);
    await scene.pass(100);
    scene.records = scene.records.toReversed();
    await scene.restart();
    assert.equal(scene.writes("/api/v1/namespaces/default/pods"), 1);
  });

  it("that admission forbids for one pod is written of the others", async () => {
    const scene = new Scene();
    const denied = 'admission webhook "policy" denied the request: not this pod';
    scene.api.fail("/", new ApiError(denied, { status: 403, reason: "Forbidden" }));
    scene.publisher.start();
    for (const name of ["web", "db"]) {
      scene.pod(name);
      scene.attach(name);
    }
    await scene.pass(100);
    assert.equal(scene.statusOf("db"), WEB);
    assert.equal(scene.told.length, 1);
  });

  it("is given up by close(), with what is under way", async () => {
    const signals: (AbortSignal | undefined)[] = [];
    const scene = new Scene({
      api: {
        request: ({ signal }) => {
          signals.push(signal);
          return new Promise((_, reject) => {
            signal?.addEventListener("abort", () => reject(new ApiError("aborted")));
          });
        },
      },
    });
    scene.pod("web");
    scene.publisher.start();
    scene.attach("web");
    await scene.pass(100);
    await scene.publisher.close();
    assert.equal(signals[0]?.aborted, true);
    assert.equal(scene.clock.nextTimerMs(), undefined);
    assert.deepEqual(scene.outcomes, []);
  });
});
