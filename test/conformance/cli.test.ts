import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { RuleResult } from "../../src/conformance/run.ts";
import type { NetnsPath } from "../../src/kernel/kernel.ts";
import { privateNodeSkip } from "../../src/kernel/private-node-skip.ts";
import { openKernel } from "../../src/kernel/rtnetlink-kernel.ts";

const repository = join(import.meta.dirname, "../..");
const entry = join(repository, "src/cli/patchbay.js");

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `patchbay conformance` in a network namespace of its own. */
async function runInNode(
  work: (run: (args: readonly string[]) => Promise<Ended>, folder: string) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "pb-conformance-"));
  const netns = "/run/netns/conformance-cli" as NetnsPath;
  await using kernel = await openKernel();
  await kernel.createNetns(netns);
  const env = { ...process.env, NODE_COMPILE_CACHE: join(repository, "build/test/cache") };
  delete (env as NodeJS.ProcessEnv)["NODE_TEST_CONTEXT"];
  const run = (args: readonly string[]) =>
    new Promise<Ended>((resolve) => {
      const command = [`--net=${netns}`, "--", process.execPath, entry, "conformance", ...args];
      execFile("nsenter", command, { cwd: repository, env, timeout: 60_000 }, (error, ...texts) => {
        const [stdout, stderr] = texts;
        resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr });
      });
    });
  try {
    await work(run, folder);
  } finally {
    await kernel.deleteNetns(netns);
    rmSync(folder, { recursive: true, force: true });
  }
}

function startOf(socket: string): string[] {
  const script = join(import.meta.dirname, "serve-built-in.ts");
  const args = [script, "routed", "--socket", socket].flatMap((word) => ["--start-arg", word]);
  return ["--socket", socket, "--start", process.execPath, ...args];
}

test(
  "patchbay conformance prints a line a rule, writes JSON and leaves no namespace",
  { skip: privateNodeSkip },
  () =>
    runInNode(async (run, folder) => {
      const socket = join(folder, "p.sock");
      const json = join(folder, "results.json");
      const only = ["--only", "detach-node", "--only", "repair-route"];
      const { code, stdout, stderr } = await run([...startOf(socket), ...only, "--json", json]);
      assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
      assert.match(stdout, /^pass {2}detach-node +\d+ ms {2}Detach leaves the node as it was/m);
      assert.match(stdout, /^routed 1\.0\.0: \d+ rules, \d+ passed, 0 failed, 0 skipped$/m);
      const written = JSON.parse(readFileSync(json, "utf8")) as {
        readonly failed: number;
        readonly results: readonly RuleResult[];
      };
      assert.equal(written.failed, 0);
      assert.deepEqual(
        written.results.map(({ id }) => id).filter((id) => only.includes(id)),
        ["detach-node", "repair-route"],
      );
      assert.deepEqual(
        readdirSync("/run/netns").filter((name) => name.startsWith("pbconform")),
        [],
      );
    }),
);

test(
  "patchbay conformance ends with 1 where a rule fails, and says what was found",
  { skip: privateNodeSkip },
  () =>
    runInNode(async (run, folder) => {
      // It has no keys, and so none that is wrong.
      const wrong = ["--invalid-config", '{"colour":"red"}', "--only", "config-status"];
      const { code, stdout } = await run([...startOf(join(folder, "p.sock")), ...wrong]);
      assert.match(
        stdout,
        /^FAIL {2}config-status +\d+ ms {2}Attach: expected a failure, found success$/m,
      );
      assert.match(stdout, /^ {6}the rule: A configuration that cannot work is refused/m);
      assert.equal(code, 1);
    }),
);

test(
  "patchbay conformance ends with 3 where nobody listens or the plugin does not start",
  { skip: privateNodeSkip },
  () =>
    runInNode(async (run, folder) => {
      const socket = join(folder, "p.sock");
      const [absent, dying] = await Promise.all([
        run(["--socket", socket]),
        run([
          "--socket",
          socket,
          "--start",
          "sh",
          "--start-arg=-c",
          "--start-arg",
          "echo no >&2; exit 7",
        ]),
      ]);
      assert.match(absent.stderr, /Cannot test the plugin: Nobody serves .*p\.sock/);
      assert.match(dying.stderr, /The plugin ended \(7\) before it served .*p\.sock: no$/m);
      assert.deepEqual([absent.code, dying.code], [3, 3]);
    }),
);
