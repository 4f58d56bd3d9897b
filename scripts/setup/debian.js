import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { acquireLock } from "./lock.js";
import { findOutput, machineEnvironment, run, SetupError, say } from "./step.js";

/**
 * Debian packages, each with what shows that it, or something as good, is there: a command, or
 * one of several files. Looked at instead of the package, because the machine may have it from
 * elsewhere (Docker's containerd.io, which Debian's would replace), and because it needs no program.
 */
export const debianPackages = [
  { name: "libatomic1", files: libraries("libatomic.so.1"), purpose: "the pinned Node" },
  { name: "libstdc++6", files: libraries("libstdc++.so.6"), purpose: "the pinned Node" },
  { name: "util-linux", command: "unshare", purpose: "demo, tests and bench" },
  { name: "iproute2", command: "ip", purpose: "demo, tests and bench" },
  { name: "iputils-ping", command: "ping", purpose: "demo and e2e tests" },
  { name: "nftables", command: "nft", purpose: "masquerading" },
  { name: "gcc", command: "gcc", purpose: "building the shim" },
  { name: "libc6-dev", files: ["/usr/include/stdlib.h"], purpose: "building the shim" },
  { name: "ca-certificates", files: certificates(), purpose: "building the shim" },
  { name: "make", command: "make", purpose: "the bench's driver", optional: true },
  { name: "containernetworking-plugins", files: cniPlugins(), purpose: "peers", optional: true },
  { name: "containerd", command: "containerd", purpose: "e2e tests with CRI", optional: true },
  { name: "runc", command: "runc", purpose: "e2e tests with CRI", optional: true },
];

/** Names of the packages whose commands or files are not there. Runs no program. */
export function findMissingPackages() {
  return debianPackages.filter((entry) => !isThere(entry)).map((entry) => entry.name);
}

/**
 * Installs what is missing. Where it cannot (not root, not Debian), says what is missing and what
 * will not work. Returns the names that stay missing.
 */
export function installPackages() {
  const missing = debianPackages.filter((entry) => !isThere(entry));
  if (missing.length === 0) return [];
  const obstacle = findObstacle();
  if (obstacle) {
    for (const { name, purpose } of missing) say(`Missing ${name}, needed for: ${purpose}`);
    say(`${obstacle}; to have them: apt-get install ${missing.map(({ name }) => name).join(" ")}`);
    return missing.map(({ name }) => name);
  }
  const needed = missing.filter((entry) => !entry.optional).map((entry) => entry.name);
  const optional = missing.filter((entry) => entry.optional).map((entry) => entry.name);
  if (needed.length > 0) aptInstall(needed);
  try {
    if (optional.length > 0) aptInstall(optional);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(
      `Going on without ${optional.join(" ")}: tests that need them are skipped.\n${error.message}`,
    );
  }
  return findMissingPackages();
}

/** Why packages cannot be installed here; undefined when they can. */
export function findObstacle() {
  if (process.getuid?.() !== 0) return "Not root";
  const text = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  if (!/^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(text)) return "Neither Debian nor Ubuntu";
  return undefined;
}

let listsUpdated = false;

/** Installs packages. Throws SetupError when apt-get fails. */
export function aptInstall(names) {
  const release = acquireLock("/run/patchbay-setup.lock", "this machine's packages");
  try {
    updateLists();
    say(`Installing Debian packages: ${names.join(" ")}`);
    // --no-remove: nothing of the machine's own may go for this.
    const flags = ["--yes", "--no-install-recommends", "--no-remove"];
    run("apt-get", ["install", ...aptWait, ...flags, ...names], {
      env: aptEnvironment(),
      remedy: `look at the message above, or install by hand: ${names.join(" ")}`,
    });
  } finally {
    release();
  }
}

/** Version that apt-get would install, for example "1.85.0"; undefined when it knows none. */
export function findCandidate(name) {
  updateLists();
  const text = findOutput("apt-cache", ["policy", name], { env: aptEnvironment() }) ?? "";
  return /^\s*Candidate:\s*(?:\d+:)?(\d[\d.]*)/m.exec(text)?.[1];
}

function updateLists() {
  if (listsUpdated) return;
  say("Updating Debian's package lists (apt-get update)");
  run("apt-get", ["update", ...aptWait], {
    env: aptEnvironment(),
    remedy: "check the network and /etc/apt/sources.list, then run this again",
  });
  listsUpdated = true;
}

const aptWait = ["-o", "DPkg::Lock::Timeout=300"];

function aptEnvironment() {
  // SYSTEMD_OFFLINE: containerd is wanted as a program; its service is not started.
  return { ...machineEnvironment(), DEBIAN_FRONTEND: "noninteractive", SYSTEMD_OFFLINE: "1" };
}

function isThere(entry) {
  if (entry.files) return entry.files.some((file) => existsSync(file));
  const path = machineEnvironment().PATH.split(delimiter);
  return path.some((folder) => isExecutable(join(folder, entry.command)));
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function libraries(name) {
  const folders = ["x86_64-linux-gnu", "aarch64-linux-gnu", "arm-linux-gnueabihf"];
  const roots = folders.flatMap((folder) => [`/usr/lib/${folder}`, `/lib/${folder}`]);
  return [...roots, "/usr/lib", "/usr/lib64", "/lib"].map((folder) => join(folder, name));
}

function certificates() {
  return ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];
}

function cniPlugins() {
  return ["/usr/lib/cni/host-local", "/opt/cni/bin/host-local", "/usr/libexec/cni/host-local"];
}
