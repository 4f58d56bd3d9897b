import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ListServicesRequest__Output } from "../../rpc/generated/patchbay/host/v1/ListServicesRequest.ts";
import type { ServiceChange } from "../../rpc/generated/patchbay/host/v1/ServiceChange.ts";
import { settled } from "../fake-host-world.ts";
import { FakeWatcher } from "../fake-watcher.ts";
import { makeServicesWorld, serviceChange, serviceRemoval } from "./services-fixture.ts";
import { watchServices } from "./watch-services.ts";

type Watcher = FakeWatcher<ListServicesRequest__Output, ServiceChange>;

const COUNT = 200;

async function watchMany(): Promise<
  ReturnType<typeof makeServicesWorld> & { watcher: Watcher; listed: Promise<void> }
> {
  const world = makeServicesWorld();
  for (let number = 0; number < COUNT; number++) {
    world.core.applyModel("a", serviceChange(number, ["10.88.0.1"]));
  }
  await settled();
  const watcher: Watcher = new FakeWatcher({ service: "test/" }, { isReading: false });
  const listed = watchServices(world.core, watcher.call);
  await settled();
  return { ...world, watcher, listed };
}

function said({ seen }: Watcher): string[] {
  return seen.map(({ change, service }) => `${change} ${service?.service}`);
}

describe("watchServices()", () => {
  it("waits for the reader of the first list, and holds one change of each Service meanwhile", async () => {
    const { core, watcher, listed } = await watchMany();
    for (let round = 0; round < 2_000; round++) {
      core.applyModel("a", serviceChange(0, [`10.88.${round >> 8}.${round & 255}`]));
      await settled();
    }
    core.applyModel("a", serviceRemoval(1));
    core.applyModel("a", serviceRemoval(99));
    core.applyModel("a", serviceChange(COUNT, ["10.88.0.1"]));
    await settled();
    assert.equal(watcher.writableLength, watcher.writableHighWaterMark);
    watcher.read();
    await listed;
    while (watcher.writableLength > 0) await new Promise(setImmediate);
    assert.deepEqual(watcher.errors, []);
    const lines = said(watcher);
    // test/web99 went before it was told of; the others were told of.
    assert.equal(lines.filter((line) => line.startsWith("present")).length, COUNT - 1);
    assert.deepEqual(lines.filter((line) => !line.startsWith("present")).sort(), [
      "programmed test/web0",
      "programmed test/web200",
      "removed test/web1",
    ]);
    assert.equal(watcher.seen.at(-1)?.service?.programmed, true);
    core.applyModel("a", serviceRemoval(2));
    while (!said(watcher).includes("removed test/web2")) await new Promise(setImmediate);
  });

  it("stops when the watcher goes in the middle of the first list", async () => {
    const { core, watcher, listed } = await watchMany();
    watcher.cancel();
    await listed;
    core.applyModel("a", serviceRemoval(0));
    await settled();
    assert.equal(watcher.writableLength, watcher.writableHighWaterMark);
  });
});
