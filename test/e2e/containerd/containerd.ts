import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  accessSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { findCgroups, listFolders, removeCgroups, removeStaleCgroups } from "../../cgroups.ts";
import { until } from "../harness.ts";
import { type CriClient, connectCri, type SandboxConfig } from "./cri.ts";
import { PAUSE_IMAGE, writePauseImage } from "./pause-image.ts";

const run = promisify(execFile);

const READY_LIMIT_MS = 30_000;
const CALL_LIMIT_MS = 60_000;
const EXIT_LIMIT_MS = 10_000;
/** Cgroups of runs that were killed are removed when they are this old. */
const STALE_CGROUP_MS = 3_600_000;

/** Programs and where Debian has them; nothing here works without one of them. */
const programs = {
  containerd: "containerd",
  ctr: "containerd",
  "containerd-shim-runc-v2": "containerd",
  runc: "runc",
  nsenter: "util-linux",
  cc: "gcc libc6-dev",
};
/** containerd asks this program for the loopback link of every pod. Debian's place first. */
const loopbacks = ["/usr/lib/cni/loopback", "/opt/cni/bin/loopback"];
const cgroupPrefix = "patchbay-e2e-";

/** Why containerd cannot run here; undefined when it can. */
export function findContainerdSkipReason(): string | undefined {
  if (process.getuid?.() !== 0) return "needs root";
  const namespace = readFileSync("/proc/self/uid_map", "utf8").trim().split(/\s+/);
  if (namespace[2] !== "4294967295") return "needs root outside a user namespace, for cgroups";
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const missing = Object.entries(programs).filter(
    ([name]) => !folders.some((folder) => isExecutable(join(folder, name))),
  );
  if (!findLoopback()) missing.push(["CNI's loopback", "containernetworking-plugins"]);
  if (missing.length === 0) return undefined;
  const names = missing.map(([name]) => name).join(", ");
  return `${names} missing: apt-get install ${missing.map(([, name]) => name).join(" ")}`;
}

