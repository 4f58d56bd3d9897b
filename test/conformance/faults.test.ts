import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parsePools } from "../../src/conformance/pools.ts";
import { RULES } from "../../src/conformance/rules.ts";
import { type ConformanceOptions, runConformance } from "../../src/conformance/run.ts";
import { FakeKernel } from "../../src/kernel/fake-kernel.ts";
import { type Fault, FAULTS } from "./faults.ts";
import { launchTestPlugin } from "./test-launcher.ts";
import { createTestPlugin, GOOD_CONFIG, WRONG_CONFIG } from "./test-plugin.ts";

/** Holds the test plugin against all rules, on a kernel in memory. */
async function holdAgainstRules(fault: Fault, change: Partial<ConformanceOptions> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "pb-conformance-"));
  const socket = join(folder, "p.sock");
  const kernel = new FakeKernel();
  const create = (life: Parameters<Fault>[1]) => {
    const good = createTestPlugin(life);
    return { ...good, ...fault(good, life) };
  };
  try {
    const { results } = await runConformance({
      socket,
      hostVersion: "1.0.0",
      timeoutMs: 10_000,
      launcher: launchTestPlugin({ socket, kernel, create }),
      kernel,
      network: "conformance",
      config: GOOD_CONFIG,
      invalidConfig: WRONG_CONFIG,
      pools: parsePools("10.251.0.0/24,fd00:251::/64"),
      attachmentsMax: 20,
      netnsFolder: "/run/netns",
      runId: "test",
      ...change,
    });
    return { results, kernel };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("runConformance() passes a plugin that keeps every rule, skips none and leaves no namespace", async () => {
  const { results, kernel } = await holdAgainstRules(() => ({}));
  assert.deepEqual(
    results.filter(({ result }) => result !== "pass").map(({ id, reason }) => `${id}: ${reason}`),
    [],
  );
  assert.deepEqual(results.length, RULES.length);
  assert.doesNotMatch(kernel.toString(), /test-\d/);
});

test("FAULTS has a fault for each rule", () => {
  assert.deepEqual(Object.keys(FAULTS).toSorted(), RULES.map(({ id }) => id).toSorted());
});

describe("a plugin with one fault fails exactly the rule", { concurrency: 4 }, () => {
  for (const [rule, fault] of Object.entries(FAULTS)) {
    test(rule, async () => {
      const { results } = await holdAgainstRules(fault);
      const failed = results.filter(({ result }) => result === "fail");
      assert.deepEqual(
        failed.map(({ id }) => id),
        [rule],
        failed.map(({ id, reason }) => `${id}: ${reason}`).join("\n"),
      );
    });
  }
});
