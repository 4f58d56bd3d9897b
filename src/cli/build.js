// Makes JavaScript of the TypeScript sources before they run. Node runs TypeScript as it is, but its
// type stripper stays in memory: 30 MB in a host that runs for months, and 0.4 s of each start.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** Builds kept: a running host may load a file of its own build late. */
const BUILDS_KEPT = 3;

/**
 * URL of the CLI's main module, built when a source is newer than every build. Where it cannot be
 * built (read-only checkout, no compiler) that of the source itself. In a published package it is
 * built already (scripts/build-package.js).
 */
export function ensureBuilt(repository) {
  if (isPublished(repository)) return pathToFileURL(join(repository, "dist/src/cli/main.js")).href;
  const source = pathToFileURL(join(repository, "src/cli/main.ts")).href;
  const folder = join(repository, "build/dist");
  const built = join(folder, sourceKey(repository));
  if (!existsSync(built) && !build(repository, folder, built)) return source;
  return pathToFileURL(join(built, "src/cli/main.js")).href;
}

/** True for a package that was installed, where there are no sources. */
export function isPublished(repository) {
  return !existsSync(join(repository, "src/cli/main.ts"));
}

function build(repository, folder, built) {
  const compiler = join(repository, "node_modules/.bin/tsc");
  let temporary;
  try {
    mkdirSync(folder, { recursive: true });
    // Not by the process number: in two private nodes it may be the same.
    temporary = mkdtempSync(`${built}.`);
    const args = ["-p", join(repository, "tsconfig.build.json"), "--outDir", temporary];
    const result = spawnSync(compiler, args, { cwd: repository, stdio: ["ignore", "ignore", 2] });
    if (result.status !== 0 || !existsSync(join(temporary, "src/cli/main.js"))) return false;
    removeOldBuilds(folder);
    // Another start may have been quicker: its build is as good.
    if (!existsSync(built)) renameSync(temporary, built);
    return true;
  } catch {
    return existsSync(built);
  } finally {
    if (temporary) rmSync(temporary, { recursive: true, force: true });
  }
}

/** Changes with every file that is added, removed or written. */
export function sourceKey(repository, moreFiles = []) {
  const hash = createHash("sha256");
  for (const name of ["src", "plugins"]) addFolder(hash, join(repository, name));
  for (const name of ["tsconfig.json", "tsconfig.build.json", ...moreFiles])
    addFile(hash, join(repository, name));
  return hash.digest("hex").slice(0, 16);
}

function addFolder(hash, folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      // The shim is Rust, and its target folder is large.
      if (entry.name !== "cni-shim") addFolder(hash, path);
    } else if (entry.name.endsWith(".ts") && !entry.name.endsWith(".test.ts")) {
      addFile(hash, path);
    }
  }
}

function addFile(hash, path) {
  const { mtimeMs, size } = statSync(path);
  hash.update(`${path}\0${mtimeMs}\0${size}\n`);
}

function removeOldBuilds(folder) {
  const builds = readdirSync(folder)
    .map((name) => ({ path: join(folder, name), mtimeMs: statSync(join(folder, name)).mtimeMs }))
    .filter(({ path }) => /^[0-9a-f]{16}$/.test(path.slice(folder.length + 1)))
    .toSorted((left, right) => right.mtimeMs - left.mtimeMs);
  for (const { path } of builds.slice(BUILDS_KEPT - 1)) rmSync(path, { recursive: true });
}
