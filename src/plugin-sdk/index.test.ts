import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { LIMITS } from "../plugin-host/limits.ts";

const repository = join(import.meta.dirname, "../..");
const page = readFileSync(join(repository, "docs/plugins.md"), "utf8");

describe("docs/plugins.md", () => {
  test("shows examples/typescript/plugin.ts as it is", () => {
    const example = readFileSync(join(repository, "examples/typescript/plugin.ts"), "utf8");
    const indented = example.replaceAll(/^(?=.)/gm, "    ");
    assert.ok(page.includes(indented), "the example differs");
  });

  test("shows the deadlines that the host has", () => {
    const rows = [...page.matchAll(/^\| ([\w, ]+) \| (\d+) \|$/gm)];
    assert.deepEqual(Object.fromEntries(rows.map(([, call, ms]) => [call, Number(ms)])), {
      "GetInfo, health": LIMITS.pluginGreetingMs,
      Attach: LIMITS.attachMs,
      Detach: LIMITS.detachMs,
      Check: LIMITS.checkMs,
      List: LIMITS.listMs,
      Status: LIMITS.pluginStatusMs,
      RepairNetwork: LIMITS.attachMs,
    });
    assert.ok(page.includes(`at once**, up to ${LIMITS.pluginCallsMax},`));
    assert.equal(LIMITS.pluginDeadlinesMax, 3);
    assert.equal(LIMITS.pluginSchemaBytesMax, 64 << 10);
    assert.equal(LIMITS.pluginAnswerBytesMax, 4 << 20);
  });
});
