import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { type Binaries, findBinaries } from "../../../scripts/kubernetes-binaries.ts";
import { createCgroups, findCgroups, removeCgroups, removeStaleCgroups } from "../../cgroups.ts";
import { compile } from "../../e2e/containerd/containerd.ts";
import { type CriClient, connectCri } from "../../e2e/containerd/cri.ts";
import { writeProgramImage } from "../../oci-image.ts";
import { ADDRESSES } from "./addresses.ts";
import { ApiClient, type Json } from "./api-client.ts";
import { Certificates, formatKubeconfig } from "./certificates.ts";
import { Daemon } from "./daemon.ts";
import { clearBoot, describeLeftovers, endPods } from "./leftovers.ts";
import { NodeSpace } from "./node-space.ts";
import * as programs from "./programs.ts";
import { APPLY_RIGHTS, CREATE_TOKEN } from "./rights.ts";
import {
  bridgeConflist,
  CNI_BIN_DIR,
  CNI_CONF_DIR,
  containerdConfig,
  CRI_SOCKET,
  kubeletConfig,
  kubeProxyConfig,
  PAUSE_IMAGE,
  PROBE_IMAGE,
} from "./runtime-config.ts";

const runFile = promisify(execFile);
const repository = join(import.meta.dirname, "../../..");
const pinnedNode = join(repository, "node_modules/node/bin/node");
/** `patchbay`, as `npx patchbay` runs it. */
const patchbayCli: readonly string[] = [pinnedNode, join(repository, "src/cli/patchbay.js")];

export const CGROUP_PREFIX = "patchbay-k8s-";
const STALE_CGROUP_MS = 3_600_000;
const START_LIMIT_MS = 60_000;
const COMMAND_LIMIT_MS = 60_000;
const CALL_LIMIT_MS = 30_000;
const POLL_MS = 25;
const logTailLines = 30;

export interface ClusterOptions {
  /** Whose pod network. Default "patchbay". */
  readonly cni?: "patchbay" | "bridge";
  /** Who makes Services work. Default "patchbay", which goes with its cni only. */
  readonly proxy?: "patchbay" | "kube-proxy";
  /** Hears of each step. */
  readonly say?: (line: string) => void;
}

/** The programs of a node, in the order in which they are started. */
const daemonNames = [
  "etcd",
  "containerd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "patchbay",
  "kube-proxy",
  "kubelet",
] as const;
export type DaemonName = (typeof daemonNames)[number];

/**
 * A Kubernetes cluster of one node, of programs that nobody here wrote; this process is another machine
 * on the node's network ("outside"). One at a time, inside a private node. Disposing of it ends it and
 * removes what the private node does not: processes and cgroups.
 */
export class Cluster implements AsyncDisposable {
  readonly api: ApiClient;
  /** Configurations, certificates, logs. */
  readonly folder: string;
  readonly node: NodeSpace;
  readonly cgroup: string;
  readonly #say: (line: string) => void;
  readonly #binaries: Binaries;
  readonly #daemons: ReadonlyMap<DaemonName, Daemon>;
  readonly #certificates: Certificates;
  readonly #options: ClusterOptions;
  #cri: CriClient | undefined;

  private constructor(parts: {
    folder: string;
    cgroup: string;
    certificates: Certificates;
    binaries: Binaries;
    options: ClusterOptions;
  }) {
    this.folder = parts.folder;
    this.cgroup = parts.cgroup;
    this.#binaries = parts.binaries;
    this.#certificates = parts.certificates;
    this.#options = parts.options;
    this.#say = parts.options.say ?? (() => {});
    this.node = new NodeSpace(join(parts.folder, "node"));
    this.api = new ApiClient(parts.certificates);
    this.#daemons = this.#makeDaemons();
  }

