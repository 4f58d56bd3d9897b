/**
 * What end-to-end tests, the demo and the bench have in common: the real host as a process, the real
 * shim, and nodes - network namespaces in which a host believes to be alone, so that many run
 * side by side. Needs the rights of a private node (scripts/private-node.js).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { formatAddress, formatPrefix } from "../../src/ip/address.ts";
import type { Kernel, NetnsPath } from "../../src/kernel/kernel.ts";
import { openKernel } from "../../src/kernel/rtnetlink-kernel.ts";
import { pathsBelow } from "../../src/plugin-host/paths.ts";
import { connectHost, type HostClient } from "../../src/rpc/client.ts";
import { isServed } from "../../src/rpc/unix-server.ts";

const repository = join(import.meta.dirname, "../..");
const pinnedNode = join(repository, "node_modules/node/bin/node");

/** The shim as `npm run setup` builds it. */
export const shimFile: string = join(repository, "build/cni/patchbay");

/** Why e2e tests cannot run here; undefined when they can. For node:test's `skip`. */
export function findSkipReason(): string | undefined {
  if (process.env["PATCHBAY_PRIVATE_NODE"] !== "1") {
    return "needs a private node: node scripts/private-node.js node --test …";
  }
  if (!existsSync(shimFile)) return `${shimFile} is missing: node scripts/setup.js`;
  return undefined;
}

export interface StartHostOptions {
  /** Folder below which the host has its sockets and its state. */
  readonly root: string;
  /** Network namespace to run in. Absent: that of this process. */
  readonly netns?: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Flags of Node instead of those that the CLI gives a host. */
  readonly nodeFlags?: readonly string[];
  /** More arguments of `patchbay host`. */
  readonly args?: readonly string[];
  /** src/cli/patchbay.js of another release. Absent: today's. */
  readonly cli?: string;
  /** A command in front of node, for example to limit resources; must exec. */
  readonly wrapper?: readonly string[];
}

/** How a process ended. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A running `patchbay host`. Disposing of it kills it. */
export interface HostProcess extends AsyncDisposable {
  readonly root: string;
  readonly pid: number;
  /** Only once ready. */
  readonly client: HostClient;
  readonly exited: Promise<ProcessExit>;
  /** Resolves when calls are served; rejects with the host's log when it ends before. */
  ready(): Promise<void>;
  /** Sends the signal and resolves when the process is gone. */
  kill(signal: NodeJS.Signals): Promise<ProcessExit>;
  /** What the host has written to standard error so far. */
  log(): string;
}

const READY_LIMIT_MS = 30_000;
const CALL_LIMIT_MS = 60_000;

/** Starts a host and resolves when it serves. */
export async function startHost(options: StartHostOptions): Promise<HostProcess> {
  const host = spawnHost(options);
  try {
    await host.ready();
    return host;
  } catch (error) {
    await host[Symbol.asyncDispose]();
    throw error;
  }
}

/** Starts a host and does not wait: for hosts that are meant to die while they start. */
export function spawnHost(options: StartHostOptions): HostProcess {
  const paths = pathsBelow(options.root);
  const child = spawnNode(options);
  const chunks: string[] = [];
  child.stderr?.setEncoding("utf8").on("data", (text: string) => chunks.push(text));
  const log = () => chunks.join("");
  const exited = once(child, "close").then(([code, signal]): ProcessExit => ({ code, signal }));
  let client: HostClient | undefined;
  let hasExited = false;
  void exited.then(() => {
    hasExited = true;
    client?.close();
  });

  const kill = (signal: NodeJS.Signals) => {
    child.kill(signal);
    return exited;
  };
  return {
    root: paths.root,
    get pid() {
      return child.pid ?? 0;
    },
    get client() {
      if (!client) throw new Error("The host was not waited for: call ready() first");
      return client;
    },
    exited,
    async ready() {
      await until(`a host below ${paths.root} that is ready`, READY_LIMIT_MS, async () => {
        if (hasExited) throw new Error(`The host ended before it was ready:\n${log()}`);
        if (!client) {
          if (!(await isServed(paths.hostSocket))) return false;
          client = connectHost(paths.hostSocket, { timeoutMs: CALL_LIMIT_MS });
        }
        const status = await client.getStatus().catch(() => undefined);
        return status?.ready === true;
      });
    },
    kill,
    log,
    async [Symbol.asyncDispose]() {
      if (!hasExited) await kill("SIGKILL");
    },
  };
}

function spawnNode(options: StartHostOptions): ChildProcess {
  const cli = options.cli ?? join(repository, "src/cli/patchbay.js");
  const hostArgs = ["host", "--root", options.root, "--metrics-port", "0", ...(options.args ?? [])];
  const env = { ...process.env, ...options.env };
  // The test runner's own channel is not for its grandchildren.
  delete env["NODE_TEST_CONTEXT"];
  // By this the CLI takes the flags as they are instead of handing over to a Node with its own.
  if (options.nodeFlags) env["PATCHBAY_HANDED_OVER"] = String(process.pid);
  const enter = options.netns ? ["nsenter", `--net=${options.netns}`, "--"] : [];
  const node = [pinnedNode, ...(options.nodeFlags ?? []), cli, ...hostArgs];
  const [file = "", ...args] = [...enter, ...(options.wrapper ?? []), ...node];
  return spawn(file, args, { env, stdio: ["ignore", "ignore", "pipe"] });
}

