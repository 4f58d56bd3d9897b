import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import type { RuleResult } from "../../src/conformance/run.ts";
import type { Kernel, NetnsPath } from "../../src/kernel/kernel.ts";
import { privateNodeSkip } from "../../src/kernel/private-node-skip.ts";
import { openKernel } from "../../src/kernel/rtnetlink-kernel.ts";
import { TESTED_PLUGINS, type TestedPlugin } from "./plugins.ts";

const run = promisify(execFile);
const repository = join(import.meta.dirname, "../..");

/** One plugin with all rules; its process is started a dozen times. */
const RUN_LIMIT_MS = 110_000;

describe("a plugin of ours keeps the contract", { skip: privateNodeSkip, concurrency: 2 }, () => {
  let kernel: Kernel;
  before(async () => {
    kernel = await openKernel();
  });
  after(() => kernel.close());

  for (const tested of TESTED_PLUGINS) {
    const skip = tested.skip?.() ?? false;
    test(tested.name, { skip }, async () => {
      const results = await runKit(kernel, tested);
      assert.ok(results.length > 0, "no rule ran");
      const bad = results.filter(
        ({ id, result, reason }) =>
          result === "fail" || (result === "skip" && !tested.skips[id]?.test(reason)),
      );
      assert.deepEqual(
        bad.map(({ id, result, reason }) => `${result} ${id}: ${reason}`),
        [],
      );
    });
  }
});

/** In a node of its own: a network namespace for the kit and the plugin that it starts. */
async function runKit(kernel: Kernel, { name }: TestedPlugin): Promise<readonly RuleResult[]> {
  const folder = mkdtempSync(join(tmpdir(), "pb-conformance-"));
  const netns = `/run/netns/conformance-${name}` as NetnsPath;
  await kernel.createNetns(netns);
  try {
    await kernel.apply([{ netns, operations: [{ kind: "set-link", name: "lo", up: true }] }]);
    const script = join(import.meta.dirname, "run-kit.ts");
    const args = [`--net=${netns}`, "--", process.execPath, script, name, join(folder, "p.sock")];
    const env = { ...process.env, NODE_COMPILE_CACHE: join(repository, "build/test/cache") };
    // The test runner's own channel is not for its grandchildren.
    delete (env as NodeJS.ProcessEnv)["NODE_TEST_CONTEXT"];
    const options = { cwd: repository, env, timeout: RUN_LIMIT_MS, maxBuffer: 16 << 20 };
    const { stdout } = await run("nsenter", args, options);
    return (JSON.parse(stdout) as { results: RuleResult[] }).results;
  } finally {
    await kernel.deleteNetns(netns);
    rmSync(folder, { recursive: true, force: true });
  }
}
