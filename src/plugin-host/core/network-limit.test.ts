import assert from "node:assert/strict";
import { test } from "node:test";
import { cniCall, codeOf, FakeHostWorld } from "../fake-host-world.ts";
import { LIMITS } from "../limits.ts";

test("networks that no pod is on make room for new ones, those that are used or cool do not", async () => {
  const world = new FakeHostWorld();
  const host = await world.startHost();
  const call = (verb: string, number: number) => {
    const netns = world.makeNetns(`c${number}`, 100 + number);
    const config = {
      name: `net${number}`,
      ipam: { ranges: [[{ subnet: "10.1.0.0/24" }]], cooldownSeconds: 60 },
    };
    return host.invoke(cniCall(verb, { containerId: `c${number}`, netns, config }));
  };
  for (let number = 0; number < LIMITS.networksMax; number++) {
    assert.equal(codeOf(await call("ADD", number)), undefined);
  }
  assert.equal(codeOf(await call("ADD", 9001)), 11);
  assert.equal(codeOf(await call("DEL", 5)), undefined);
  assert.equal(codeOf(await call("ADD", 9001)), 11);
  await world.pass(61_000);
  assert.equal(codeOf(await call("ADD", 9001)), undefined);
  assert.equal(codeOf(await call("ADD", 9002)), 11);
  const names = world.store.load().networks.map(({ name }) => name);
  assert.equal(names.length, LIMITS.networksMax);
  assert.ok(names.includes("net9001") && !names.includes("net5") && names.includes("net0"));
});
