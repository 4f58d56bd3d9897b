/**
 * The programs of the lane with a real Kubernetes: built by Go from the modules that test/kubernetes/modules
 * pins, each module once, into a cache folder of the user's whose name says what it was built from. Needs
 * the network the first time; about 9 minutes on two cores.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { accessSync, constants, existsSync, globSync, mkdirSync, mkdtempSync } from "node:fs";
import { readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { basename, delimiter, dirname, join, relative } from "node:path";
import { aptInstall, findObstacle } from "./setup/debian.js";
import { acquireLock } from "./setup/lock.js";
import { findOutput, machineEnvironment, SetupError } from "./setup/step.js";

const repository = join(import.meta.dirname, "..");
const lane = join(repository, "test/kubernetes");
const BUILD_LIMIT_MS = 20 * 60_000;
const tailLines = 30;
/** Go before 1.21 does not fetch the toolchain that a go.mod asks for. */
const oldestGo: readonly [number, number] = [1, 21];

interface GoModule {
  readonly name: string;
  /** Holds go.mod and go.sum. */
  readonly folder: string;
  /** Import paths of the commands; the last part is the program's name. */
  readonly commands: readonly string[];
  /** Where a program is not called as the last part of its path. */
  readonly program?: string;
  readonly cgo?: boolean;
  readonly flags?: readonly string[];
  /** For the linker, beside -s -w. */
  readonly variables?: Readonly<Record<string, string>>;
}

const kubernetesVersion = "v1.36.3";
const [major = "", minor = ""] = kubernetesVersion.slice(1).split(".");

const modules: readonly GoModule[] = [
  { ...pinned("etcd"), program: "etcd" },
  // Without seccomp's library runc refuses the profile that the runtime gives every container.
  { ...pinned("runc"), cgo: true, flags: ["-tags", "seccomp"] },
  pinned("cni-plugins"),
  {
    ...pinned("containerd"),
    flags: ["-tags", "no_btrfs no_devmapper no_zfs"],
    variables: { "github.com/containerd/containerd/v2/version.Version": "v2.4.2" },
  },
  {
    ...pinned("kubernetes"),
    // Without a version the parts refuse each other.
    variables: {
      "k8s.io/component-base/version.gitVersion": kubernetesVersion,
      "k8s.io/component-base/version.gitMajor": major,
      "k8s.io/component-base/version.gitMinor": minor,
    },
  },
  { name: "probe", folder: join(lane, "images/probe"), commands: ["."], program: "probe" },
];

/** Debian packages that only this lane needs, each with a file that shows that it is there. */
const packages = [
  { name: "pkg-config", file: "/usr/bin/pkg-config" },
  { name: "libseccomp-dev", file: "/usr/include/seccomp.h" },
  { name: "openssl", file: "/usr/bin/openssl" },
];

/** Where each program is, by its name. */
export type Binaries = ReadonlyMap<string, string>;

/**
 * Builds what is not in the cache and returns all programs. Says what it does, for each module. Throws
 * SetupError where there is no Go, a package is missing and cannot be installed, or a build fails.
 */
export async function ensureBinaries(say: (line: string) => void): Promise<Binaries> {
  const missing = modules.filter((module) => !isBuilt(module));
  if (missing.length > 0) {
    mkdirSync(cacheFolder(), { recursive: true });
    const release = acquireLock(join(cacheFolder(), "lock"), "the Kubernetes programs");
    try {
      ensurePackages(say);
      const go = findGo();
      // Another run may have built some while this one waited.
      for (const module of missing) if (!isBuilt(module)) await build(go, module, say);
    } finally {
      release();
    }
  }
  return findBinaries();
}

/** All programs as they are in the cache. Throws SetupError where one is not built. */
export function findBinaries(): Binaries {
  const unbuilt = modules.filter((module) => !isBuilt(module)).map(({ name }) => name);
  if (unbuilt.length > 0) {
    throw new SetupError(
      `Not built: ${unbuilt.join(", ")}: node_modules/.bin/node scripts/kubernetes-binaries.ts`,
    );
  }
  return new Map(
    modules.flatMap((module) =>
      programsOf(module).map((name): [string, string] => [name, join(targetOf(module), name)]),
    ),
  );
}

function pinned(name: string): GoModule {
  const folder = join(lane, "modules", name);
  const text = readFileSync(join(folder, "tools.go"), "utf8");
  const commands = [...text.matchAll(/^\s*_ "(.+)"$/gm)].map(([, path]) => path ?? "");
  return { name, folder, commands };
}

function programsOf({ program, commands }: GoModule): string[] {
  return program ? [program] : commands.map((path) => basename(path));
}

