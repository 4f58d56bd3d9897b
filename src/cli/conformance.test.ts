import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RULES } from "../conformance/rules.ts";
import { runCli } from "./fake-context.ts";

describe("patchbay conformance", () => {
  it("lists every rule with its sentence", async () => {
    const { exitCode, stdout } = await runCli(["conformance", "--list-rules"]);
    assert.equal(exitCode, 0);
    for (const { id, sentence } of RULES) {
      assert.match(stdout, new RegExp(`^ {2}${id} +${RegExp.escape(sentence)}$`, "m"));
    }
  });

  const WRONG: readonly [args: readonly string[], error: RegExp][] = [
    [[], /--socket says where the plugin listens/],
    [["--socket", "/p.sock", "--config", "{"], /--config is no JSON/],
    [["--socket", "/p.sock", "--config", "/nowhere.json"], /Cannot read --config \/nowhere\.json/],
    [["--socket", "/p.sock", "--invalid-config", "[]"], /Cannot read --invalid-config \[\]/],
    [["--socket", "/p.sock", "--addresses", "10.0.0.0/30"], /--addresses: .* too small/],
    [["--socket", "/p.sock", "--attachments", "0"], /must be a number from 1/],
    [["--socket", "/p.sock", "--only", "no-such-rule"], /no rule "no-such-rule": see --list-rules/],
  ];
  for (const [args, error] of WRONG) {
    it(`refuses ${JSON.stringify(args)} as wrong usage`, async () => {
      const { exitCode, stderr } = await runCli(["conformance", ...args]);
      assert.match(stderr, error);
      assert.equal(exitCode, 2);
    });
  }
});
