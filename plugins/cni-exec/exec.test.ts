import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ExecError, processExec, STDERR_BYTES_MAX } from "./exec.ts";

const PATH = process.env["PATH"] ?? "/bin:/usr/bin";

class Folder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "pb-exec-"));

  script(text: string, name = "plugin"): string {
    const file = join(this.path, name);
    writeFileSync(file, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    return file;
  }

  run(text: string, options: { limitMs?: number; stdin?: string } = {}) {
    const { limitMs = 20_000, stdin = "" } = options;
    const env = { PATH, CNI_COMMAND: "ADD" };
    return processExec.run({ file: this.script(text), env, stdin, limitMs });
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}

function isGone(pid: number): boolean {
  try {
    // What nobody has waited for yet is dead as well.
    return /^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return true;
  }
}

async function untilGone(pid: number): Promise<void> {
  const deadlineMs = performance.now() + 10_000;
  while (!isGone(pid)) {
    assert.ok(performance.now() < deadlineMs, `process ${pid} is still there`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test("run() hands on input and environment, and answers output and exit code", async () => {
  using folder = new Folder();
  const answer = await folder.run('cat; echo "$CNI_COMMAND $HOME." >&2; exit 3', { stdin: "{}" });
  assert.deepEqual(answer, { exitCode: 3, signal: null, stdout: "{}", stderr: "ADD .\n" });
});

test("run() of a plugin that does not read its input", async () => {
  using folder = new Folder();
  const answer = await folder.run("echo ok", { stdin: "x".repeat(1 << 20) });
  assert.equal(answer.stdout, "ok\n");
});

test("run() of many at once mixes nothing up and leaves no descriptor open", async () => {
  using folder = new Folder();
  const file = folder.script('read -r number; echo "$number"; exit $((number % 7))');
  const descriptors = () => readdirSync("/proc/self/fd").length;
  const runAll = () =>
    Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        processExec.run({ file, env: { PATH }, stdin: `${index}\n`, limitMs: 60_000 }),
      ),
    );
  await runAll();
  const before = descriptors();
  for (const [index, { stdout, exitCode }] of (await runAll()).entries()) {
    assert.deepEqual([stdout, exitCode], [`${index}\n`, index % 7]);
  }
  assert.equal(descriptors(), before);
});

test("run() beside node:child_process: each gets its own ends", async () => {
  using folder = new Folder();
  const file = folder.script("exit 3");
  const order = { file, env: { PATH }, stdin: "", limitMs: 20_000 };
  const own = Promise.all(Array.from({ length: 10 }, () => processExec.run(order)));
  const nodes = Promise.all(
    Array.from({ length: 10 }, async () => once(spawn("sh", ["-c", "exit 4"]), "exit")),
  );
  assert.deepEqual(new Set((await own).map(({ exitCode }) => exitCode)), new Set([3]));
  assert.deepEqual(new Set((await nodes).map(([exitCode]) => exitCode)), new Set([4]));
});

test("run() tells which signal ended it", async () => {
  using folder = new Folder();
  const { exitCode, signal } = await folder.run("kill -9 $$");
  assert.deepEqual([exitCode, signal], [null, "SIGKILL"]);
});

test("run() ends what hangs at its deadline, with everything that it has started", async () => {
  using folder = new Folder();
  const pids = join(folder.path, "pids");
  const text = `trap "" TERM; echo hello >&2; sleep 1000 & echo $$ $! > ${pids}; while :; do sleep 1; done`;
  await assert.rejects(
    folder.run(text, { limitMs: 300 }),
    (error) =>
      error instanceof ExecError &&
      error.kind === "deadline" &&
      /no answer after 300 ms.*hello/.test(error.message),
  );
  for (const pid of readFileSync(pids, "utf8").trim().split(" ")) await untilGone(Number(pid));
});

test("run() ends what writes without end", async () => {
  using folder = new Folder();
  await assert.rejects(
    folder.run("while :; do echo 0123456789012345678901234567890123456789; done"),
    (error) => error instanceof ExecError && error.kind === "output",
  );
});

test("run() keeps the end of standard error", async () => {
  using folder = new Folder();
  const { stderr } = await folder.run(
    "i=0; while [ $i -lt 2000 ]; do echo $i >&2; i=$((i+1)); done",
  );
  assert.equal(stderr.length, STDERR_BYTES_MAX);
  assert.ok(stderr.endsWith("1998\n1999\n"));
});

test("run() does not wait for what a plugin leaves running in the background", async () => {
  using folder = new Folder();
  const pidFile = join(folder.path, "pid");
  const { stdout } = await folder.run(`sleep 1000 & echo $! > ${pidFile}; echo ok`);
  assert.equal(stdout, "ok\n");
  const pid = Number(readFileSync(pidFile, "utf8"));
  assert.equal(isGone(pid), false);
  process.kill(pid, "SIGKILL");
});

test("run() of what is no program says so", async () => {
  using folder = new Folder();
  const text = join(folder.path, "text");
  writeFileSync(text, "echo no program", { mode: 0o755 });
  for (const [file, code] of [
    [join(folder.path, "nothing"), "ENOENT"],
    [folder.path, "EACCES"],
    [text, "ENOEXEC"],
    ["/bin/sh\0", "EINVAL"],
  ] as const) {
    await assert.rejects(
      processExec.run({ file, env: {}, stdin: "", limitMs: 1_000 }),
      (error) =>
        error instanceof ExecError && error.kind === "start" && error.message.endsWith(code),
    );
  }
});

test("run() tries again while somebody writes the file", async () => {
  using folder = new Folder();
  const file = folder.script("", "sh");
  writeFileSync(file, readFileSync("/bin/sh"), { mode: 0o755 });
  const writer = openSync(file, "r+");
  setTimeout(() => closeSync(writer), 50);
  const order = { file, env: { PATH }, stdin: "echo ok", limitMs: 10_000 };
  assert.equal((await processExec.run(order)).stdout, "ok\n");
});
