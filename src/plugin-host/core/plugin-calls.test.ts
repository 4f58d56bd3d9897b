import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../fake-clock.ts";
import { settled } from "../fake-host-world.ts";
import { PluginCalls } from "./plugin-calls.ts";

test("run() does not start a call before those past their deadline have ended", async () => {
  const clock = new FakeClock();
  const calls = new PluginCalls(clock);
  const options = { limitMs: 1_000, what: "Call" };
  const finish: (() => void)[] = [];
  const hang = () => new Promise<void>((resolve) => finish.push(resolve));
  const late = calls.run("a", options, hang);
  clock.advance(1_000);
  await assert.rejects(late, { code: "DEADLINE_EXCEEDED" });

  const impatient = calls.run("a", options, hang);
  const elsewhere = calls.run("b", options, async () => "b");
  assert.equal(await elsewhere, "b");
  clock.advance(1_000);
  await assert.rejects(impatient, { code: "DEADLINE_EXCEEDED" });
  assert.equal(finish.length, 1);

  const patient = calls.run("a", options, hang);
  finish[0]?.();
  await settled();
  assert.equal(finish.length, 2);
  finish[1]?.();
  await patient;
  await settled();
  assert.equal(calls.size, 0);
});