  /** Brings a node up and resolves when it is Ready. */
  static async start(options: ClusterOptions = {}): Promise<Cluster> {
    const reason = findSkipReason();
    if (reason) throw new Error(`Cannot run a cluster here: ${reason}`);
    removeStaleCgroups(CGROUP_PREFIX, { staleMs: STALE_CGROUP_MS });
    const folder = mkdtempSync("/run/k8s-");
    const certificates = await Certificates.make(join(folder, "pki"));
    // The one who starts the private node may want to remove it when all here is dead.
    const cgroup =
      process.env["PATCHBAY_LANE_CGROUP"] ?? `${CGROUP_PREFIX}0-${randomBytes(6).toString("hex")}`;
    const parts = { folder, cgroup, certificates, binaries: findBinaries(), options };
    const cluster = new Cluster(parts);
    try {
      await cluster.#prepare();
      await cluster.#bringUp();
      return cluster;
    } catch (error) {
      cluster.#say(cluster.describeLogs());
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** kubeconfig of the administrator. */
  get kubeconfig(): string {
    return this.#certificates.file("admin.kubeconfig");
  }

  get cri(): CriClient {
    this.#cri ??= connectCri(CRI_SOCKET, { timeoutMs: CALL_LIMIT_MS });
    return this.#cri;
  }

  daemon(name: DaemonName): Daemon {
    const found = this.#daemons.get(name);
    if (!found) throw new Error(`This cluster has no ${name}`);
    return found;
  }

  program(name: string): string {
    const found = this.#binaries.get(name);
    if (!found) throw new Error(`There is no program ${name}`);
    return found;
  }

  /** Runs kubectl as the administrator, from outside, and returns what it prints. */
  async kubectl(args: readonly string[], options: { input?: string } = {}): Promise<string> {
    const file = this.program("kubectl");
    const fixed = ["--kubeconfig", this.kubeconfig, "--cache-dir", join(this.folder, "kubectl")];
    const running = runFile(file, [...fixed, ...args], {
      cwd: repository,
      timeout: COMMAND_LIMIT_MS,
      maxBuffer: 64 * 1024 * 1024,
    });
    running.child.stdin?.end(options.input ?? "");
    return (await running).stdout;
  }

  /** kubectl apply of some objects at once. */
  async apply(...objects: readonly object[]): Promise<void> {
    const list = { apiVersion: "v1", kind: "List", items: objects };
    await this.kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], {
      input: JSON.stringify(list),
    });
  }

  /** Runs `patchbay` on the node and returns what it prints. */
  async patchbay(...args: readonly string[]): Promise<string> {
    return await this.node.run([...patchbayCli, ...args]);
  }

