import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createServiceTable } from "../../services/service-table.ts";
import { FakeServicePlane } from "./fake-service-plane.ts";
import { LazyPlane } from "./lazy-plane.ts";
import { plainFacts } from "./services-fixture.ts";

describe("LazyPlane", () => {
  it("is made once, by the first reset or before, and passes on who tampers", async () => {
    const plane = new FakeServicePlane();
    let opened = 0;
    const lazy = new LazyPlane("fake", async () => {
      opened++;
      return plane;
    });
    const heard: string[] = [];
    lazy.onTamper((what) => heard.push(what));
    assert.equal(await lazy.held("x" as never), undefined);
    assert.deepEqual(await lazy.connectionCounts(), new Map());
    assert.equal(opened, 0);
    const plan = createServiceTable(plainFacts).plan();
    lazy.warm();
    await Promise.all([lazy.reset(plan, 1), lazy.reset(plan, 2)]);
    assert.equal(opened, 1);
    plane.tamper("somebody");
    assert.deepEqual(heard, ["somebody"]);
  });

  it("is tried again when it could not be made", async () => {
    let failures = 1;
    const lazy = new LazyPlane("fake", async () => {
      if (failures-- > 0) throw new Error("EPERM");
      return new FakeServicePlane();
    });
    const plan = createServiceTable(plainFacts).plan();
    await assert.rejects(lazy.reset(plan, 1), /EPERM/);
    assert.deepEqual(await lazy.reset(plan, 1), { revision: 1, refused: [] });
    await lazy.close();
  });
});
