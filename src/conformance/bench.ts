import { hash } from "node:crypto";
import { join } from "node:path";
import type { Kernel, NetnsPath } from "../kernel/kernel.ts";
import {
  type AttachRequest,
  type AttachResponse,
  type DetachRequest,
  detachRequestOf,
  type Finding,
  NO_WISHES,
  PluginError,
  type PluginInfo,
} from "../plugin-sdk/network-plugin.ts";
import { PluginCallError } from "../rpc/plugin-call-error.ts";
import {
  lookAtNode,
  lookAtPod,
  lookForTraces,
  type NodeLook,
  type PodInterface,
} from "./kernel-look.ts";
import { CONFORMANCE_LIMITS } from "./limits.ts";
import type { PluginLife } from "./plugin-life.ts";
import { allocate, type Pools } from "./pools.ts";
import { expectEqual, Skip, Violation } from "./rule.ts";

/** What the kit tests, and where. */
export interface BenchOptions {
  readonly kernel: Kernel;
  readonly life: PluginLife;
  /** As GetInfo answered at the start. */
  readonly info: PluginInfo;
  readonly network: string;
  /** Without "name". */
  readonly config: Readonly<Record<string, unknown>>;
  /** A configuration that the plugin must refuse. Absent: rules about it are skipped. */
  readonly invalidConfig?: Readonly<Record<string, unknown>>;
  readonly pools: Pools;
  /** Attachments that the network can have at the same time. */
  readonly attachmentsMax: number;
  /** Folder of the pods' network namespaces. */
  readonly netnsFolder: string;
  /** Tells the namespaces and attachments of this run from those of others. */
  readonly runId: string;
  /** Counts pods, over all rules of a run. */
  readonly nextPodNumber: () => number;
  /** Node links that the first attachment brought and its Detach left: the network's own. */
  readonly networkLinks: readonly string[];
}

/** Pods and looks for one rule. Disposing of it takes everything away again, whatever the rule did. */
export class Bench implements AsyncDisposable {
  readonly options: BenchOptions;
  readonly #pods: AttachRequest[] = [];
  readonly #namespaces = new Set<string>();

  constructor(options: BenchOptions) {
    this.options = options;
  }

  get kernel(): Kernel {
    return this.options.kernel;
  }

  get life(): PluginLife {
    return this.options.life;
  }

  /** An order for a pod whose namespace was made. */
  async pod(wishes: Partial<AttachRequest> = {}): Promise<AttachRequest> {
    const { network, pools, runId, netnsFolder } = this.options;
    const number = this.options.nextPodNumber();
    const name = `pod-${number}`;
    const netns = wishes.netns ?? join(netnsFolder, `${runId}-${number}`);
    if (wishes.netns === undefined) {
      this.#namespaces.add(netns);
      await this.kernel.createNetns(netns as NetnsPath);
    }
    const pod: AttachRequest = {
      attachmentId: hash("sha256", `${runId}/${number}`, "hex").slice(0, 32),
      pod: { namespace: "conformance", name, uid: `${runId}-${name}`, labels: { app: name } },
      sandboxId: hash("sha256", netns, "hex"),
      ifname: "eth0",
      network,
      configJson: this.configJson,
      addresses: allocate(pools, number),
      routes: [],
      mac: "",
      mtu: 0,
      device: null,
      masquerade: null,
      ...NO_WISHES,
      ...wishes,
      netns,
    };
    this.#pods.push(pod);
    return pod;
  }

  get configJson(): string {
    const { network, config } = this.options;
    return JSON.stringify({ ...config, name: network });
  }

  async attach(pod: AttachRequest): Promise<AttachResponse> {
    return this.life.client.attach(pod);
  }

  /** An order for a pod, attached, and the answer. */
  async attachedPod(
    wishes: Partial<AttachRequest> = {},
  ): Promise<{ readonly pod: AttachRequest; readonly answer: AttachResponse }> {
    const pod = await this.pod(wishes);
    return { pod, answer: await this.attach(pod) };
  }

  /** Attach where the plugin may say that it cannot do what was asked: then the rule is skipped. */
  async attachUnlessRefused(pod: AttachRequest): Promise<AttachResponse> {
    try {
      return await this.attach(pod);
    } catch (error) {
      if (error instanceof PluginCallError && error.status === "INVALID_ARGUMENT") {
        throw new Skip(`the plugin refuses it: ${error.message}`);
      }
      throw error;
    }
  }