function cacheFolder(): string {
  const caches = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  return join(caches, "patchbay/kubernetes");
}

/** The name changes with everything that the programs are built from. */
function targetOf(module: GoModule): string {
  const hash = createHash("sha256");
  hash.update(JSON.stringify([process.arch, argumentsOf(module)]));
  for (const file of globSync(join(module.folder, "*")).toSorted()) {
    hash.update(`\0${relative(module.folder, file)}\0`).update(readFileSync(file));
  }
  return join(cacheFolder(), `${module.name}-${hash.digest("hex").slice(0, 16)}`);
}

/** Folders come by rename: what is there is whole. */
function isBuilt(module: GoModule): boolean {
  return existsSync(targetOf(module));
}

async function build(go: string, module: GoModule, say: (line: string) => void): Promise<void> {
  const target = targetOf(module);
  for (const left of globSync(`${target}.*`)) rmSync(left, { recursive: true });
  say(`Building ${module.name}: ${programsOf(module).join(", ")}`);
  const startedMs = performance.now();
  const folder = mkdtempSync(`${target}.`);
  const output = module.program ? join(folder, module.program) : `${folder}/`;
  const args = ["build", "-o", output, ...argumentsOf(module)];
  await runGo(go, args, module);
  renameSync(folder, target);
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  say(`Built ${module.name} in ${seconds} s: ${target}`);
}

function argumentsOf({ flags = [], variables = {}, commands }: GoModule): string[] {
  const set = Object.entries(variables).map(([name, value]) => `-X ${name}=${value}`);
  const common = ["-trimpath", "-buildvcs=false", "-ldflags", ["-s", "-w", ...set].join(" ")];
  return [...common, ...flags, ...commands];
}

async function runGo(go: string, args: readonly string[], module: GoModule): Promise<void> {
  const child = spawn("nice", ["-n", "5", go, ...args], {
    cwd: module.folder,
    env: {
      ...machineEnvironment(),
      CGO_ENABLED: module.cgo ? "1" : "0",
      GOFLAGS: "",
      // An older Go fetches the one that go.mod asks for.
      GOTOOLCHAIN: "auto",
    },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: BUILD_LIMIT_MS,
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => lines.push(text));
  }
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  if (code === 0) return;
  const output = lines.join("").trimEnd().split("\n").slice(-tailLines).join("\n");
  const why = signal ? `ended by ${signal}` : `exit code ${code}`;
  throw new SetupError(
    `go ${args.join(" ")} in ${module.folder}: ${why}\n${output}\nWhat to do: check the network (proxy.golang.org) and the space in ${dirname(targetOf(module))}, then run this again`,
  );
}

/** Throws SetupError where there is no Go that is new enough or fetches one that is. */
function findGo(): string {
  const folders = [...(machineEnvironment().PATH ?? "").split(delimiter), "/usr/local/go/bin"];
  const found = folders.map((folder) => join(folder, "go")).filter(isExecutable);
  for (const file of found) {
    // In a folder without go.mod: it answers for itself, and fetches nothing.
    const text = findOutput(file, ["version"], { env: machineEnvironment(), cwd: "/" });
    const [, major = 0, minor = 0] = (/go(\d+)\.(\d+)/.exec(text ?? "") ?? []).map(Number);
    if (major > oldestGo[0] || (major === oldestGo[0] && minor >= oldestGo[1])) return file;
  }
  const wanted = modules.map(({ folder }) => readFileSync(join(folder, "go.mod"), "utf8"));
  const versions = wanted.map((text) => /^go (\S+)$/m.exec(text)?.[1] ?? "").toSorted();
  throw new SetupError(
    `No Go ${oldestGo.join(".")} or later (which fetches the ${versions.at(-1)} that these modules want)${found.length > 0 ? `; too old: ${found.join(", ")}` : ""}: https://go.dev/dl`,
  );
}

function ensurePackages(say: (line: string) => void): void {
  const missing = packages.filter(({ file }) => !existsSync(file)).map(({ name }) => name);
  if (missing.length === 0) return;
  const obstacle = findObstacle();
  // Elsewhere they may lie in other folders: the build says whether they do.
  if (obstacle) say(`${obstacle}: the build needs ${missing.join(", ")}, or what has their files`);
  else aptInstall(missing);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

if (import.meta.main) {
  try {
    const binaries = await ensureBinaries((line) => console.log(`kubernetes: ${line}`));
    for (const [name, file] of binaries) console.log(`${name.padEnd(24)} ${file}`);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(`kubernetes: ${error.message}`);
    process.exitCode = 1;
  }
}
