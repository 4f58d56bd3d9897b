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
import { dirname, join, relative } from "node:path";
import { sourceKey } from "../src/cli/build.js";
import { acquireLock } from "./setup/lock.js";
import { shimBinary } from "./setup/shim.js";
import { repository, SetupError } from "./setup/step.js";

const manifest = JSON.parse(readFileSync(join(repository, "package.json"), "utf8"));

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
  const key = sourceKey(repository, [
    "package.json",
    "tsconfig.package.json",
    "scripts/build-package.js",
  ]);
  if (readIfThere(join(dist, keyFile)) === key) return;
  const temporary = mkdtempSync(join(repository, "build/package."));
  try {
    const fresh = join(temporary, "dist");
    const compiler = join(repository, "node_modules/.bin/tsc");
    const args = ["-p", join(repository, "tsconfig.package.json"), "--outDir", fresh];
    // npm's standard output may be JSON.
    const { status } = spawnSync(compiler, args, { cwd: repository, stdio: ["ignore", 2, 2] });
    if (status !== 0) throw new SetupError("The compiler refused the sources: see above");
    keepPublicDeclarations(fresh);
    removeEmptyModules(fresh);
    writeFileSync(join(fresh, keyFile), key);
    if (existsSync(dist)) renameSync(dist, join(temporary, "old"));
    renameSync(fresh, dist);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

const declarationImport = /((?:from |import\()["'])(\.[^"']*)\.ts(["'])/g;

/**
 * Keeps the declarations that the package's entries lead to. The compiler rewrites "./x.ts" in what it
 * emits, but not there.
 */
function keepPublicDeclarations(folder) {
  const entries = Object.values(manifest.exports).flatMap(({ types }) => types ?? []);
  const waiting = entries.map((file) => join(folder, relative("dist", file)));
  const kept = new Set();
  for (const file of waiting) {
    if (kept.has(file)) continue;
    kept.add(file);
    const text = readFileSync(file, "utf8");
    for (const [, , path] of text.matchAll(declarationImport)) {
      waiting.push(join(dirname(file), `${path}.d.ts`));
    }
    writeFileSync(file, text.replaceAll(declarationImport, "$1$2.js$3"));
  }
  for (const file of listFiles(folder)) {
    if (file.endsWith(".d.ts") && !kept.has(file)) rmSync(file);
  }
}

/** Types of messages: nothing is left of them in JavaScript, and nothing imports them. */
function removeEmptyModules(folder) {
  for (const file of listFiles(join(folder, "src/rpc/generated"))) {
    if (file.endsWith(".js")) rmSync(file);
  }
}

function listFiles(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
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