/** Asks again and again until the answer is neither false nor undefined, and returns it. */
export async function until<T>(
  what: string,
  limitMs: number,
  ask: () => Promise<T | false | undefined> | T | false | undefined,
): Promise<T> {
  const deadlineMs = performance.now() + limitMs;
  while (performance.now() < deadlineMs) {
    const answer = await ask();
    if (answer !== false && answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`Waited ${limitMs} ms in vain for ${what}`);
}

export type CniVerb = "ADD" | "DEL" | "CHECK" | "GC" | "STATUS" | "VERSION";

/** One call of the shim, as a container runtime makes it. Absent variables are not set at all. */
export interface ShimCall {
  /** CNI_COMMAND */
  readonly command?: CniVerb | (string & {});
  readonly containerId?: string;
  readonly netns?: string;
  readonly ifname?: string;
  readonly args?: string;
  /** CNI_PATH, default "/opt/cni/bin". */
  readonly path?: string;
  /** More variables; they win over those above, and undefined unsets. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The shim of another release. Absent: today's. */
  readonly shim?: string;
  /** Standard input: an object, to which `root` is added, or bytes as they are. */
  readonly config?: object | string | Uint8Array;
}

export interface ShimAnswer {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output, parsed; undefined when it is empty or no JSON. */
  readonly json: unknown;
}

/** Executes the real shim against the host below a root. */
export async function execShim(root: string, call: ShimCall): Promise<ShimAnswer> {
  const env: Record<string, string | undefined> = {
    CNI_COMMAND: call.command,
    CNI_CONTAINERID: call.containerId,
    CNI_NETNS: call.netns,
    CNI_IFNAME: call.ifname,
    CNI_ARGS: call.args,
    CNI_PATH: call.path ?? "/opt/cni/bin",
    ...call.env,
  };
  const set = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  const child = spawn(call.shim ?? shimFile, [], {
    env: Object.fromEntries(set),
    stdio: ["pipe", "pipe", "pipe"],
    timeout: CALL_LIMIT_MS,
  });
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output.stderr += text;
  });
  // A shim that knows the answer before it has read everything closes its standard input.
  child.stdin.on("error", () => {});
  child.stdin.end(toInput(root, call.config ?? {}));
  const [exitCode] = (await once(child, "close")) as [number | null];
  return { exitCode, ...output, json: parseOrUndefined(output.stdout) };
}

function toInput(root: string, config: object | string | Uint8Array): string | Uint8Array {
  if (typeof config === "string" || config instanceof Uint8Array) return config;
  return JSON.stringify({ root, ...config });
}

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A network namespace that stands for a pod. */
export interface Pod {
  /** Also its container id. */
  readonly name: string;
  readonly netns: NetnsPath;
}

export interface RunResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program inside a network namespace and waits for its end. */
export async function runInNetns(netns: string, argv: readonly string[]): Promise<RunResult> {
  const child = spawnInNetns(netns, argv);
  const output = { stdout: "", stderr: "" };
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output.stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    output.stderr += text;
  });
  const [exitCode] = (await once(child, "close")) as [number | null];
  return { exitCode, ...output };
}

/** Starts a program inside a network namespace. */
export function spawnInNetns(netns: string, argv: readonly string[]): ChildProcess {
  const env = { ...process.env };
  delete env["NODE_TEST_CONTEXT"];
  return spawn("nsenter", [`--net=${netns}`, "--", ...argv], {
    env,
    stdio: ["pipe", "pipe", "pipe"],
  });
}

/** What a network namespace holds, as sorted lines: equal texts, equal kernels. */
export interface KernelSnapshot {
  readonly links: readonly string[];
  readonly addresses: readonly string[];
  /** Without those that the kernel derives from addresses. */
  readonly routes: readonly string[];
  /** Permanent ones. */
  readonly neighbours: readonly string[];
  /** "inet patchbay_masq_0123456789ab" */
  readonly nftables: readonly string[];
}

/** A node of one's own: a network namespace for the host, a root folder, pods. */
export class TestNode implements AsyncDisposable {
  readonly name: string;
  readonly netns: NetnsPath;
  readonly root: string;
  readonly kernel: Kernel;
  readonly #folder: string;
  readonly #pods = new Set<Pod>();
  readonly #hosts = new Set<HostProcess>();
  #podCount = 0;

  constructor(parts: { name: string; netns: NetnsPath; folder: string; kernel: Kernel }) {
    this.name = parts.name;
    this.netns = parts.netns;
    this.#folder = parts.folder;
    this.root = join(parts.folder, "root");
    this.kernel = parts.kernel;
  }

