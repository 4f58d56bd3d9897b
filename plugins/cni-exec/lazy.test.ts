import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { NetworkPlugin } from "../../src/plugin-sdk/network-plugin.ts";
import { CNI_EXEC_INFO } from "./info.ts";
import { lazyCniExec } from "./lazy.ts";

test("lazyCniExec() loads the plugin when something is remembered or asked for, once", async () => {
  const folder = mkdtempSync(join(tmpdir(), "pb-lazy-"));
  try {
    let loads = 0;
    const held = [{ attachmentId: "a", object: "eth0" }];
    const real = { list: async () => held, status: async () => ({ ready: true, reason: "" }) };
    const load = async () => {
      loads++;
      return real as unknown as NetworkPlugin;
    };
    const absent = lazyCniExec({ folder: join(folder, "none"), load });
    assert.equal(absent.info, CNI_EXEC_INFO);
    assert.deepEqual(await absent.list({ network: "" }), []);
    writeFileSync(join(folder, ".complete"), "");
    const plugin = lazyCniExec({ folder, load });
    assert.deepEqual(await plugin.list({ network: "" }), []);
    assert.equal(loads, 0);
    writeFileSync(join(folder, "a.json"), "{}");
    assert.deepEqual(await plugin.list({ network: "" }), held);
    await plugin.status({ network: "", configJson: "{}" });
    assert.equal(loads, 1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
