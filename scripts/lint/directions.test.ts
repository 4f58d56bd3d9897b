import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { before, describe, it } from "node:test";

const repository = join(import.meta.dirname, "../..");
const directionRule = "patchbay(import-directions)";
const ruleNames = /^patchbay\(|^eslint\(no-restricted/;

/** A file, one line in it, and the rule that must fire there; "" where none may. */
const faults: readonly [file: string, line: string, rule: string][] = [
  // Plugins stand on the SDK, the kernel and addresses.
  ["plugins/seeded/plugin.ts", 'import "../../src/plugin-sdk/network-plugin.ts";', ""],
  ["plugins/seeded/plugin.ts", 'import "../../src/kernel/kernel.ts";', ""],
  ["plugins/seeded/plugin.ts", 'import "../../src/ip/address.ts";', ""],
  ["plugins/seeded/plugin.ts", 'import "node:fs";', ""],
  ["plugins/seeded/plugin.ts", 'import "./links/plan.ts";', ""],
  ["plugins/seeded/plugin.ts", 'import "../../src/ipam/pool.ts";', directionRule],
  ["plugins/seeded/plugin.ts", 'import "../../src/rpc/client.ts";', directionRule],
  ["plugins/seeded/plugin.ts", 'import "../../src/plugin-host/limits.ts";', directionRule],
  ["plugins/seeded/plugin.ts", 'import "../other/plugin.ts";', directionRule],
  ["plugins/seeded/plugin.ts", 'import "pino";', directionRule],
  // The host stands on everything below it; only its composition root knows the plugins.
  ["src/plugin-host/seeded.ts", 'import "../ipam/pool.ts";', ""],
  ["src/plugin-host/seeded.ts", 'import "../services/model.ts";', ""],
  ["src/plugin-host/seeded.ts", 'import "../kernel/kernel.ts";', ""],
  ["src/plugin-host/seeded.ts", 'import "../rpc/client.ts";', ""],
  ["src/plugin-host/seeded.ts", 'import "../cli/table.ts";', directionRule],
  ["src/plugin-host/seeded.ts", 'import "../../plugins/routed/plugin.ts";', directionRule],
  ["src/plugin-host/main.ts", 'import "../../plugins/routed/plugin.ts";', ""],
  // IPAM is pure; one store is its only I/O.
  ["src/ipam/seeded.ts", 'import "../ip/address.ts";', ""],
  ["src/ipam/seeded.ts", 'import "node:fs";', directionRule],
  ["src/ipam/seeded.ts", 'import "node:net";', directionRule],
  ["src/ipam/seeded.ts", 'import "node:child_process";', directionRule],
  ["src/ipam/seeded.ts", 'import "node:sqlite";', directionRule],
  ["src/ipam/sqlite-store.ts", 'import "node:sqlite";', ""],
  ["src/ipam/seeded.ts", 'import "../kernel/kernel.ts";', directionRule],
  ["src/ipam/seeded.ts", 'import "../rpc/client.ts";', directionRule],
  ["src/ipam/seeded.ts", "export const $ = Date.now();", "eslint(no-restricted-globals)"],
  // A plan computes: types of everything, values of nothing that does I/O.
  ["plugins/seeded/plan.ts", 'import type { X as $ } from "../../src/kernel/kernel.ts";', ""],
  ["plugins/seeded/plan.ts", 'import "../../src/kernel/kernel.ts";', directionRule],
  ["plugins/seeded/plan.ts", 'import "node:fs";', directionRule],
  ["src/services/plan.ts", 'import "node:child_process";', directionRule],
  ["src/services/plan.ts", "export const $ = Math.random();", "eslint(no-restricted-properties)"],
  // The kernel knows no domain.
  ["src/kernel/seeded.ts", 'import "koffi";', ""],
  ["src/kernel/seeded.ts", 'import "node:worker_threads";', ""],
  ["src/kernel/seeded.ts", 'import "../ipam/pool.ts";', directionRule],
  ["src/kernel/seeded.ts", 'import "../plugin-sdk/network-plugin.ts";', directionRule],
  ["src/kernel/seeded.ts", 'import "pino";', directionRule],
  // Nothing imports the host but what starts it or asks it.
  ["src/cli/seeded.ts", 'import "../plugin-host/paths.ts";', ""],
  ["src/rpc/seeded.ts", 'import "../plugin-host/errors.ts";', directionRule],
  ["src/plugin-sdk/seeded.ts", 'import "../plugin-host/errors.ts";', directionRule],
  ["examples/seeded.ts", 'import "../src/plugin-host/errors.ts";', directionRule],
  // Only src/rpc knows gRPC.
  ["src/rpc/seeded.ts", 'import "@grpc/grpc-js";', ""],
  ["src/cli/seeded.ts", 'import "@grpc/grpc-js";', directionRule],
  ["src/cli/seeded.ts", 'import "@grpc/proto-loader";', directionRule],
  ["src/cli/seeded.test.ts", 'import "@grpc/grpc-js";', ""],
  ["src/plugin-host/seeded.ts", 'import "@grpc/grpc-js";', directionRule],
  // Addresses know nothing else.
  ["src/ip/seeded.ts", 'import "node:os";', directionRule],
  ["src/ip/seeded.ts", 'import "../kernel/kernel.ts";', directionRule],
  // The core is deterministic.
  ["src/plugin-host/core/seeded.ts", 'import "../../ipam/pool.ts";', ""],
  ["src/plugin-host/core/seeded.ts", 'import "../cni/result.ts";', ""],
  ["src/plugin-host/core/seeded.ts", 'import type { X as $ } from "../journal.ts";', ""],
  ["src/plugin-host/core/seeded.ts", 'import "../journal.ts";', directionRule],
  ["src/plugin-host/core/seeded.ts", 'import type { X as $ } from "../../kernel/kernel.ts";', ""],
  ["src/plugin-host/core/seeded.ts", 'import "../../kernel/kernel.ts";', directionRule],
  [
    "src/plugin-host/core/seeded.ts",
    'export { x as $ } from "../../kernel/kernel.ts";',
    directionRule,
  ],
  ["src/plugin-host/core/seeded.ts", 'export * as $ from "../../kernel/kernel.ts";', directionRule],
  [
    "src/plugin-host/core/seeded.ts",
    'export const $ = import("../../kernel/kernel.ts");',
    directionRule,
  ],
  ...[
    "fs",
    "net",
    "timers/promises",
    "child_process",
    "sqlite",
    "worker_threads",
    "perf_hooks",
  ].map((name): [string, string, string] => [
    "src/plugin-host/core/seeded.ts",
    `import "node:${name}";`,
    directionRule,
  ]),
  ["src/plugin-host/core/seeded.ts", 'import { createHash as $ } from "node:crypto";', ""],
  [
    "src/plugin-host/core/seeded.ts",
    'import { randomUUID as $ } from "node:crypto";',
    "eslint(no-restricted-imports)",
  ],
  [
    "src/plugin-host/core/seeded.ts",
    "export const $ = Date.now();",
    "eslint(no-restricted-globals)",
  ],
  [
    "src/plugin-host/core/seeded.ts",
    "export const $ = new Date();",
    "eslint(no-restricted-globals)",
  ],
  ["src/plugin-host/core/seeded.ts", "setTimeout(() => {}, 1);", "eslint(no-restricted-globals)"],
  [
    "src/plugin-host/core/seeded.ts",
    "export const $ = performance.now();",
    "eslint(no-restricted-globals)",
  ],
  [
    "src/plugin-host/core/seeded.ts",
    "export const $ = Math.random();",
    "eslint(no-restricted-properties)",
  ],
];

describe("import directions", () => {
  let fired: ReadonlyMap<string, readonly string[]>;
  before(() => {
    fired = lint();
  });

  for (const [index, [file, line, rule]] of faults.entries()) {
    it(`${rule ? "refuses" : "allows"} in ${file}: ${line}`, () => {
      assert.deepEqual(fired.get(placeOf(index)) ?? [], rule ? [rule] : []);
    });
  }
});

/** Lints all faults in one checkout, one line each; gives the direction rules that fired by place. */
function lint(): ReadonlyMap<string, readonly string[]> {
  const checkout = mkdtempSync(join(tmpdir(), "patchbay-lint-"));
  try {
    for (const name of [".oxlintrc.json", "scripts/lint/directions.js"]) {
      cpSync(join(repository, name), join(checkout, name));
    }
    // oxlint looks for its type-aware part there.
    symlinkSync(join(repository, "node_modules"), join(checkout, "node_modules"));
    for (const [index, [file, line]] of faults.entries()) {
      const target = join(checkout, file);
      mkdirSync(dirname(target), { recursive: true });
      appendFileSync(target, `${line.replace("$", `name${index}`)}\n`);
    }
    // By name: node_modules behind a link would be linted too.
    const tops = new Set(faults.map(([file]) => file.slice(0, file.indexOf("/"))));
    const oxlint = join(repository, "node_modules/oxlint/bin/oxlint");
    const result = spawnSync(process.execPath, [oxlint, "--format=unix", ...tops], {
      cwd: checkout,
      encoding: "utf8",
    });
    const places = new Map<string, string[]>();
    for (const line of result.stdout.split("\n")) {
      const match = /^(\S+):(\d+):\d+: .*\[Error\/(.*)\]$/.exec(line);
      if (!match?.[3] || !ruleNames.test(match[3])) continue;
      const place = `${match[1]}:${match[2]}`;
      places.set(place, [...(places.get(place) ?? []), match[3]]);
    }
    return places;
  } finally {
    rmSync(checkout, { recursive: true, force: true });
  }
}

/** Where a fault stands: its file and its line there. */
function placeOf(index: number): string {
  const [file] = faults[index] ?? [];
  const before = faults.slice(0, index).filter(([name]) => name === file).length;
  return `${file}:${before + 1}`;
}
