import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { getPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { setTimeout } from "node:timers/promises";

const entry = join(import.meta.dirname, "patchbay.js");

describe("patchbay.js", () => {
  it("runs the pinned Node, whatever Node runs it", () => {
    const { PATH, ...env } = process.env;
    const outside = (PATH ?? "").split(":").filter((folder) => !folder.includes("node_modules"));
    for (const node of [process.execPath, "node"]) {
      const result = spawnSync(node, [entry, "version", "--json", "--root", "/nowhere"], {
        env: { ...env, PATH: outside.join(":") },
        encoding: "utf8",
      });
      assert.equal(result.status, 0, result.stderr);
      assert.equal(result.stderr, "");
      assert.equal(JSON.parse(result.stdout).node, process.version);
    }
  });

  it("passes the exit code", () => {
    assert.equal(spawnSync(process.execPath, [entry, "bogus"]).status, 2);
  });

  it("says in one line that its output cannot be written", (t) => {
    const full = openSync("/dev/full", "w");
    t.after(() => closeSync(full));
    const { status, stderr } = spawnSync(
      process.execPath,
      [entry, "version", "--root", "/nowhere"],
      { stdio: ["ignore", full, "pipe"], encoding: "utf8" },
    );
    assert.equal(status, 1);
    assert.match(stderr, /^patchbay: Cannot write to standard output: .*ENOSPC.*\n$/);
  });

  it("runs the host as one process with its flags, until SIGTERM", async (t) => {
    const root = mkdtempSync(join(tmpdir(), "patchbay-entry-"));
    const { npm_command: _npm, ...env } = process.env;
    const args = ["--root", root, "--log-level", "warn", "--metrics-port", "off"];
    const child = spawn(process.execPath, [entry, "host", ...args], { env, stdio: "inherit" });
    t.after(() => {
      child.kill("SIGKILL");
      rmSync(root, { recursive: true, force: true });
    });
    const socket = join(root, "run/patchbay/host.sock");
    const deadlineMs = Date.now() + 20_000;
    for (;;) {
      const { status } = spawnSync(process.execPath, [entry, "status", "--root", root]);
      if (status === 0) break;
      assert.equal(child.exitCode, null, "the host ended");
      assert.ok(Date.now() < deadlineMs, "the host is not ready");
      await setTimeout(50);
    }
    assert.match(readFileSync(`/proc/${child.pid}/cmdline`, "utf8"), /--max-old-space-size=/);
    const lower = spawnSync("nice", ["-n", "-1", "nice"], { encoding: "utf8" });
    const mayRaise = Number(lower.stdout) < getPriority();
    assert.equal(getPriority(child.pid), mayRaise ? -10 : getPriority());

    const second = spawnSync(process.execPath, [entry, "host", ...args], { encoding: "utf8" });
    assert.equal(second.status, 1);
    assert.match(second.stderr, /^patchbay: Cannot run the plugin host below .*another host runs/m);

    child.kill("SIGTERM");
    assert.deepEqual(await once(child, "exit"), [0, null]);
    assert.equal(existsSync(socket), false);
  });

  it("ends a host that was started through npx's shell when that shell ends", async (t) => {
    const root = mkdtempSync(join(tmpdir(), "patchbay-entry-"));
    t.after(() => rmSync(root, { recursive: true, force: true }));
    const args = ["host", "--root", root, "--log-level", "warn", "--metrics-port", "off"];
    const script = `"${process.execPath}" "${entry}" ${args.join(" ")}; true`;
    const shell = spawn("sh", ["-c", script], {
      env: { ...process.env, npm_command: "exec" },
      stdio: "inherit",
    });
    const socket = join(root, "run/patchbay/host.sock");
    await waitUntil(() => existsSync(socket));
    shell.kill("SIGTERM");
    await waitUntil(() => !existsSync(socket));
  });
});

async function waitUntil(condition: () => boolean): Promise<void> {
  const deadlineMs = Date.now() + 20_000;
  while (!condition()) {
    assert.ok(Date.now() < deadlineMs, `not in time: ${condition.toString()}`);
    await setTimeout(20);
  }
}
