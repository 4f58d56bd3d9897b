import { attachmentIdOf } from "../../src/plugin-host/core/attachment.ts";
import type { CniAnswer } from "../../src/plugin-host/core/host.ts";
import type { InvokeRequest__Output } from "../../src/rpc/generated/patchbay/shim/v1/InvokeRequest.ts";
import { checkAnswer, parseAddresses } from "./answers.ts";
import type { HostLife } from "./host-life.ts";
import type { SimNetwork } from "./networks.ts";
import type { SimNode } from "./node.ts";

export type Verb = "ADD" | "DEL" | "CHECK" | "GC" | "STATUS";

/** An interface of a pod, as the runtime knows it. */
export interface Attachment {
  readonly id: string;
  readonly pod: Pod;
  readonly network: SimNetwork;
  readonly ifname: string;
  readonly requested: string | undefined;
  phase: "idle" | "adding" | "up" | "failed" | "deleting" | "deleted";
  /** ADD was answered, the namespace is alive, no DEL was sent: it must not lose anything. */
  isLiving: boolean;
  addresses: readonly string[];
  /** When a witness last spoke against it although it lives; two at a time could rightly condemn it. */
  doubtedMs: number;
  /** A GC list left it out. A second one would be right to condemn it. */
  isOmitted: boolean;
  lastAdd: number;
}

export interface Pod {
  readonly containerId: string;
  readonly netns: string;
  readonly attachments: Attachment[];
  hasNetns: boolean;
  hasFlapped: boolean;
  /** "abandoned": the runtime forgot it and will send no DEL. */
  fate: "run" | "teardown" | "abandoned" | "gone";
}

/** A call under way: the shim waits for an answer. */
export interface Call {
  readonly number: number;
  readonly verb: Verb;
  readonly attachment: Attachment | undefined;
  readonly message: InvokeRequest__Output;
  readonly life: HostLife | undefined;
  /** Virtual time by which an answer must have come. */
  readonly dueMs: number;
  /** The runtime or the shim gave up; the host does not know. */
  isLost: boolean;
}

/** The container runtime of the node, its pods, and a shim for each call. */
export class Runtime {
  readonly pods: Pod[] = [];
  /** Of late, to be deleted again or added too late. */
  readonly gone: Pod[] = [];
  readonly calls = new Set<Call>();
  readonly #node: SimNode;
  readonly #attachments = new Map<string, Attachment>();
  #podCount = 0;
  #callCount = 0;
  answers = 0;

  constructor(node: SimNode) {
    this.#node = node;
  }

  get podCount(): number {
    return this.#podCount;
  }

  find(id: string): Attachment | undefined {
    return this.#attachments.get(id);
  }

  *living(): Generator<Attachment> {
    for (const pod of this.pods) {
      for (const attachment of pod.attachments) if (attachment.isLiving) yield attachment;
    }
  }

  isAdding(id: string): boolean {
    for (const call of this.calls) {
      if (call.verb === "ADD" && call.attachment?.id === id) return true;
    }
    return false;
  }

  /** Calls of a pod whose answers the runtime awaits. */
  isBusy(pod: Pod): boolean {
    for (const call of this.calls) if (call.attachment?.pod === pod && !call.isLost) return true;
    return false;
  }

  newPod(networks: readonly SimNetwork[], requested: string | undefined): Pod {
    const number = this.#podCount++;
    const containerId = `c${number.toString(16).padStart(8, "0")}`;
    const netns = `/run/netns/${containerId}`;
    const pod: Pod = {
      containerId,
      netns,
      attachments: [],
      hasNetns: false,
      hasFlapped: false,
      fate: "run",
    };
    for (const [index, network] of networks.entries()) {
      const ifname = `eth${index}`;
      const id = attachmentIdOf({ network: network.name, containerId, ifname }) as string;
      const attachment: Attachment = {
        id,
        pod,
        network,
        ifname,
        requested: index === 0 ? requested : undefined,
        phase: "idle",
        isLiving: false,
        addresses: [],
        doubtedMs: Number.NEGATIVE_INFINITY,
        isOmitted: false,
        lastAdd: 0,
      };
      pod.attachments.push(attachment);
      this.#attachments.set(id, attachment);
    }
    this.pods.push(pod);
    return pod;
  }

