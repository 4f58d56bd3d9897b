#!/usr/bin/env node
// The program's entry: runs on whatever Node the machine has (20 or later), sets a fresh checkout
// up, and hands over to the pinned Node, which runs the sources as JavaScript (build.js).
import { spawn, spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, mkdirSync, realpathSync } from "node:fs";
import { constants as osConstants, homedir, setPriority } from "node:os";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureBuilt, isPublished } from "./build.js";

/**
 * Flags of Node by command. The host runs for months beside pods: a small young generation keeps it
 * small. 30,000 Services with 90,000 endpoints live in 250 MB of the old one; a limit below what a node
 * needs would kill the host.
 */
const nodeFlags = {
  host: ["--max-old-space-size=1024", "--max-semi-space-size=2"],
  // A quarter less time until 10,000 Services are read, for 6 MB.
  hostWithManifests: ["--max-old-space-size=1024", "--max-semi-space-size=8"],
};

/**
 * Of the host, as nice(1) counts. When a node starts fifty pods at once, some thirty processes of the
 * runtime want its CPUs, and every pod waits for this one process: with an equal share of them each ADD
 * takes seconds, of which it works for some milliseconds. (docs/performance.md, a real Kubernetes)
 */
const HOST_PRIORITY = -10;

const here = dirname(realpathSync(fileURLToPath(import.meta.url)));
const repository = join(here, "../..");
/** Of a published package, which brings no Node of its own. */
const oldestNode = 26;
const pinnedNode = isPublished(repository)
  ? findNode()
  : join(repository, "node_modules/node/bin/node");
const args = process.argv.slice(2);

ensureSetUp();
const flags = nodeFlags[commandOf(args)] ?? [];
if (isPinned(flags)) {
  const { main } = await import(ensureBuilt(repository));
  // At once: a stream that nobody reads any more would keep the process.
  process.exit(await main(args));
} else {
  handOver([...flags, join(here, "patchbay.js"), ...args]);
}

function commandOf(words) {
  const command = words.find((word) => !word.startsWith("-"));
  const hasManifests = words.some((word) => /^--manifests(=|$)/.test(word));
  return command === "host" && hasManifests ? "hostWithManifests" : command;
}

/** The Node that was installed beside the package (npm install node), else the one that runs this. */
function findNode() {
  try {
    const manifest = createRequire(join(repository, "package.json")).resolve("node/package.json");
    const installed = join(dirname(manifest), "bin/node");
    if (existsSync(installed)) return installed;
  } catch {
    // None was installed.
  }
  if (Number.parseInt(process.versions.node, 10) >= oldestNode) return process.execPath;
  return fail(
    `Node ${oldestNode} is needed, this is ${process.versions.node}: npm install node@${oldestNode}`,
  );
}

function ensureSetUp() {
  if (existsSync(pinnedNode)) return;
  const setUp = join(repository, "scripts/setup.js");
  // On standard error, so that --json stays JSON.
  const result = spawnSync(process.execPath, [setUp], { stdio: ["ignore", 2, 2] });
  if (result.status !== 0) fail(`Cannot set up ${repository}: see above`);
}

/** True when this process already is what handOver() would start. */
function isPinned(wanted) {
  // Set by handOver(): whatever the paths look like, never hand over twice.
  if (process.env.PATCHBAY_HANDED_OVER === String(process.pid)) return true;
  if (process.env.PATCHBAY_HANDED_OVER === String(process.ppid)) return true;
  return realpathSync(process.execPath) === realpathSync(pinnedNode) && wanted.length === 0;
}

function handOver(nodeArgs) {
  if (commandOf(args)?.startsWith("host")) raisePriority();
  const env = { ...process.env, PATCHBAY_HANDED_OVER: String(process.pid) };
  const cache = findCacheFolder();
  if (cache && env.NODE_COMPILE_CACHE === undefined) env.NODE_COMPILE_CACHE = cache;
  // One malloc arena for all threads instead of one each: 3 MB less, and nothing slower.
  env.MALLOC_ARENA_MAX ??= "1";
  // One process, with the number that the caller knows. Node 20 has no execve.
  if (process.execve) {
    silenceExecveWarning();
    const argv = [...prefixUnderNpm(), pinnedNode, ...nodeArgs];
    process.execve(argv[0], argv, env);
  }
  const child = spawn(pinnedNode, nodeArgs, { env, stdio: "inherit" });
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR2"]) {
    process.on(signal, () => {
      // A terminal sends these two to the whole group: the child has it already.
      if (process.stdin.isTTY && (signal === "SIGINT" || signal === "SIGQUIT")) return;
      child.kill(signal);
    });
  }
  if (isUnderNpm()) endWithParent(child);
  child.on("error", (error) => fail(`Cannot run ${pinnedNode}: ${error.message}`));
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? 128 + (osConstants.signals[signal] ?? 0);
  });
}

/** For all threads of what comes: execve keeps it. */
function raisePriority() {
  try {
    setPriority(HOST_PRIORITY);
  } catch {
    // Not allowed to (CAP_SYS_NICE): it runs as it was started.
  }
}

// npm runs programs through a shell, ends that on SIGTERM, and the shell tells nobody: without more,
// `npx patchbay host & kill $!` would leave the host behind.
function isUnderNpm() {
  return process.env.npm_command !== undefined;
}

/** Makes the kernel send SIGTERM when the parent ends (PR_SET_PDEATHSIG, by util-linux). */
function prefixUnderNpm() {
  const setpriv = "/usr/bin/setpriv";
  return isUnderNpm() && existsSync(setpriv) ? [setpriv, "--pdeathsig", "TERM", "--"] : [];
}

/** The same where this process stays: it looks whether its parent is another. */
function endWithParent(child) {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid !== parent) child.kill("SIGTERM");
  }, 200);
  timer.unref();
}

/** Where compiled code is kept from one start to the next: a start takes half the time. */
function findCacheFolder() {
  for (const folder of [
    join(repository, "build/compile-cache"),
    join(homedir(), ".cache/patchbay"),
  ]) {
    try {
      mkdirSync(folder, { recursive: true });
      accessSync(folder, constants.W_OK);
      return folder;
    } catch {
      // Not ours to write: the next one, or none.
    }
  }
  return undefined;
}

function silenceExecveWarning() {
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = (warning, ...rest) => {
    if (!String(warning).includes("execve")) emitWarning(warning, ...rest);
  };
}

function fail(message) {
  console.error(`patchbay: ${message}`);
  process.exit(1);
}