  async startHost(options: Omit<StartHostOptions, "root" | "netns"> = {}): Promise<HostProcess> {
    const host = this.spawnHost(options);
    await host.ready();
    return host;
  }

  spawnHost(options: Omit<StartHostOptions, "root" | "netns"> = {}): HostProcess {
    const host = spawnHost({ ...options, root: this.root, netns: this.netns });
    this.#hosts.add(host);
    return host;
  }

  execShim(call: ShimCall): Promise<ShimAnswer> {
    return execShim(this.root, call);
  }

  /** Makes the namespace of a pod. */
  async createPod(name = `${this.name}-pod${++this.#podCount}`): Promise<Pod> {
    const pod: Pod = { name, netns: `/run/netns/${name}` as NetnsPath };
    await this.kernel.createNetns(pod.netns);
    this.#pods.add(pod);
    return pod;
  }

  async createPods(count: number): Promise<Pod[]> {
    return Promise.all(Array.from({ length: count }, () => this.createPod()));
  }

  async deletePod(pod: Pod): Promise<void> {
    await this.kernel.deleteNetns(pod.netns);
    this.#pods.delete(pod);
  }

  runInPod(pod: Pod, argv: readonly string[]): Promise<RunResult> {
    return runInNetns(pod.netns, argv);
  }

  /** Runs a program where the host is. */
  run(argv: readonly string[]): Promise<RunResult> {
    return runInNetns(this.netns, argv);
  }

  /** What the node's kernel holds; with a pod: what that pod's namespace holds. */
  async readKernel(netns: NetnsPath = this.netns): Promise<KernelSnapshot> {
    const [links, addresses, routes, neighbours, nft] = await Promise.all([
      this.kernel.links(netns),
      this.kernel.addresses(netns),
      this.kernel.routes(netns),
      this.kernel.neighbours(netns),
      runInNetns(netns, ["nft", "list", "tables"]),
    ]);
    const nameOf = (ifindex: number | undefined) =>
      links.find((link) => link.ifindex === ifindex)?.name ?? "-";
    return {
      links: links
        .map((link) =>
          [
            link.name,
            link.type,
            link.up ? "up" : "down",
            `mtu ${link.mtu}`,
            ...(link.masterIfindex ? [`master ${nameOf(link.masterIfindex)}`] : []),
            ...(link.alias ? [link.alias] : []),
          ].join(" "),
        )
        .sort(),
      addresses: addresses
        .filter((entry) => isStable(formatAddress(entry.address), nameOf(entry.ifindex)))
        .map((entry) => `${nameOf(entry.ifindex)} ${formatPrefix(entry.address)}`)
        .sort(),
      routes: routes
        .filter((route) => route.protocol !== RTPROT_KERNEL)
        .map((route) =>
          [
            formatPrefix(route.destination),
            ...(route.gateway ? [`via ${formatAddress(route.gateway)}`] : []),
            `dev ${nameOf(route.ifindex)} table ${route.table}`,
            ...(route.metric ? [`metric ${route.metric}`] : []),
            ...(route.mtu ? [`mtu ${route.mtu}`] : []),
            ...(route.advmss ? [`advmss ${route.advmss}`] : []),
          ].join(" "),
        )
        .sort(),
      neighbours: neighbours
        .filter((entry) => (entry.state & NUD_PERMANENT) !== 0)
        .map((entry) => `${nameOf(entry.ifindex)} ${formatAddress(entry.address)} ${entry.mac}`)
        .sort(),
      nftables: nft.stdout
        .split("\n")
        .filter((line) => line.startsWith("table "))
        .map((line) => line.slice("table ".length))
        .sort(),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([...this.#hosts].map((host) => host[Symbol.asyncDispose]()));
    await Promise.allSettled([...this.#pods].map((pod) => this.kernel.deleteNetns(pod.netns)));
    await this.kernel.deleteNetns(this.netns).catch(() => {});
    await this.kernel.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Opens a node below /run with nothing on it but a loopback link that is up. */
export async function openNode(): Promise<TestNode> {
  await mkdir("/run/netns", { recursive: true });
  const folder = await mkdtemp("/run/pb-");
  const name = folder.slice("/run/".length);
  const netns = `/run/netns/${name}` as NetnsPath;
  const kernel = await openKernel();
  const node = new TestNode({ name, netns, folder, kernel });
  try {
    await kernel.createNetns(netns);
    await kernel.apply([{ netns, operations: [{ kind: "set-link", name: "lo", up: true }] }]);
    return node;
  } catch (error) {
    await node[Symbol.asyncDispose]();
    throw error;
  }
}

/** linux/neighbour.h */
const NUD_PERMANENT = 0x80;
/** linux/rtnetlink.h */
const RTPROT_KERNEL = 2;

/** The kernel gives bridges link-local addresses when it likes. */
function isStable(address: string, linkName: string): boolean {
  return /^pb[0-9a-f]{13}$/.test(linkName) || !address.startsWith("fe80:");
}