  /** Asks until the answer is neither false nor undefined. A question that fails is asked again; the last failure is told. */
  async until<T>(
    what: string,
    limitMs: number,
    ask: () => Promise<T | false | undefined> | T | false | undefined,
  ): Promise<T> {
    const deadlineMs = performance.now() + limitMs;
    let failure: unknown;
    while (performance.now() < deadlineMs) {
      try {
        const answer = await ask();
        failure = undefined;
        if (answer !== false && answer !== undefined) return answer;
      } catch (error) {
        failure = error;
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    throw new Error(`Waited ${limitMs} ms in vain for ${what}`, { cause: failure });
  }

  /** Starts a program that does not run. */
  start(name: DaemonName): void {
    this.daemon(name).start();
  }

  /** Starts whatever does not run and resolves when the API server serves. */
  async startAll(): Promise<void> {
    if (!this.daemon("kube-apiserver").isRunning) this.start("kube-apiserver");
    await this.untilApiServes();
    for (const daemon of this.#daemons.values()) if (!daemon.isRunning) daemon.start();
  }

  /** Ends a program; its pods, if it has any, go on. */
  async kill(name: DaemonName, signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    if (name === "containerd") this.#closeCri();
    await this.daemon(name).kill(signal);
  }

  async untilApiServes(): Promise<void> {
    await this.until("the API server", START_LIMIT_MS, async () => {
      this.#assertRuns("etcd", "kube-apiserver");
      return (await this.api.get("/readyz")) === "ok";
    });
  }

  async untilNodeReady(limitMs = START_LIMIT_MS): Promise<void> {
    const path = `/api/v1/nodes/${ADDRESSES.nodeName}`;
    await this.until("a node that is Ready", limitMs, async () => {
      this.#assertRuns(...this.#daemons.keys());
      const conditions: Json[] = (await this.api.get(path)).status.conditions ?? [];
      return conditions.some(({ type, status }) => type === "Ready" && status === "True");
    });
  }

  /**
   * What a reboot does to the node: every process, namespace, link, mount and all that lay in memory is
   * gone, disks are kept, the boot id is another. Resolves when everything is started again.
   */
  async reboot(): Promise<void> {
    await this.powerOff();
    await this.#boot();
  }

  async powerOff(): Promise<void> {
    this.#closeCri();
    await Promise.all([...this.#daemons.values()].map((daemon) => daemon.kill("SIGKILL")));
    await endPods(this.cgroup);
    await this.node.shutDown();
    await clearBoot(this.cgroup, [this.#data]);
  }

  /** The ends of logs, for a person who looks for the reason of a failure. Default: of all programs. */
  describeLogs(...names: readonly DaemonName[]): string {
    return [...this.#daemons.values()]
      .filter(({ name }) => names.length === 0 || names.includes(name as DaemonName))
      .map((daemon) => {
        const tail = daemon.log().trimEnd().split("\n").slice(-logTailLines);
        return `==> ${daemon.name}\n${tail.map((line) => line.slice(0, 400)).join("\n")}`;
      })
      .join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.powerOff();
    await this.node.remove();
    this.api.close();
    for (const folder of findCgroups(this.cgroup)) removeCgroups(folder);
    const left = describeLeftovers(this.cgroup, [this.#data]);
    if (left.length > 0) throw new Error(`The cluster left behind:\n${left.join("\n")}`);
    rmSync(this.folder, { recursive: true, force: true });
  }

  get #data(): string {
    return join(this.folder, "data");
  }

  get #cni(): "patchbay" | "bridge" {
    return this.#options.cni ?? "patchbay";
  }

  get #proxy(): "patchbay" | "kube-proxy" {
    return this.#options.proxy ?? "patchbay";
  }

  /** What is there before the first boot. */
  async #prepare(): Promise<void> {
    for (const folder of ["logs", "data"]) mkdirSync(join(this.folder, folder));
    this.#write("containerd.toml", containerdConfig(this.#runtimeFolders()));
    const authority = this.#certificates.file("ca.crt");
    this.#write("kubelet.yaml", kubeletConfig({ authority, cgroupRoot: `/${this.cgroup}` }));
    const proxyUser = this.#certificates.file("kube-proxy.kubeconfig");
    this.#write("kube-proxy.json", kubeProxyConfig(proxyUser));
    for (const folder of [CNI_BIN_DIR, CNI_CONF_DIR]) mkdirSync(folder, { recursive: true });
    this.#placePlugin("loopback");
  }

  async #bringUp(): Promise<void> {
    const startedMs = performance.now();
    await this.#boot(async () => {
      await this.#importImages();
      await this.#installNetwork();
    });
    await this.untilNodeReady();
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    this.#say(`node ${ADDRESSES.nodeName} is Ready after ${seconds} s`);
  }

  /** Starts everything on a node where nothing runs. `between`: once the API server and containerd serve. */
  async #boot(between: () => Promise<void> = async () => {}): Promise<void> {
    createCgroups(this.cgroup);
    await this.node.boot();
    for (const name of ["etcd", "containerd", "kube-apiserver"] as const) this.start(name);
    this.#say("started etcd, containerd and the API server");
    await this.until("containerd", START_LIMIT_MS, async () => {
      this.#assertRuns("containerd");
      return existsSync(CRI_SOCKET) && (await this.cri.version()) !== "";
    });
    await this.untilApiServes();
    await between();
    await this.startAll();
    this.#say("started all other programs of the node");
  }

  async #importImages(): Promise<void> {
    const pause = join(this.folder, "pause");
    await compile(join(repository, "test/e2e/containerd/pause.c"), pause);
    const images = [
      { reference: PAUSE_IMAGE, name: "pause", file: pause },
      { reference: PROBE_IMAGE, name: "probe", file: this.program("probe") },
    ];
    for (const { reference, name, file } of images) {
      const archive = join(this.folder, `${name}.tar`);
      writeProgramImage(archive, { reference, name, program: readFileSync(file) });
      const ctr = [this.program("ctr"), "--address", CRI_SOCKET, "--namespace", "k8s.io"];
      await this.node.run([...ctr, "images", "import", archive]);
      rmSync(archive);
      // The CRI part hears of new images by an event.
      await this.until(`image ${reference}`, START_LIMIT_MS, () => this.cri.hasImage(reference));
    }
    this.#say("imported the images");
  }

  /** By the commands of docs/kubernetes.md. */
  async #installNetwork(): Promise<void> {
    if (this.#cni === "bridge") {
      for (const name of ["bridge", "host-local", "portmap"]) this.#placePlugin(name);
      writeFileSync(
        join(CNI_CONF_DIR, "10-peer.conflist"),
        JSON.stringify(bridgeConflist(), null, 2),
      );
      this.#say("installed the CNI plugins bridge, host-local and portmap");
      return;
    }
    await this.#authorizePatchbay();
    await this.patchbay("install", "--kubernetes");
    this.#say("installed Patchbay's shim and conflist, nothing else");
  }