  async makeNetns(pod: Pod): Promise<void> {
    pod.hasNetns = true;
    await this.#node.world.makeNetns(pod.netns);
  }

  async removeNetns(pod: Pod): Promise<void> {
    for (const attachment of pod.attachments) attachment.isLiving = false;
    pod.hasNetns = false;
    await this.#node.world.removeNetns(pod.netns);
  }

  /** Moves a pod to those that are gone; the oldest of them is forgotten for good. */
  bury(pod: Pod): void {
    pod.fate = "gone";
    this.pods.splice(this.pods.indexOf(pod), 1);
    this.gone.push(pod);
    if (this.gone.length > 30) this.gone.shift();
  }

  add(attachment: Attachment): void {
    attachment.phase = "adding";
    this.#send("ADD", attachment, attachment.network, this.#config(attachment.network));
    attachment.lastAdd = this.#callCount;
  }

  /** ADD of something that is up already. */
  addAgain(attachment: Attachment): void {
    this.#send("ADD", attachment, attachment.network, this.#config(attachment.network));
    attachment.lastAdd = this.#callCount;
  }

  del(attachment: Attachment, netns: string): void {
    attachment.isLiving = false;
    attachment.phase = "deleting";
    this.#send("DEL", attachment, attachment.network, this.#config(attachment.network), netns);
  }

  check(attachment: Attachment): void {
    this.#send("CHECK", attachment, attachment.network, this.#config(attachment.network));
  }

  status(network: SimNetwork): void {
    this.#send("STATUS", undefined, network, this.#config(network, "1.1.0"));
  }

  gc(network: SimNetwork, valid: readonly Attachment[]): void {
    const list = valid.map(({ pod, ifname }) => ({ containerID: pod.containerId, ifname }));
    const config = { ...this.#config(network, "1.1.0"), "cni.dev/valid-attachments": list };
    this.#send("GC", undefined, network, config);
  }

  /** What the runtime believes to be valid now. */
  validOf(network: SimNetwork): Attachment[] {
    return this.pods
      .filter((pod) => pod.fate === "run" || pod.fate === "teardown")
      .flatMap((pod) => pod.attachments)
      .filter((attachment) => attachment.network === network && attachment.phase !== "deleted");
  }

  /** The runtime waits no longer. A DEL may be written down by the shim first. */
  lose(call: Call, isJournaled: boolean): void {
    call.isLost = true;
    if (isJournaled) this.#journal(call);
    else this.#failed(call);
  }

  /** The host died: shims see their connections break. */
  hostDied(life: HostLife): void {
    for (const call of [...this.calls]) if (call.life === life) this.#withoutHost(call);
  }

  #config(network: SimNetwork, cniVersion = network.cniVersion): Record<string, unknown> {
    return { cniVersion, ...network.config };
  }

