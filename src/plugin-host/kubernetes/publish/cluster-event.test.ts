import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ApiError } from "../api.ts";
import type { FakeRequest } from "../fake-api.ts";
import { EVENTS, Scene } from "./publish-fixture.ts";

const SENTENCE = "Network default/storage: spec.config: mtu is 5, expected at least 68";

describe("Events by Publisher", () => {
  it("say which network of a pod failed, with what kubectl looks for", async () => {
    const scene = new Scene();
    scene.publisher.start();
    scene.fail("web", SENTENCE);
    await scene.pass(100);
    const [request] = scene.api.requests;
    assert.equal(request?.path, "/api/v1/namespaces/default/events");
    const { metadata, ...event } = bodyOf(request);
    assert.match(metadata.name, /^web\.[0-9a-f]{16}$/);
    const time = `${new Date(scene.clock.wallMs() - 90).toISOString().slice(0, 19)}Z`;
    assert.deepEqual(event, {
      apiVersion: "v1",
      kind: "Event",
      involvedObject: {
        apiVersion: "v1",
        kind: "Pod",
        namespace: "default",
        name: "web",
        uid: "web-uid",
      },
      reason: "NetworkFailed",
      message: SENTENCE,
      type: "Warning",
      source: { component: "patchbay", host: "n1" },
      reportingComponent: "patchbay",
      reportingInstance: "n1",
      firstTimestamp: time,
      lastTimestamp: time,
      count: 1,
    });
  });

  it("count what repeats, whatever container it is", async () => {
    const scene = new Scene();
    scene.publisher.start();
    for (let time = 0; time < 30; time++) {
      scene.fail(
        "web",
        `CNI_NETNS /run/netns/cni-${time}abcdef01-2222-3333 is no network namespace`,
      );
      await scene.pass(1_000);
    }
    await scene.pass(5_000);
    assert.deepEqual(scene.events(), [
      "Warning NetworkFailed x30 Pod/web: CNI_NETNS /run/netns/cni-29abcdef01-2222-3333 is no network namespace",
    ]);
    assert.ok(scene.writes() <= 8, `${scene.writes()} writes`);
  });

  it("of a broken network with a hundred pods come bit by bit, and lose no count", async () => {
    const scene = new Scene();
    scene.publisher.start();
    const names = Array.from({ length: 100 }, (_, index) => `web-${index}`);
    for (let second = 0; second < 60; second += 10) {
      for (const name of names) scene.fail(name, SENTENCE);
      await scene.pass(10_000);
    }
    assert.ok(scene.writes() <= 25 + 61, `${scene.writes()} writes`);
    await scene.pass(200_000);
    assert.equal(scene.events().length, 100);
    assert.ok(scene.events().every((line) => line.includes(" x6 ")));
  });

  it("begin anew when the server has forgotten them", async () => {
    const scene = new Scene();
    scene.publisher.start();
    scene.fail("web", SENTENCE);
    await scene.pass(100);
    scene.api.remove(EVENTS, `default/${bodyOf(scene.api.requests[0]).metadata.name}`);
    scene.fail("web", SENTENCE);
    await scene.pass(10_000);
    assert.deepEqual(scene.events(), [`Warning NetworkFailed x2 Pod/web: ${SENTENCE}`]);
  });

  it("are given up when the server was away for long, or will not have them", async () => {
    const scene = new Scene();
    scene.publisher.start();
    scene.api.down();
    scene.fail("web", SENTENCE);
    await scene.pass(700_000);
    scene.api.up();
    await scene.pass(100_000);
    assert.deepEqual(scene.events(), []);
    const going =
      "unable to create new content in namespace default because it is being terminated";
    scene.api.fail("/", new ApiError(going, { status: 403, reason: "Forbidden" }));
    scene.fail("web", SENTENCE);
    scene.fail("db", SENTENCE);
    await scene.pass(1_000);
    assert.deepEqual(scene.events(), [`Warning NetworkFailed x1 Pod/db: ${SENTENCE}`]);
  });

  it("say what a pod with more than one network got", async () => {
    const scene = new Scene();
    scene.publisher.start();
    scene.attach("web", ["default/storage", "prod/blue"]);
    scene.attach("db");
    await scene.pass(100);
    assert.deepEqual(scene.events(), [
      "Normal NetworksAttached x1 Pod/web: eth0: cluster 10.0.0.5, net1: default/storage 10.1.0.5, net2: prod/blue 10.2.0.5",
    ]);
    await scene.restart();
    assert.equal(scene.events().length, 1);
  });

  it("of a definition that cannot be read are one for all nodes; of a file's there is none", async () => {
    const scene = new Scene();
    const about = {
      kind: "NetworkAttachmentDefinition" as const,
      namespace: "default",
      name: "storage",
      uid: "nad-uid",
      sentence: "spec.config: mtu is 5",
    };
    const event = { kind: "definition-failed" as const, subject: "", message: "" };
    // Before the start: the definitions were restored.
    scene.publisher.onEvent({ ...event, about });
    scene.publisher.onEvent({ ...event, about: { ...about, uid: "" } });
    scene.publisher.start();
    await scene.pass(100);
    await scene.restart();
    scene.publisher.onEvent({ ...event, about });
    await scene.pass(100_000);
    assert.deepEqual(scene.events(), [
      "Warning DefinitionUnreadable x1 NetworkAttachmentDefinition/storage: spec.config: mtu is 5",
    ]);
    assert.equal(scene.outcomes.at(-1), "event conflict");
    assert.deepEqual(scene.told, []);
  });

  it("are remembered of so many, not more", async () => {
    const scene = new Scene();
    scene.api.down();
    scene.publisher.start();
    for (let index = 0; index < 5_000; index++) scene.fail(`web-${index}`, SENTENCE);
    scene.api.up();
    await scene.pass(2_000_000);
    assert.ok(scene.events().length <= 1_024);
    assert.deepEqual(scene.told, []);
  });
});

function bodyOf(request: FakeRequest | undefined): { metadata: { name: string } } {
  assert.ok(request);
  return request.body as { metadata: { name: string } };
}