  /** A ServiceAccount with the rights of deploy/, and a kubeconfig with its token. */
  async #authorizePatchbay(): Promise<void> {
    await this.kubectl(APPLY_RIGHTS);
    const token = await this.kubectl(CREATE_TOKEN);
    writeFileSync(this.#certificates.file("patchbay.token"), token);
    const kubeconfig = formatKubeconfig({
      server: ADDRESSES.apiServer,
      authority: this.#certificates.file("ca.crt"),
      credentials: { tokenFile: this.#certificates.file("patchbay.token") },
    });
    writeFileSync(this.#certificates.file("patchbay.kubeconfig"), kubeconfig);
  }

  #placePlugin(name: string): void {
    copyFileSync(this.program(name), join(CNI_BIN_DIR, name));
  }

  #makeDaemons(): Map<DaemonName, Daemon> {
    const options: programs.ProgramOptions = {
      certificates: this.#certificates,
      folder: this.folder,
      data: this.#data,
      program: (name) => this.program(name),
    };
    const patchbayConfig = this.#certificates.file("patchbay.kubeconfig");
    const argv: Record<DaemonName, readonly string[] | undefined> = {
      etcd: programs.etcd(options),
      containerd: programs.containerd(options),
      "kube-apiserver": programs.apiServer(options),
      "kube-controller-manager": programs.controllerManager(options),
      "kube-scheduler": programs.scheduler(options),
      patchbay:
        this.#cni === "patchbay" ? programs.patchbayHost(patchbayCli, patchbayConfig) : undefined,
      "kube-proxy": this.#proxy === "kube-proxy" ? programs.kubeProxy(options) : undefined,
      kubelet: programs.kubelet(options),
    };
    const { runc } = this.#runtimeFolders();
    const folders = [dirname(runc), dirname(this.program("containerd")), process.env["PATH"]];
    return new Map(
      daemonNames.flatMap((name): [DaemonName, Daemon][] => {
        const command = argv[name];
        if (!command) return [];
        const daemon = new Daemon({
          name,
          argv: command,
          netns: () => this.node.netns,
          logFile: join(this.folder, "logs", `${name}.log`),
          env: { PATH: folders.join(":") },
        });
        return [[name, daemon]];
      }),
    );
  }

  #runtimeFolders(): { root: string; runc: string } {
    return { root: join(this.#data, "containerd"), runc: this.program("runc") };
  }

  #assertRuns(...names: readonly DaemonName[]): void {
    for (const name of names) {
      const daemon = this.daemon(name);
      if (!daemon.isRunning) throw new Error(`${name} ended:\n${daemon.log().slice(-4000)}`);
    }
  }

  #closeCri(): void {
    this.#cri?.close();
    this.#cri = undefined;
  }

  #write(name: string, content: string | object): void {
    const text = typeof content === "string" ? content : JSON.stringify(content, null, 2);
    writeFileSync(join(this.folder, name), text);
  }
}

/** Why no cluster can run here; undefined when one can. */
export function findSkipReason(): string | undefined {
  if (process.env["PATCHBAY_PRIVATE_NODE"] !== "1") {
    return "needs a private node: npm run e2e:kubernetes";
  }
  if (process.getuid?.() !== 0) return "needs root";
  const namespace = readFileSync("/proc/self/uid_map", "utf8").trim().split(/\s+/);
  if (namespace[2] !== "4294967295") return "needs root outside a user namespace, for cgroups";
  return undefined;
}
