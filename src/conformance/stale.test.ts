import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { FakeKernel } from "../kernel/fake-kernel.ts";
import type { NetnsPath } from "../kernel/kernel.ts";
import { removeStaleNamespaces, runIdOf } from "./stale.ts";

test("removeStaleNamespaces() removes those of runs that are dead, and nobody else's", async () => {
  const folder = mkdtempSync(join(tmpdir(), "pb-stale-"));
  try {
    const { pid: dead } = spawnSync("true");
    const kernel = new FakeKernel();
    const names = [`${runIdOf(dead)}-3`, `${runIdOf(process.pid)}-0`, "cni-1234", `${dead}-3`];
    for (const name of names) {
      writeFileSync(join(folder, name), "");
      await kernel.createNetns(join(folder, name) as NetnsPath);
    }
    await removeStaleNamespaces(kernel, folder);
    const left: string[] = [];
    for (const name of names) {
      if (await kernel.netnsIdentity(join(folder, name) as NetnsPath)) left.push(name);
    }
    assert.deepEqual(left, names.slice(1));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