  #send(
    verb: Verb,
    attachment: Attachment | undefined,
    network: SimNetwork,
    config: Record<string, unknown>,
    netns = attachment?.pod.netns ?? "",
  ): void {
    const { clock, life, disk } = this.#node;
    const busy = [...this.calls].filter((call) => call.attachment?.pod === attachment?.pod).length;
    const slack = verb === "GC" ? disk.attachments.size : busy;
    const name = attachment?.pod.containerId ?? "";
    const call: Call = {
      number: ++this.#callCount,
      verb,
      attachment,
      message: {
        command: `COMMAND_${verb}`,
        containerId: name,
        netns,
        ifname: attachment?.ifname ?? "",
        args: argsOf(attachment),
        path: "/opt/cni/bin",
        configJson: Buffer.from(JSON.stringify(withHostPorts(config, name))),
        trace: null,
        shimVersion: "0.1.0",
      },
      life,
      dueMs: clock.monotonicMs() + 900_000 + 400_000 * slack,
      isLost: false,
    };
    this.#node.note(
      () => `call ${call.number} ${verb} ${name} ${attachment?.ifname ?? ""} ${network.name}`,
    );
    this.calls.add(call);
    if (!life) return this.#withoutHost(call);
    void life.host.invoke(call.message).then((answer) => {
      if (life.alive) this.#answered(call, answer);
    });
  }

  /** What the shim does when no host answers. */
  #withoutHost(call: Call): void {
    this.calls.delete(call);
    if (call.isLost) return;
    if (call.verb === "DEL") this.#journal(call);
    else this.#failed(call);
  }

  #journal(call: Call): void {
    if (this.#node.faults.isJournalFull) return this.#failed(call);
    const { clock, journal } = this.#node;
    const { containerId, ifname } = call.message;
    // The real name is a hash of the same parts, the configuration included.
    const name = `${containerId}-${ifname}-${call.message.configJson.toString("base64")}`;
    journal.write(name, clock.wallMs(), call.message);
    this.#node.note(() => `call ${call.number} DEL is written to the journal`);
    this.#succeeded(call, "");
  }

  #answered(call: Call, answer: CniAnswer): void {
    this.calls.delete(call);
    this.answers++;
    this.#node.note(
      () =>
        `call ${call.number} ${call.verb} answers ${answer.exitCode} ${answer.resultJson.slice(0, 200)}`,
    );
    checkAnswer(this.#node, call, answer);
    if (answer.exitCode === 0 && call.verb === "DEL") this.#checkDeleted(call);
    if (call.isLost) return;
    if (answer.exitCode === 0) this.#succeeded(call, answer.resultJson);
    else this.#failed(call);
  }

  /** DEL never says success for what may still leak. */
  #checkDeleted({ number, attachment }: Call): void {
    if (!attachment || attachment.lastAdd > number || this.isAdding(attachment.id)) return;
    const { disk, world, ledger } = this.#node;
    if (disk.attachments.has(attachment.id) || world.held().has(attachment.id)) {
      this.#node.fail("DEL that succeeded leaves nothing", attachment.id);
    }
    ledger.answeredDel(attachment.id);
  }

  #succeeded({ verb, attachment }: Call, resultJson: string): void {
    if (!attachment) return;
    const { pod } = attachment;
    if (verb === "ADD" && attachment.phase === "adding") {
      if (pod.fate !== "run" || !pod.hasNetns) {
        attachment.phase = "failed";
        return;
      }
      attachment.phase = "up";
      attachment.isLiving = true;
      attachment.addresses = parseAddresses(resultJson);
      this.#checkAdded(attachment);
      const next = pod.attachments.find((other) => other.phase === "idle");
      if (next) this.add(next);
    } else if (verb === "ADD" && attachment.isLiving) {
      const again = parseAddresses(resultJson);
      if (again.join(" ") !== attachment.addresses.join(" ")) {
        const before = attachment.addresses;
        this.#node.fail("a repeated ADD answers the same", `${attachment.id}: ${before}, ${again}`);
      }
    } else if (verb === "DEL" && attachment.phase === "deleting") {
      attachment.phase = "deleted";
    }
  }

  #checkAdded({ id, addresses }: Attachment): void {
    const held = this.#node.world.held().get(id);
    if (held?.addresses.join(" ") === addresses.join(" ")) return;
    const found = held ? held.addresses.join(" ") : "nothing";
    this.#node.fail("ADD that succeeded is attached", `${id}: ${addresses}, in the pod ${found}`);
  }

  #failed({ verb, attachment }: Call): void {
    if (!attachment) return;
    if (verb === "ADD" && attachment.phase === "adding") attachment.phase = "failed";
    if (verb === "DEL" && attachment.phase === "deleting") attachment.phase = "failed";
    if (attachment.phase === "failed" && attachment.pod.fate === "run") {
      attachment.pod.fate = "teardown";
    }
  }
}

/** Every third pod has a host port of its own. */
function withHostPorts(config: Record<string, unknown>, containerId: string): object {
  const number = Number.parseInt(containerId.slice(1), 16);
  if (number % 3 !== 0) return config;
  const portMappings = [{ hostPort: 1 + (number % 65_535), containerPort: 80, protocol: "tcp" }];
  return { ...config, runtimeConfig: { portMappings } };
}

function argsOf(attachment: Attachment | undefined): string {
  if (!attachment) return "";
  const name = attachment.pod.containerId;
  const ip = attachment.requested === undefined ? "" : `;IP=${attachment.requested}`;
  return `IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=p-${name};K8S_POD_UID=u-${name}${ip}`;
}
