import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { machineEnvironment, repository, SetupError, say } from "./step.js";

const crate = join(repository, "src/cni-shim");
const notSources = new Set(["target", "tests", "fuzz", "README.md"]);

export const shimBinary = join(repository, "build/cni/patchbay");

/** Files that the shim is built from, relative to the checkout, sorted. */
export function shimSources() {
  const protos = join(repository, "proto/patchbay/shim");
  return [...listFiles(crate), ...(existsSync(protos) ? listFiles(protos) : [])]
    .map((name) => relative(repository, name))
    .toSorted();
}

/** Builds the shim and puts it at build/cni/patchbay. */
export function buildShim({ cargo, rustc, triple }) {
  say("Building the shim (cargo build --release)");
  const startedMs = Date.now();
  const flags = ["--release", "--locked", "--target", triple];
  // With --target named, static linking does not apply to build scripts and macros.
  const args = ["build", ...flags, "--bin", "patchbay", "--message-format=json-render-diagnostics"];
  const result = spawnSync(cargo, args, {
    cwd: crate,
    env: { ...machineEnvironment(), RUSTC: rustc },
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (result.status !== 0) {
    const why = result.error?.message ?? `exit code ${result.status ?? result.signal}`;
    const remedy =
      "mend the sources if the compiler complains; else check the network (crates.io) and run this again";
    throw new SetupError(
      `cargo ${args.join(" ")} (in src/cni-shim): ${why}\n${result.stderr ?? ""}\nWhat to do: ${remedy}`,
    );
  }
  install(findExecutable(result.stdout));
  say(
    `Built ${relative(repository, shimBinary)} in ${Math.round((Date.now() - startedMs) / 1000)} s`,
  );
}

/** Cargo says itself where it put the binary: CARGO_TARGET_DIR and its config files move it. */
function findExecutable(stdout) {
  for (const line of stdout.split("\n")) {
    if (!line.includes('"executable":"')) continue;
    const message = JSON.parse(line);
    if (message.target?.name === "patchbay" && message.executable) return message.executable;
  }
  throw new SetupError(
    "cargo build made no binary named patchbay: look at src/cni-shim/Cargo.toml",
  );
}

/** By rename: a shim that runs at this moment keeps its file. */
function install(built) {
  mkdirSync(dirname(shimBinary), { recursive: true });
  const temporary = `${shimBinary}.${process.pid}`;
  copyFileSync(built, temporary);
  renameSync(temporary, shimBinary);
}

function listFiles(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !notSources.has(entry.name))
    .flatMap((entry) => {
      const name = join(folder, entry.name);
      return entry.isDirectory() ? listFiles(name) : [name];
    });
}