  async detach(pod: AttachRequest, change: Partial<DetachRequest> = {}): Promise<void> {
    await this.life.client.detach({ ...detachRequestOf(pod), ...change });
  }

  check(attachment: AttachRequest, attached: AttachResponse): Promise<readonly Finding[]> {
    return this.life.client.check({ attachment, attached, repair: false });
  }

  repair(attachment: AttachRequest, attached: AttachResponse): Promise<readonly Finding[]> {
    return this.life.client.check({ attachment, attached, repair: true });
  }

  /** How often List names each of the given attachments. Default: List of the kit's network. */
  async listed(
    pods: readonly AttachRequest[],
    network: string = this.options.network,
  ): Promise<number[]> {
    const listed = await this.life.client.list({ network });
    return pods.map(
      (pod) => listed.filter(({ attachmentId }) => attachmentId === pod.attachmentId).length,
    );
  }

  /** Undefined: the pod has no such interface. */
  look(pod: Pick<AttachRequest, "netns" | "ifname">): Promise<PodInterface | undefined> {
    return lookAtPod(this.kernel, pod);
  }

  /** Throws Violation where the pod has no such interface. */
  async lookInside(pod: Pick<AttachRequest, "netns" | "ifname">): Promise<PodInterface> {
    const found = await this.look(pod);
    if (!found) throw new Violation(`${pod.ifname} in ${pod.netns}: expected a link, found none`);
    return found;
  }

  lookAtNode(): Promise<NodeLook> {
    return lookAtNode(this.kernel);
  }

  /** Throws Violation where the node has links, or routes to the pods' addresses, that it had not before. */
  async expectNoTraces(before: NodeLook, gone: readonly AttachRequest[]): Promise<void> {
    const traces = await lookForTraces(this.kernel, before, gone);
    expectEqual("left on the node", [], traces);
  }

  /** Throws Violation where anything is left of an attachment: in the pod, on the node, in List. */
  async expectGone(before: NodeLook, pod: AttachRequest): Promise<void> {
    expectEqual(pod.ifname, undefined, await this.look(pod));
    await this.expectForgotten(before, pod);
  }

  /** Throws Violation where the node has traces of the pod, or List names it. */
  async expectForgotten(before: NodeLook, pod: AttachRequest): Promise<void> {
    await this.expectNoTraces(before, [pod]);
    expectEqual("List names it", [0], await this.listed([pod]));
  }

  /** The same, once the kernel has had time to take away the links of a namespace that is gone. */
  async expectForgottenSoon(before: NodeLook, pod: AttachRequest): Promise<void> {
    const deadline = performance.now() + CONFORMANCE_LIMITS.kernelMs;
    while (performance.now() < deadline) {
      if ((await lookForTraces(this.kernel, before, [pod])).length === 0) break;
      await new Promise((resolve) => setTimeout(resolve, CONFORMANCE_LIMITS.pollMs));
    }
    await this.expectForgotten(before, pod);
  }

  /** Removes a pod's namespace, as a runtime does. */
  async removeNamespace({ netns }: AttachRequest): Promise<void> {
    await this.kernel.deleteNetns(netns as NetnsPath);
    this.#namespaces.delete(netns);
  }

  /** kill -9 and a new start. */
  async restart(): Promise<void> {
    await this.life.kill();
    await this.life.begin();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const pods = this.#pods.splice(0);
    // Detach of what is gone is success; a plugin that fails it has been, or will be, told so by a rule.
    await Promise.allSettled(pods.map((pod) => this.detach(pod)));
    const namespaces = [...this.#namespaces];
    this.#namespaces.clear();
    for (const netns of namespaces) await this.kernel.deleteNetns(netns as NetnsPath);
  }
}

/** What a call is refused with; throws Violation when it is not. */
export async function statusOf(what: string, call: Promise<unknown>): Promise<PluginCallError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof PluginCallError) return error;
    if (error instanceof PluginError) throw new Violation(error.message);
    throw error;
  }
  throw new Violation(`${what}: expected a failure, found success`);
}
