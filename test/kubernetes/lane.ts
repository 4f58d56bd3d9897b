import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import type { Sandbox } from "../e2e/containerd/cri.ts";
import { ADDRESSES } from "./cluster/addresses.ts";
import type { Json } from "./cluster/api-client.ts";
import type { Cluster } from "./cluster/cluster.ts";
import { pod } from "./objects.ts";

const runFile = promisify(execFile);
export const LIMIT_MS = 60_000;
const DIAL_LIMIT_MS = 10_000;

/** Who asks: a pod, the node itself, another machine. */
export type Place =
  | { readonly kind: "pod"; readonly namespace: string; readonly name: string }
  | { readonly kind: "node" }
  | { readonly kind: "outside" };

export const onNode: Place = { kind: "node" };
export const fromOutside: Place = { kind: "outside" };

/** What a server said. */
export interface Answer {
  /** The server's pod. */
  readonly server: string;
  /** As the server sees it. */
  readonly client: string;
}

/** What `probe load` counted. */
export interface LoadResult {
  readonly connections: number;
  readonly servers: Readonly<Record<string, number>>;
  readonly failures: readonly string[];
}

/** An attachment as `patchbay attachments --json` has it; only what is read here. */
export interface AttachmentRow {
  readonly network: string;
  readonly podNamespace: string;
  readonly podName: string;
  readonly state: string;
  readonly addresses: readonly string[];
  readonly isDefault: boolean;
}

/** A cluster with what the tests ask of it. */
export class Lane {
  readonly cluster: Cluster;
  readonly #loads: Load[] = [];
  #namespaces = 0;

  /** Tells whoever watches what is done now. */
  readonly say: (step: string) => void;

  constructor(cluster: Cluster, say: (step: string) => void) {
    this.cluster = cluster;
    this.say = say;
  }

  /** A namespace in which pods can be made. */
  async createNamespace(word: string): Promise<string> {
    const name = `${word}-${++this.#namespaces}`;
    await this.cluster.api.create("/api/v1/namespaces", { metadata: { name } });
    await this.cluster.until(`the ServiceAccount of ${name}`, LIMIT_MS, async () => {
      return await this.cluster.api.find(`/api/v1/namespaces/${name}/serviceaccounts/default`);
    });
    return name;
  }

  /** Deletes all that runs in it and resolves when it is gone. */
  async emptyNamespace(namespace: string): Promise<void> {
    const kinds = "deployments,replicasets,services,pods";
    const grace = ["--grace-period=1", "--wait=false"];
    await this.cluster.kubectl(["delete", kinds, "--all", "--namespace", namespace, ...grace]);
    await this.cluster.until(`the end of the pods of ${namespace}`, LIMIT_MS, async () => {
      return (await this.pods(namespace)).length === 0;
    });
  }

  async pods(namespace: string, app?: string): Promise<Json[]> {
    const selector = app === undefined ? "" : `?labelSelector=app%3D${app}`;
    return (await this.cluster.api.get(`/api/v1/namespaces/${namespace}/pods${selector}`)).items;
  }

  async pod(namespace: string, name: string): Promise<Json> {
    return await this.cluster.api.get(`/api/v1/namespaces/${namespace}/pods/${name}`);
  }

  async untilAvailable(namespace: string, name: string, limitMs = LIMIT_MS): Promise<void> {
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;
    await this.cluster.until(`deployment ${name} to be available`, limitMs, async () => {
      const { spec, status, metadata } = await this.cluster.api.get(path);
      return (
        status.observedGeneration === metadata.generation &&
        (status.availableReplicas ?? 0) === spec.replicas &&
        (status.replicas ?? 0) === spec.replicas
      );
    });
  }

  async untilPodReady(namespace: string, name: string, limitMs = LIMIT_MS): Promise<Json> {
    return await this.cluster.until(`pod ${name} to be Ready`, limitMs, async () => {
      const found = await this.pod(namespace, name);
      return isReady(found) ? found : undefined;
    });
  }

