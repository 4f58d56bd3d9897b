#!/usr/bin/env node
// Makes dist/, what a published package runs: Node does not strip types below node_modules. Run by
// npm before `npm pack` (prepack). Plain JavaScript: npm runs it with whatever Node it has.
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { sourceKey } from "../src/cli/build.js";
import { acquireLock } from "./setup/lock.js";
import { shimBinary } from "./setup/shim.js";
import { repository, SetupError } from "./setup/step.js";

/** Says of which sources dist/ was made. */
const keyFile = "sources.key";

function main() {
  if (!existsSync(shimBinary)) {
    throw new SetupError(`${shimBinary} is missing: run \`npm run setup\` first`);
  }
  mkdirSync(join(repository, "build"), { recursive: true });
  const release = acquireLock(join(repository, "build/package.lock"), "the package");
  try {
    build();
  } finally {
    release();
  }
}

function build() {
  const dist = join(repository, "dist");
  const key = sourceKey(repository, ["tsconfig.package.json"]);
  if (readIfThere(join(dist, keyFile)) === key) return;
  const temporary = mkdtempSync(join(repository, "build/package."));
  try {
    const fresh = join(temporary, "dist");
    const compiler = join(repository, "node_modules/.bin/tsc");
    const args = ["-p", join(repository, "tsconfig.package.json"), "--outDir", fresh];
    // npm's standard output may be JSON.
    const { status } = spawnSync(compiler, args, { cwd: repository, stdio: ["ignore", 2, 2] });
    if (status !== 0) throw new SetupError("The compiler refused the sources: see above");
    rewriteDeclarations(fresh);
    writeFileSync(join(fresh, keyFile), key);
    if (existsSync(dist)) renameSync(dist, join(temporary, "old"));
    renameSync(fresh, dist);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** The compiler rewrites "./x.ts" in what it emits, but not in declarations. */
function rewriteDeclarations(folder) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.name.endsWith(".d.ts")) continue;
    const file = join(entry.parentPath, entry.name);
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replaceAll(/((?:from |import\()["']\.[^"']*)\.ts(["'])/g, "$1.js$2"));
  }
}

function readIfThere(file) {
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

try {
  main();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`build-package: ${error.message}`);
  process.exitCode = 1;
}
