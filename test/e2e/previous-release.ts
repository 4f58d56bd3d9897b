/** The release before this one, from the repository's history, ready to run beside today's. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";

const repository = join(import.meta.dirname, "../..");

/** Tag v0.1.0: one network per pod. */
export const PREVIOUS = {
  version: "0.1.0",
  commit: "eb8d6c05f15f92c2396d641fc6bd810b5528bd41",
} as const;

export interface Release {
  readonly shimFile: string;
  /** src/cli/patchbay.js of that release. */
  readonly cli: string;
}

/** Why it cannot be had; undefined when it can. */
export function findPreviousSkip(): string | undefined {
  const args = ["-C", repository, "cat-file", "-e", `${PREVIOUS.commit}^{commit}`];
  if (spawnSync("git", args, { stdio: "ignore" }).status === 0) return undefined;
  return `this clone has no history back to ${PREVIOUS.commit} (v${PREVIOUS.version}): git fetch --unshallow`;
}

/** Unpacks and builds it below build/, once. Throws with what git, tar or cargo said. */
export function openPreviousRelease(): Release {
  const folder = join(repository, "build/previous", PREVIOUS.commit);
  const shimFile = join(folder, "build/cni/patchbay");
  const cli = join(folder, "src/cli/patchbay.js");
  if (existsSync(shimFile)) return { shimFile, cli };
  const temporary = `${folder}.${process.pid}`;
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary, { recursive: true });
  const archive = execFileSync("git", ["-C", repository, "archive", PREVIOUS.commit], {
    maxBuffer: 1 << 28,
  });
  execFileSync("tar", ["-x", "-C", temporary], { input: archive });
  symlinkSync(join(repository, "node_modules"), join(temporary, "node_modules"));
  buildShim(temporary);
  rmSync(folder, { recursive: true, force: true });
  renameSync(temporary, folder);
  return { shimFile, cli };
}

/** The crates are there already: those of today's shim, which pins the same ones. */
function buildShim(folder: string): void {
  const { cargo, rustc } = JSON.parse(
    readFileSync(join(repository, "build/setup.json"), "utf8"),
  ) as { cargo: string; rustc: string };
  const target = join(repository, "build/previous/target");
  const result = spawnSync(cargo, ["build", "--release", "--locked", "--bin", "patchbay"], {
    cwd: join(folder, "src/cni-shim"),
    env: { ...process.env, RUSTC: rustc, CARGO_TARGET_DIR: target, CARGO_NET_OFFLINE: "true" },
    encoding: "utf8",
  });
  if (result.status !== 0) throw new Error(`cargo build of v${PREVIOUS.version}: ${result.stderr}`);
  mkdirSync(join(folder, "build/cni"), { recursive: true });
  renameSync(join(target, "release/patchbay"), join(folder, "build/cni/patchbay"));
}