function findLoopback(): string | undefined {
  return loopbacks.find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * A containerd of one's own: configuration, state, images, sockets and the pods' cgroups are apart
 * from the machine's. Disposing of it ends it and its pods and removes all of that.
 */
export class Containerd implements AsyncDisposable {
  /** Where it looks for CNI programs and conflists: for `patchbay install`. */
  readonly cniBinDir: string;
  readonly cniConfDir: string;
  readonly #folder: string;
  readonly #netns: string;
  readonly #logLevel: string;
  readonly #cgroup = `${cgroupPrefix}${randomBytes(6).toString("hex")}`;
  #child: ChildProcess | undefined;
  #cri: CriClient | undefined;
  #podCount = 0;

  private constructor(folder: string, netns: string, logLevel: string) {
    this.#folder = folder;
    this.#netns = netns;
    this.#logLevel = logLevel;
    this.cniBinDir = join(folder, "bin");
    this.cniConfDir = join(folder, "net.d");
  }

  /** Prepares a containerd that will run in a network namespace; start() starts it. */
  static async prepare(
    netns: string,
    { logLevel = "info" }: { readonly logLevel?: "info" | "trace" } = {},
  ): Promise<Containerd> {
    removeStaleCgroups(cgroupPrefix, { staleMs: STALE_CGROUP_MS });
    // Below /run: in a private node that is memory, and gone with the node. Short, for sun_path.
    const containerd = new Containerd(await mkdtemp("/run/cd-"), netns, logLevel);
    mkdirSync(containerd.cniBinDir);
    mkdirSync(containerd.cniConfDir);
    copyFileSync(findLoopback() ?? "", join(containerd.cniBinDir, "loopback"));
    writeFileSync(containerd.#path("config.toml"), containerd.#config());
    return containerd;
  }

  /** Where it serves the CRI. */
  get socket(): string {
    return this.#path("cd.sock");
  }

  get cri(): CriClient {
    if (!this.#cri) throw new Error("containerd does not run: call start() first");
    return this.#cri;
  }

  /** Starts it, the first time with the pause image, and resolves when pods can be run. */
  async start(): Promise<void> {
    const log = openSync(this.#path("log"), "a");
    const enter = [`--net=${this.#netns}`, "--"];
    const command = ["containerd", "--config", this.#path("config.toml")];
    const env = { ...process.env };
    delete env["NODE_TEST_CONTEXT"];
    const child = spawn("nsenter", [...enter, ...command], { env, stdio: ["ignore", log, log] });
    closeSync(log);
    this.#child = child;
    const cri = connectCri(this.socket, { timeoutMs: CALL_LIMIT_MS });
    this.#cri = cri;
    await until("containerd", READY_LIMIT_MS, async () => {
      if (child.exitCode !== null) throw new Error(`containerd ended:\n${this.log()}`);
      if (!existsSync(this.socket)) return false;
      const unready = await cri.findUnready().catch(() => undefined);
      return unready?.length === 0;
    });
    if (!(await cri.hasImage(PAUSE_IMAGE))) await this.#importPause();
  }

  /** Sends the signal to containerd, not to its pods, and resolves when it is gone. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#cri?.close();
    this.#cri = undefined;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill(signal);
    await exited;
  }

  /** A pod that has not been run yet. */
  newPod(): SandboxConfig {
    const name = `pod-${++this.#podCount}`;
    return {
      metadata: { name, uid: `uid-of-${name}`, namespace: "e2e", attempt: 0 },
      hostname: name,
      log_directory: "",
      linux: { cgroup_parent: `/${this.#cgroup}` },
    };
  }

  /** What is there of pods outside the network: processes, namespaces, mounts, cgroups. */
  findLeftovers(): string[] {
    return [
      ...this.listNetns().map((path) => `network namespace ${path}`),
      ...this.#mounts().map((path) => `mount ${path}`),
      ...this.#podCgroups().map((path) => `cgroup ${path}`),
      ...this.#processes().map(({ pid, command }) => `process ${pid} ${command}`),
    ];
  }

  /** The network namespaces of its pods, also of those that it has forgotten. */
  listNetns(): string[] {
    const folder = this.#path("state/io.containerd.grpc.v1.cri/netns");
    return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  }

  /** What containerd has said. */
  log(): string {
    const file = this.#path("log");
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill("SIGKILL");
    await this.removeLeftovers();
    for (const folder of findCgroups(this.#cgroup)) removeCgroups(folder);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Removes by force what findLeftovers() finds, but for the network namespaces. */
  async removeLeftovers(): Promise<void> {
    for (const { pid } of this.#processes()) killIfThere(pid);
    await until("the end of all pods", EXIT_LIMIT_MS, () => this.#processes().length === 0);
    // Also what is mounted twice, the innermost first.
    for (const path of this.#mounts().reverse()) await run("umount", ["--lazy", path]);
    for (const folder of this.#podCgroups()) removeCgroups(folder);
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }

  #config(): string {
    const cri = '[plugins."io.containerd.grpc.v1.cri"';
    return `version = 2
root = "${this.#path("root")}"
state = "${this.#path("state")}"
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.overlayfs", "io.containerd.internal.v1.restart",
  "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing",
]
[debug]
level = "${this.#logLevel}"
[grpc]
address = "${this.socket}"
[plugins."io.containerd.internal.v1.opt"]
path = "${this.#path("opt")}"
${cri}]
sandbox_image = "${PAUSE_IMAGE}"
# Below the root of CI runners, CAP_SYS_RESOURCE is missing and runc must not ask for -998.
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true
disable_apparmor = true
${cri}.cni]
bin_dir = "${this.cniBinDir}"
conf_dir = "${this.cniConfDir}"
${cri}.containerd]
# Works on every filesystem.
snapshotter = "native"
${cri}.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
${cri}.containerd.runtimes.runc.options]
SystemdCgroup = false
Root = "${this.#path("runc")}"
`;
  }

  async #importPause(): Promise<void> {
    const program = this.#path("pause");
    const image = this.#path("pause.tar");
    await compile(join(import.meta.dirname, "pause.c"), program);
    writePauseImage(image, readFileSync(program));
    const ctr = ["--address", this.socket, "--namespace", "k8s.io", "images", "import"];
    await run("ctr", [...ctr, "--snapshotter", "native", image]);
    // The CRI part hears of new images by an event.
    await until("the pause image", READY_LIMIT_MS, () => this.cri.hasImage(PAUSE_IMAGE));
  }

  /** containerd's children that outlive it: one shim for each pod, and the pods. */
  #processes(): { pid: number; command: string }[] {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid) => {
        try {
          const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
          const mine =
            (command.includes("containerd-shim") && command.includes(this.socket)) ||
            command.includes(`${this.#folder}/`) ||
            readFileSync(`/proc/${pid}/cgroup`, "utf8").includes(`/${this.#cgroup}/`) ||
            readlinkSync(`/proc/${pid}/exe`).startsWith(`${this.#folder}/`);
          return mine && Number(pid) !== this.#child?.pid ? [{ pid: Number(pid), command }] : [];
        } catch {
          // It ended while we looked.
          return [];
        }
      });
  }

  #podCgroups(): string[] {
    return findCgroups(this.#cgroup).flatMap(listFolders);
  }

  /** In the order in which they were made. The namespaces of pods are mounts, too, and not meant. */
  #mounts(): string[] {
    return readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .map((line) => line.split(" ")[4] ?? "")
      .filter((path) => path.startsWith(`${this.#folder}/`))
      .filter((path) => !this.listNetns().includes(path));
  }
}

/** Compiles one of the C programs of this folder, static. */
export async function compile(source: string, program: string): Promise<void> {
  await run("cc", ["-O1", "-Wall", "-static", "-o", program, source]);
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
