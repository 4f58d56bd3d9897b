import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { parsePools } from "../../src/conformance/pools.ts";
import { RULES } from "../../src/conformance/rules.ts";
import { type ConformanceOptions, runConformance } from "../../src/conformance/run.ts";
import { FakeKernel } from "../../src/kernel/fake-kernel.ts";
import type { Kernel } from "../../src/kernel/kernel.ts";
import { enterOwnNetns } from "../../src/kernel/nf-test-node.ts";
import { privateNodeSkip } from "../../src/kernel/private-node-skip.ts";
import { openKernel } from "../../src/kernel/rtnetlink-kernel.ts";
import { type Fault, FAULTS } from "./faults.ts";
import { launchTestPlugin } from "./test-launcher.ts";
import { createTestPlugin, GOOD_CONFIG, WRONG_CONFIG } from "./test-plugin.ts";

/** Holds the test plugin against all rules, on a kernel in memory. */
async function holdAgainstRules(fault: Fault, change: Partial<ConformanceOptions> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "pb-conformance-"));
  const socket = join(folder, "p.sock");
  const kernel = change.kernel ?? new FakeKernel();
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
    return results;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("runConformance() passes a plugin that keeps every rule, skips none and leaves no namespace", async () => {
  const kernel = new FakeKernel();
  const results = await holdAgainstRules(() => ({}), { kernel });
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

test("runConformance() ends with a plugin that hangs, and says in which call", async () => {
  const hang: Fault = () => ({ list: () => new Promise(() => {}) });
  const results = await holdAgainstRules(hang, { only: ["list-follows"], timeoutMs: 200 });
  const found = results.find(({ id }) => id === "list-attached");
  assert.match(found?.reason ?? "", /^List: /);
  assert.equal(found?.result, "fail");
  assert.equal(results.at(-1)?.result, "skip");
});

test("runConformance() starts a plugin again that dies in a call", async () => {
  const dying: Fault = (good, { crash }) => ({
    async list(request) {
      crash();
      return good.list(request);
    },
  });
  const results = await holdAgainstRules(dying, { only: ["list-attached", "check-fresh"] });
  const outcomes = new Map(results.map(({ id, result }) => [id, result]));
  assert.equal(outcomes.get("list-attached"), "fail");
  assert.equal(outcomes.get("check-fresh"), "pass");
});

test("runConformance() ends behind the rule under way when it is told to, and removes its pods", async () => {
  const controller = new AbortController();
  const kernel = new FakeKernel();
  const seen: string[] = [];
  await assert.rejects(
    holdAgainstRules(() => ({}), {
      kernel,
      signal: controller.signal,
      onResult({ id }) {
        seen.push(id);
        if (id === "attach-interface") controller.abort();
      },
    }),
    { name: "AbortError" },
  );
  assert.equal(seen.at(-1), "attach-interface");
  assert.doesNotMatch(kernel.toString(), /test-\d/);
});

describe("a plugin with one fault fails exactly the rule", { concurrency: 4 }, () => {
  for (const [rule, fault] of Object.entries(FAULTS)) {
    test(rule, async () => {
      const results = await holdAgainstRules(fault);
      const failed = results.filter(({ result }) => result === "fail");
      assert.deepEqual(
        failed.map(({ id }) => id),
        [rule],
        failed.map(({ id, reason }) => `${id}: ${reason}`).join("\n"),
      );
    });
  }
});

describe("the rule sees its fault in the real kernel as well", { skip: privateNodeSkip }, () => {
  let kernel: Kernel;
  before(async () => {
    enterOwnNetns();
    kernel = await openKernel();
  });
  after(() => kernel.close());

  // Rules that look at nothing but answers see the same on either.
  const looking = Object.entries(FAULTS).filter(([rule]) => !/^(info|health|status)/.test(rule));
  for (const [rule, fault] of looking) {
    test(rule, async () => {
      // What another fault left behind is no trace of this one, nor the network's own link: the kernel
      // takes links of pods that are gone away when it likes.
      const links = await kernel.links();
      const ours = links.filter(({ type }) => type === "veth" || type === "bridge");
      await kernel.removeLinks(ours.map(({ name }) => name));
      const runId = `pbfault-${process.pid}-${rule}`;
      const results = await holdAgainstRules(fault, { kernel, only: [rule], runId });
      const failed = results.filter(({ result }) => result === "fail");
      assert.deepEqual(
        failed.map(({ id }) => id),
        [rule],
        failed.map(({ id, reason }) => `${id}: ${reason}`).join("\n"),
      );
    });
  }
});
