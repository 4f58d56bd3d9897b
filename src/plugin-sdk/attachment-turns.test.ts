import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AttachmentTurns } from "./attachment-turns.ts";

const patient = new AbortController().signal;

describe("AttachmentTurns.run()", () => {
  test("runs the calls of one attachment one after the other, those of others beside them", async () => {
    const turns = new AttachmentTurns();
    const steps: string[] = [];
    const gate = Promise.withResolvers<void>();
    const run = (attachmentId: string, what: string, wait?: Promise<void>) =>
      turns.run({ attachmentId, what, signal: patient }, async () => {
        steps.push(`${what} begins`);
        await wait;
        steps.push(`${what} ends`);
      });
    const calls = [run("a", "first", gate.promise), run("a", "second"), run("b", "other")];
    await calls[2];
    assert.deepEqual(steps, ["first begins", "other begins", "other ends"]);
    gate.resolve();
    await Promise.all(calls);
    assert.deepEqual(steps.slice(3), ["first ends", "second begins", "second ends"]);
  });

  test("goes on after a failure, which only its own caller sees", async () => {
    const turns = new AttachmentTurns();
    const turn = { attachmentId: "a", what: "Attach", signal: patient };
    const failing = turns.run(turn, () => Promise.reject(new Error("no")));
    const next = turns.run(turn, async () => "yes");
    await assert.rejects(failing, /no/);
    assert.equal(await next, "yes");
  });

  test("leaves out a call whose caller has gone before its turn", async () => {
    const turns = new AttachmentTurns();
    const gate = Promise.withResolvers<void>();
    const controller = new AbortController();
    let attached = false;
    const turn = { attachmentId: "a", what: "Attach" };
    const first = turns.run({ ...turn, signal: patient }, () => gate.promise);
    const late = turns.run({ ...turn, signal: controller.signal }, async () => {
      attached = true;
    });
    controller.abort();
    gate.resolve();
    await first;
    await assert.rejects(late, { name: "PluginError", message: "Attach came too late" });
    assert.equal(attached, false);
  });
});
