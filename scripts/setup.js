#!/usr/bin/env node
// Makes a checkout ready to run: npm packages, Debian packages, Rust, the shim. Does only what is
// missing, says what it does, and is silent and quick when there is nothing to do.
// Plain JavaScript: runs on Node 20 with nothing installed.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { debianPackages, findMissingPackages, installPackages } from "./setup/debian.js";
import { buildExamples, findUnbuiltExamples } from "./setup/examples.js";
import { acquireLock } from "./setup/lock.js";
import { checkNode, ensureNpmPackages, npmPackagesMatch } from "./setup/npm.js";
import { ensureRust } from "./setup/rust.js";
import { buildShim, shimBinary, shimSources } from "./setup/shim.js";
import { repository, SetupError, say, setQuiet } from "./setup/step.js";

const usage = `Usage: node scripts/setup.js [--check] [--quiet]

Installs what this checkout needs and builds the shim:
  1. Debian packages that are missing (as root on Debian or Ubuntu; else it says which)
  2. npm packages as in package-lock.json, the pinned Node among them
  3. Rust: the machine's cargo when recent enough, else Debian's
  4. the shim, to build/cni/patchbay
  5. the examples in Go and Python, to build/examples; where they cannot be built, their tests are skipped
A second run does nothing.

  --check  change nothing, say what is missing; exit code 1 when something is
  --quiet  say nothing but errors
  --help   this text`;

const stampFile = join(repository, "build/setup.json");

function main(argv) {
  const unknown = argv.find((word) => !["--check", "--quiet", "--help", "-h"].includes(word));
  if (unknown) {
    console.error(`Unknown argument ${unknown}\n\n${usage}`);
    return 2;
  }
  if (argv.includes("--help") || argv.includes("-h")) {
    console.log(usage);
    return 0;
  }
  setQuiet(argv.includes("--quiet"));
  if (argv.includes("--check")) return check();
  if (findReasons().length > 0) setUp();
  return 0;
}

function check() {
  const reasons = findReasons();
  for (const reason of reasons) say(reason);
  if (reasons.length > 0) say("Run: node scripts/setup.js");
  return reasons.length > 0 ? 1 : 0;
}

function setUp() {
  mkdirSync(join(repository, "build"), { recursive: true });
  const release = acquireLock(join(repository, "build/setup.lock"), "this checkout");
  try {
    // Another set-up may have done it all while this one waited.
    if (findReasons().length === 0) return;
    const startedMs = Date.now();
    // First, because the pinned Node needs libatomic1, and npm's install scripts run it.
    const skipped = installPackages();
    ensureNpmPackages();
    checkNode();
    // What is built is what was hashed before: a source changed meanwhile is built the next time.
    const key = computeKey();
    const rust = ensureRust();
    buildShim(rust);
    writeStamp({ key, skipped, cargo: rust.cargo, rustc: rust.rustc });
    buildExamples();
    say(`Ready after ${Math.round((Date.now() - startedMs) / 1000)} s`);
  } finally {
    release();
  }
}

/** Everything that keeps the checkout from being ready, as sentences. Runs no program. */
function findReasons() {
  const reasons = [];
  const stamp = readStamp();
  const missing = findMissingPackages().filter((name) => !stamp?.skipped.includes(name));
  if (missing.length > 0) reasons.push(`Missing Debian packages: ${missing.join(" ")}`);
  if (!npmPackagesMatch()) reasons.push("node_modules is not as package-lock.json says");
  if (!existsSync(shimBinary)) reasons.push("The shim is not built");
  else if (stamp === undefined) reasons.push("Not set up yet");
  else if (stamp.key !== computeKey()) reasons.push("The shim's sources or the set-up changed");
  const examples = findUnbuiltExamples();
  if (examples.length > 0) reasons.push(`Examples are not built: ${examples.join(" ")}`);
  return reasons;
}

/** Changes with everything that a set-up depends on. */
function computeKey() {
  const hash = createHash("sha256");
  const root = process.getuid?.() === 0;
  hash.update(JSON.stringify({ root, arch: process.arch, packages: debianPackages }));
  for (const name of ["package-lock.json", ...shimSources()]) {
    const content = readFileSync(join(repository, name));
    hash.update(`\0${name}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

function readStamp() {
  try {
    const stamp = JSON.parse(readFileSync(stampFile, "utf8"));
    return { key: String(stamp.key), skipped: [...stamp.skipped] };
  } catch {
    return undefined;
  }
}

function writeStamp(stamp) {
  const temporary = `${stampFile}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(stamp)}\n`);
  renameSync(temporary, stampFile);
}

try {
  process.exitCode = main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`setup: ${error.message}`);
  process.exitCode = 1;
}
