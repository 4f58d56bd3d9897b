import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { aptInstall, findCandidate, findObstacle } from "./debian.js";
import { findOutput, machineEnvironment, repository, SetupError, say } from "./step.js";

// What edition 2024 needs, should the manifest say nothing.
const defaultRustVersion = "1.85";

/**
 * Finds a cargo that can build the shim, or installs Debian's. Returns its command, its rustc and
 * the host triple.
 */
export function ensureRust() {
  const wanted = readRustVersion();
  const found = findRust(wanted);
  if (found) return found;
  const obstacle = findObstacle();
  const remedy = `install Rust ${wanted} or later (https://rustup.rs, or Debian's rustc-web and cargo-web)`;
  if (obstacle) {
    throw new SetupError(
      `No cargo of version ${wanted} or later. ${obstacle}. What to do: ${remedy}`,
    );
  }
  const packages = findPackages(wanted);
  if (!packages) throw new SetupError(`apt-get knows no Rust ${wanted}. What to do: ${remedy}`);
  say(`No cargo of version ${wanted} or later on this machine`);
  aptInstall(packages);
  const installed = findRust(wanted);
  if (!installed)
    throw new SetupError(`${packages.join(" and ")} give no Rust ${wanted}. What to do: ${remedy}`);
  return installed;
}

function readRustVersion() {
  const manifest = readFileSync(join(repository, "src/cni-shim/Cargo.toml"), "utf8");
  return /^rust-version\s*=\s*"([\d.]+)"/m.exec(manifest)?.[1] ?? defaultRustVersion;
}

function findRust(wanted) {
  const home = join(homedir(), ".cargo/bin");
  const pairs = [
    ["cargo", "rustc"],
    [join(home, "cargo"), join(home, "rustc")],
    ["/usr/bin/cargo", "/usr/bin/rustc"],
    ...versionedPairs(),
  ];
  for (const [cargo, rustc] of pairs) {
    const env = machineEnvironment();
    const text = findOutput(rustc, ["-vV"], { env });
    const release = /^release: ([\d.]+)/m.exec(text ?? "")?.[1];
    const triple = /^host: (\S+)$/m.exec(text ?? "")?.[1];
    if (!release || !triple || !isAtLeast(release, wanted)) continue;
    if (findOutput(cargo, ["--version"], { env }) !== undefined) return { cargo, rustc, triple };
  }
  return undefined;
}

/** Ubuntu's cargo-1.85 and the like, newest first. */
function versionedPairs() {
  if (!existsSync("/usr/bin")) return [];
  return readdirSync("/usr/bin")
    .map((name) => /^cargo-(\d+\.\d+)$/.exec(name)?.[1])
    .filter((version) => version !== undefined)
    .toSorted((left, right) => (isAtLeast(left, right) ? -1 : 1))
    .map((version) => [`/usr/bin/cargo-${version}`, `/usr/bin/rustc-${version}`]);
}

/** Names of Debian's or Ubuntu's packages of a recent enough Rust. */
function findPackages(wanted) {
  const versions = [wanted, "1.89", "1.88", "1.87", "1.86", "1.85"];
  const numbered = versions.map((version) => [`rustc-${version}`, `cargo-${version}`]);
  const pairs = [["rustc-web", "cargo-web"], ["rustc", "cargo"], ...numbered];
  return pairs.find((names) =>
    names.every((name) => {
      const candidate = findCandidate(name);
      // Cargo of old counted 0.66 for Rust 1.65: rustc's version decides.
      return candidate !== undefined && (name.startsWith("cargo") || isAtLeast(candidate, wanted));
    }),
  );
}

function isAtLeast(version, wanted) {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
  const [wantedMajor = 0, wantedMinor = 0, wantedPatch = 0] = wanted.split(".").map(Number);
  if (major !== wantedMajor) return major > wantedMajor;
  if (minor !== wantedMinor) return minor > wantedMinor;
  return patch >= wantedPatch;
}
