import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { NODES, Scene } from "./publish-fixture.ts";

const TRUE = { type: "NetworkUnavailable", status: "True", reason: "NoRouteCreated", message: "" };
const READY = { type: "Ready", status: "True", reason: "KubeletReady", message: "" };

function putNode(scene: Scene, conditions: readonly object[]): void {
  scene.api.put(NODES, { metadata: { name: "n1", uid: "node-uid" }, status: { conditions } });
  scene.view.catchUp();
}

function conditions(scene: Scene): string[] {
  const { status } = scene.api.find(NODES, "n1") as unknown as {
    status: { conditions: { type: string; status: string; reason: string }[] };
  };
  return status.conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`);
}

describe("NetworkUnavailable by Publisher", () => {
  it("is False once the host is ready, not before, and is then left alone", async () => {
    const scene = new Scene();
    scene.isReady = false;
    putNode(scene, [READY]);
    scene.publisher.start();
    await scene.pass(60_000);
    assert.deepEqual(conditions(scene), ["Ready=True KubeletReady"]);
    scene.isReady = true;
    await scene.pass(1_000);
    assert.deepEqual(conditions(scene), [
      "Ready=True KubeletReady",
      "NetworkUnavailable=False PatchbayIsReady",
    ]);
    assert.equal(scene.api.requests[0]?.path, "/api/v1/nodes/n1/status");
    assert.equal(scene.clock.nextTimerMs(), undefined);
    scene.isReady = false;
    putNode(scene, [READY]);
    await scene.pass(60_000);
    assert.equal(scene.writes(), 1);
  });

  it("is False again when somebody says otherwise, some times an hour", async () => {
    const scene = new Scene();
    putNode(scene, [TRUE]);
    scene.publisher.start();
    for (let time = 0; time < 10; time++) {
      await scene.pass(30_000);
      putNode(scene, [TRUE]);
    }
    assert.equal(scene.writes(), 4);
    await scene.pass(3_600_000);
    assert.deepEqual(conditions(scene), ["NetworkUnavailable=False PatchbayIsReady"]);
  });

  it("is said of a Node that was made anew", async () => {
    const scene = new Scene();
    putNode(scene, []);
    scene.publisher.start();
    await scene.pass(1_000);
    scene.api.remove(NODES, "n1");
    scene.view.catchUp();
    await scene.pass(1_000);
    scene.api.put(NODES, { metadata: { name: "n1", uid: "next" }, status: { conditions: [] } });
    scene.view.catchUp();
    await scene.pass(1_000);
    assert.deepEqual(conditions(scene), ["NetworkUnavailable=False PatchbayIsReady"]);
  });
});