  async scale(namespace: string, name: string, replicas: number): Promise<void> {
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${name}/scale`;
    await this.cluster.api.merge(path, { spec: { replicas } });
  }

  /** Both of a Service's addresses, those that it has, and its node ports by port name. */
  async service(
    namespace: string,
    name: string,
  ): Promise<{ addresses: string[]; nodePorts: Record<string, number> }> {
    const { spec } = await this.cluster.api.get(`/api/v1/namespaces/${namespace}/services/${name}`);
    const ports: [string, number][] = spec.ports.map((port: Json) => [port.name, port.nodePort]);
    return { addresses: spec.clusterIPs, nodePorts: Object.fromEntries(ports) };
  }

  /** One connection, or datagram, each. Throws with what the client said on the first that fails. */
  async dial(
    place: Place,
    target: { protocol?: "tcp" | "udp"; address: string; port: number; times?: number },
  ): Promise<Answer[]> {
    const { protocol = "tcp", address, port, times = 1 } = target;
    const args = ["dial", protocol, joinHostPort(address, port), `${times}`];
    const [file = "", ...rest] = await this.#probe(place, args);
    const { stdout } = await runFile(file, rest, { timeout: DIAL_LIMIT_MS });
    return stdout
      .trim()
      .split("\n")
      .map((line) => {
        const [server = "", client = ""] = line.split(" ");
        return { server, client };
      });
  }

  /** Dials until it is answered: changes need a moment until they are in force. */
  async untilAnswered(
    place: Place,
    target: { protocol?: "tcp" | "udp"; address: string; port: number },
    limitMs = LIMIT_MS,
  ): Promise<Answer> {
    const what = `an answer of ${target.protocol ?? "tcp"} ${joinHostPort(target.address, target.port)} to ${describe(place)}`;
    return await this.cluster.until(what, limitMs, async () => (await this.dial(place, target))[0]);
  }

  /** One TCP connection after the other until stop() is called. */
  async startLoad(place: Place, target: { address: string; port: number }): Promise<Load> {
    const argv = await this.#probe(place, ["load", joinHostPort(target.address, target.port)]);
    const load = new Load(argv);
    this.#loads.push(load);
    return load;
  }

  /** Ends what a failed test has left running. */
  stopLoads(): void {
    for (const load of this.#loads) load.kill();
  }

  /** `patchbay attachments --json`, once the host answers. */
  async attachments(): Promise<AttachmentRow[]> {
    const text = await this.cluster.patchbay("attachments", "--json");
    return (JSON.parse(text) as { attachments: AttachmentRow[] }).attachments;
  }

  /** `patchbay status --json`, also of a host that is not ready for everything. */
  async status(): Promise<Json> {
    const text = await this.cluster.patchbay("status", "--json").catch((error: unknown) => {
      const { code, stdout } = error as { code?: unknown; stdout?: string };
      if (code !== 1 || !stdout?.startsWith("{")) throw error;
      return stdout;
    });
    return JSON.parse(text);
  }

  /**
   * What is wrong between the pods that run, as the API server tells, and the host's records: leaks, doubles,
   * and addresses that differ. Empty when all is well.
   */
  async findDifferences(): Promise<string[]> {
    const pods: Json[] = (await this.cluster.api.get("/api/v1/pods")).items;
    const running = pods.filter(
      ({ spec, status }) =>
        !spec.hostNetwork && (status.podIPs ?? []).length > 0 && !isOver(status),
    );
    const expected = running.map(({ metadata, status }) => {
      const addresses = status.podIPs.map(({ ip }: Json) => ip);
      return `${metadata.namespace}/${metadata.name} ${addresses.join(",")}`;
    });
    const rows = (await this.attachments()).filter(({ isDefault }) => isDefault);
    const found = rows.map(({ podNamespace, podName, addresses }) => {
      const bare = addresses.map((address) => address.split("/")[0]);
      return `${podNamespace}/${podName} ${bare.join(",")}`;
    });
    return compareLists(expected, found);
  }

  async untilConsistent(limitMs = LIMIT_MS): Promise<void> {
    let differences: string[] = [];
    await this.cluster
      .until("records and pods to be the same", limitMs, async () => {
        differences = await this.findDifferences();
        return differences.length === 0;
      })
      .catch((error: unknown) => {
        throw new Error(`Records and pods differ:\n${differences.join("\n")}`, { cause: error });
      });
  }

  /** What the node's kernel and the host hold for pods and Services, as sorted lines. */
  async footprint(): Promise<string[]> {
    const node = this.cluster.node;
    const links = (await node.run(["ip", "-o", "link"]))
      .split("\n")
      .map((line) => line.split(": ")[1]?.split("@")[0])
      .filter((name) => name);
    const rows = await this.attachments();
    // What one Service or pod makes are elements of sets and maps; timeouts and counters of theirs run.
    const elements = await this.nftElements();
    const routes = await node.run(["ip", "route", "show", "table", "all"]);
    const routes6 = await node.run(["ip", "-6", "route", "show", "table", "all"]);
    return [
      ...links.map((name) => `link ${name}`),
      ...rows.map(({ podName, network }) => `attachment ${podName} ${network}`),
      ...elements,
      ...[...routes.split("\n"), ...routes6.split("\n")]
        .map((line) => line.trim().replace(/ expires \d+sec/, ""))
        .filter((line) => line !== "" && !/^(multicast|anycast)/.test(line))
        .map((line) => `route ${line}`),
    ].sort();
  }

  /** Has a network make what stays as long as the network: the first pod's part of a footprint. */
  async useNetworkOnce(namespace: string): Promise<void> {
    await this.cluster.apply(pod("first", namespace));
    await this.untilPodReady(namespace, "first");
    await this.cluster.kubectl(["delete", "pod", "first", "--namespace", namespace]);
    await this.untilConsistent();
  }

  /** Waits until there is nothing in the footprint that was not in it before. */
  async untilFootprint(before: readonly string[], limitMs = LIMIT_MS): Promise<void> {
    let left: string[] = [];
    await this.cluster
      .until("the footprint of before", limitMs, async () => {
        left = findNew(before, await this.footprint());
        return left.length === 0;
      })
      .catch((error: unknown) => {
        throw new Error(`Left behind:\n${left.join("\n")}`, { cause: error });
      });
  }

  /** "FAMILY TABLE SET ELEMENT" of every set and map of the node's nftables. */
  async nftElements(): Promise<string[]> {
    const { nftables } = JSON.parse(await this.cluster.node.run(["nft", "-j", "list", "ruleset"]));
    return nftables.flatMap((entry: Json) => {
      const set = entry.set ?? entry.map;
      // "about" is the plane's note of what it holds, another after each start.
      if (!set || set.name === "about") return [];
      return (set.elem ?? []).map((element: Json) => {
        const bare = JSON.stringify(element).replaceAll(/"(expires|packets|bytes)":\d+,?/g, "");
        return `nft ${set.family} ${set.table} ${set.name} ${bare}`;
      });
    });
  }

  /** Tracked connections of a protocol with an address in either direction. */
  async conntrack(protocol: "udp" | "tcp", address: string): Promise<string[]> {
    const text = await this.cluster.node.run(["conntrack", "-L", "-p", protocol]);
    const text6 = await this.cluster.node.run(["conntrack", "-L", "-f", "ipv6", "-p", protocol]);
    const lines = [...text.split("\n"), ...text6.split("\n")];
    return lines.filter((line) => line.split(/\s+/).some((word) => word.endsWith(`=${address}`)));
  }

  async runInPod(namespace: string, name: string, argv: readonly string[]): Promise<string> {
    const netns = await this.#netnsOf(namespace, name);
    const { stdout } = await runFile("nsenter", [`--net=${netns}`, "--", ...argv]);
    return stdout;
  }

  async #probe(place: Place, args: readonly string[]): Promise<string[]> {
    const command = [this.cluster.program("probe"), ...args];
    switch (place.kind) {
      case "outside":
        return command;
      case "node":
        return ["nsenter", `--net=${this.cluster.node.netns}`, "--", ...command];
      case "pod": {
        const netns = await this.#netnsOf(place.namespace, place.name);
        return ["nsenter", `--net=${netns}`, "--", ...command];
      }
    }
  }

  async #netnsOf(namespace: string, name: string): Promise<string> {
    const sandbox = await this.sandboxOf(namespace, name);
    if (!sandbox) throw new Error(`Pod ${namespace}/${name} has no sandbox that is ready`);
    return sandbox.netns;
  }

  async sandboxOf(namespace: string, name: string): Promise<Sandbox | undefined> {
    const { cri } = this.cluster;
    for (const id of await cri.listPodSandboxes()) {
      // It may be removed while we look.
      const sandbox = await cri.showPodSandbox(id).catch(() => undefined);
      if (sandbox?.isReady && sandbox.name === `${namespace}/${name}`) return sandbox;
    }
    return undefined;
  }
}

/** A load under way. */
export class Load {
  readonly #child: ChildProcess;
  #text = "";

  constructor([file = "", ...args]: readonly string[]) {
    this.#child = spawn(file, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#text += text;
    });
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  async stop(): Promise<LoadResult> {
    const closed = once(this.#child, "close");
    this.#child.stdin?.end();
    await closed;
    return JSON.parse(this.#text) as LoadResult;
  }
}

export function inPod(namespace: string, name: string): Place {
  return { kind: "pod", namespace, name };
}

export function isReady({ status }: Json): boolean {
  return (status.conditions ?? []).some(
    (condition: Json) => condition.type === "Ready" && condition.status === "True",
  );
}

function isOver(status: Json): boolean {
  return status.phase === "Succeeded" || status.phase === "Failed";
}

/** Addresses of a pod, IPv4 first. */
export function addressesOf({ status }: Json): string[] {
  return status.podIPs.map(({ ip }: Json) => ip);
}

/** What was not there before; what was there twice counts twice. */
export function findNew(before: readonly string[], now: readonly string[]): string[] {
  return compareLists(before, now).filter((line) => line.startsWith("too much"));
}

/** "missing: X" and "too much: X" for what is in one of the lists only, also when it is there twice. */
export function compareLists(expected: readonly string[], found: readonly string[]): string[] {
  const left = [...found];
  const missing = expected.filter((line) => {
    const index = left.indexOf(line);
    if (index >= 0) left.splice(index, 1);
    return index < 0;
  });
  return [...missing.map((line) => `missing: ${line}`), ...left.map((line) => `too much: ${line}`)];
}

export function joinHostPort(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

function describe(place: Place): string {
  return place.kind === "pod" ? `pod ${place.name}` : place.kind;
}

/** Of the node, by family. */
export const NODE_ADDRESSES: readonly string[] = ADDRESSES.node;
