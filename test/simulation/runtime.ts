import { attachmentIdOf } from "../../src/plugin-host/core/attachment.ts";
import type { CniAnswer } from "../../src/plugin-host/core/host.ts";
import { formatErrorChain } from "../../src/plugin-host/errors.ts";
import type { InvokeRequest__Output } from "../../src/rpc/generated/patchbay/shim/v1/InvokeRequest.ts";
import { checkAnswer, checkRefusal, parseAddresses } from "./answers.ts";
import { runtimeConfigOf, selectionOf } from "./extras.ts";
import type { HostLife } from "./host-life.ts";
import type { SimNetwork } from "./networks.ts";
import type { SimNode } from "./node.ts";

export type CniVerb = "ADD" | "DEL" | "CHECK" | "GC" | "STATUS";
export type Verb = CniVerb | "PLUG" | "UNPLUG";

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
  /** Grows when the runtime makes it anew or takes it away. */
  generation: number;
  /** Networks that the pod's annotation asks for beside this one. */
  readonly asked: readonly Attachment[];
  /** Networks that were plugged into the running pod since. */
  readonly plugged: Attachment[];
  /** The default network's attachment, of one that was asked for or plugged. */
  readonly primary: Attachment | undefined;
  readonly claim: string | undefined;
  /** A hot-plug broke off: nobody knows whether it stands. */
  isUnsure: boolean;
}

/** All that comes and goes with an attachment, itself first. */
export function familyOf(attachment: Attachment): readonly Attachment[] {
  return [attachment, ...attachment.asked, ...attachment.plugged];
}

export interface Pod {
  readonly containerId: string;
  readonly netns: string;
  readonly attachments: Attachment[];
  hasNetns: boolean;
  hasFlapped: boolean;
  /** When the runtime was first asked for it. */
  beganMs: number | undefined;
  /** When the runtime lists it. */
  listedMs: number;
  /** The runtime's list left it out once. */
  isLeftOut: boolean;
  isForceDeleted: boolean;
  /** "abandoned": the runtime forgot it and will send no DEL. "lost": so, and its namespace stays. */
  fate: "run" | "teardown" | "abandoned" | "lost" | "gone";
}

/** A call under way: the shim waits for an answer. */
export interface Call {
  readonly number: number;
  readonly verb: Verb;
  readonly attachment: Attachment | undefined;
  /** Undefined: of an operator, no CNI call. */
  readonly message: InvokeRequest__Output | undefined;
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
      for (const attachment of pod.attachments.flatMap(familyOf)) {
        if (attachment.isLiving) yield attachment;
      }
    }
  }

  isAdding(id: string): boolean {
    for (const call of this.calls) {
      if (!call.attachment) continue;
      if (call.verb === "PLUG" && call.attachment.id === id) return true;
      if (call.verb === "ADD" && familyOf(call.attachment).some((other) => other.id === id)) {
        return true;
      }
    }
    return false;
  }

  /** Calls of a pod whose answers the runtime awaits. */
  isBusy(pod: Pod): boolean {
    for (const call of this.calls) if (call.attachment?.pod === pod && !call.isLost) return true;
    return false;
  }

  newPod(
    networks: readonly SimNetwork[],
    requested: string | undefined,
    asked: readonly { readonly network: SimNetwork; readonly claim: string | undefined }[] = [],
  ): Pod {
    const number = this.#podCount++;
    const containerId = `c${number.toString(16).padStart(8, "0")}`;
    const netns = `/run/netns/${containerId}`;
    const pod: Pod = {
      containerId,
      netns,
      attachments: [],
      hasNetns: false,
      hasFlapped: false,
      beganMs: undefined,
      listedMs: Number.POSITIVE_INFINITY,
      isLeftOut: false,
      isForceDeleted: false,
      fate: "run",
    };
    for (const [index, network] of networks.entries()) {
      const attachment = this.#newAttachment(pod, network, {
        ifname: `eth${index}`,
        requested: index === 0 ? requested : undefined,
      });
      pod.attachments.push(attachment);
      if (index > 0) continue;
      for (const [place, each] of asked.entries()) {
        const ifname = `net${place + 1}`;
        const extra = this.#newAttachment(pod, each.network, {
          ...each,
          ifname,
          primary: attachment,
        });
        (attachment.asked as Attachment[]).push(extra);
      }
    }
    this.pods.push(pod);
    return pod;
  }

  #newAttachment(
    pod: Pod,
    network: SimNetwork,
    fields: Pick<Attachment, "ifname"> &
      Partial<Pick<Attachment, "requested" | "primary" | "claim">>,
  ): Attachment {
    const { ifname } = fields;
    const id = attachmentIdOf({ network: network.name, containerId: pod.containerId, ifname });
    const attachment: Attachment = {
      id,
      pod,
      network,
      ifname,
      requested: fields.requested,
      phase: "idle",
      isLiving: false,
      addresses: [],
      doubtedMs: Number.NEGATIVE_INFINITY,
      isOmitted: false,
      lastAdd: 0,
      generation: 0,
      asked: [],
      plugged: [],
      primary: fields.primary,
      claim: fields.claim,
      isUnsure: false,
    };
    this.#attachments.set(id, attachment);
    return attachment;
  }

  async makeNetns(pod: Pod): Promise<void> {
    pod.hasNetns = true;
    await this.#node.world.makeNetns(pod.netns);
  }

  async removeNetns(pod: Pod): Promise<void> {
    for (const attachment of pod.attachments.flatMap(familyOf)) attachment.isLiving = false;
    pod.hasNetns = false;
    await this.#node.world.removeNetns(pod.netns);
  }

  /** Nobody lives in it any more, and nobody will say so. */
  losePod(pod: Pod): void {
    for (const attachment of pod.attachments.flatMap(familyOf)) {
      attachment.isLiving = false;
      attachment.generation++;
    }
    pod.fate = "lost";
    this.#node.note(() => `${pod.containerId} is lost`);
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
    attachment.generation++;
    attachment.pod.beganMs ??= this.#node.clock.monotonicMs();
    this.#send("ADD", attachment, attachment.network, this.#config(attachment.network));
    attachment.lastAdd = this.#callCount;
  }

  /** ADD of something that is up already. */
  addAgain(attachment: Attachment): void {
    this.#send("ADD", attachment, attachment.network, this.#config(attachment.network));
    attachment.lastAdd = this.#callCount;
  }

  del(attachment: Attachment, netns: string): void {
    for (const each of familyOf(attachment)) each.isLiving = false;
    attachment.phase = "deleting";
    attachment.generation++;
    this.#send("DEL", attachment, attachment.network, this.#config(attachment.network), netns);
  }

  /** Attaches a running pod to one more network. */
  plug(primary: Attachment, network: SimNetwork, claim: string | undefined): void {
    const ifname = `p${primary.plugged.length}`;
    const plugged = this.#newAttachment(primary.pod, network, { ifname, primary, claim });
    primary.plugged.push(plugged);
    plugged.phase = "adding";
    this.#operate("PLUG", plugged, (host) =>
      host.attachNetwork(primary.pod.containerId, JSON.stringify(selectionOf(plugged))),
    );
  }

  /** Detaches a running pod from a network that it was given beside its default one. */
  unplug(attachment: Attachment): void {
    attachment.isLiving = false;
    attachment.phase = "deleting";
    this.#operate("UNPLUG", attachment, (host) =>
      host.detachNetwork(attachment.pod.containerId, attachment.ifname),
    );
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
    return { cniVersion, ...(this.#node.ranges?.configOf(network) ?? network.config) };
  }

  #send(
    verb: CniVerb,
    attachment: Attachment | undefined,
    network: SimNetwork,
    config: Record<string, unknown>,
    netns = attachment?.pod.netns ?? "",
  ): void {
    const { clock, life, disk } = this.#node;
    const busy = [...this.calls].filter((call) => call.attachment?.pod === attachment?.pod).length;
    const slack = verb === "GC" ? disk.attachments.size : busy;
    const name = attachment?.pod.containerId ?? "";
    const message: InvokeRequest__Output = {
      command: `COMMAND_${verb}`,
      containerId: name,
      netns,
      ifname: attachment?.ifname ?? "",
      args: argsOf(attachment),
      path: "/opt/cni/bin",
      configJson: Buffer.from(JSON.stringify(withRuntimeConfig(config, attachment))),
      trace: null,
      shimVersion: "0.1.0",
    };
    const call: Call = {
      number: ++this.#callCount,
      verb,
      attachment,
      message,
      life,
      dueMs: clock.monotonicMs() + 900_000 + 400_000 * slack,
      isLost: false,
    };
    this.#node.note(
      () => `call ${call.number} ${verb} ${name} ${attachment?.ifname ?? ""} ${network.name}`,
    );
    this.calls.add(call);
    if (!life) return this.#withoutHost(call);
    void life.host.invoke(message).then((answer) => {
      if (life.alive) this.#answered(call, answer);
    });
  }

  /** A call of an operator, by host.v1. */
  #operate(
    verb: "PLUG" | "UNPLUG",
    attachment: Attachment,
    work: (host: HostLife["host"]) => Promise<unknown>,
  ): void {
    const { clock, life } = this.#node;
    const generation = attachment.primary?.generation;
    const call: Call = {
      number: ++this.#callCount,
      verb,
      attachment,
      message: undefined,
      life,
      dueMs: clock.monotonicMs() + 900_000 + 400_000 * (this.calls.size + 1),
      isLost: false,
    };
    this.#node.note(
      () =>
        `call ${call.number} ${verb} ${attachment.pod.containerId} ${attachment.ifname} ${attachment.network.name}`,
    );
    this.calls.add(call);
    if (!life) return this.#withoutHost(call);
    void work(life.host).then(
      () => {
        if (life.alive) this.#operated(call, { generation });
      },
      (error: unknown) => {
        if (life.alive) this.#operated(call, { generation, error });
      },
    );
  }

  #operated(
    call: Call,
    { generation, error }: { readonly generation: number | undefined; readonly error?: unknown },
  ): void {
    this.calls.delete(call);
    this.answers++;
    const { attachment, verb, number } = call;
    this.#node.note(
      () => `call ${number} ${verb} ${error === undefined ? "is done" : formatErrorChain(error)}`,
    );
    if (!attachment) return;
    const { disk, world } = this.#node;
    const { primary } = attachment;
    const stands = primary?.isLiving === true && primary.generation === generation;
    if (error !== undefined) {
      checkRefusal(this.#node, call, error);
      attachment.isUnsure = true;
    } else if (verb === "UNPLUG") {
      attachment.phase = "deleted";
      const isLeft = disk.attachments.has(attachment.id) || world.held().has(attachment.id);
      if (isLeft && stands && !this.isAdding(attachment.id)) {
        this.#node.fail("a detach that succeeded leaves nothing", attachment.id);
      }
    } else if (stands) {
      this.#stands(attachment);
    }
  }

  /** An attachment beside the default one was answered: from now on it must not lose anything. */
  #stands(attachment: Attachment): void {
    const held = this.#node.world.held().get(attachment.id);
    if (!held) return this.#node.fail("ADD that succeeded is attached", attachment.id);
    attachment.phase = "up";
    attachment.isLiving = true;
    attachment.isUnsure = false;
    attachment.addresses = held.addresses;
  }

  /** What the shim does when no host answers. */
  #withoutHost(call: Call): void {
    this.calls.delete(call);
    if (call.attachment && call.message === undefined) call.attachment.isUnsure = true;
    if (call.message === undefined) return;
    if (call.isLost) return;
    if (call.verb === "DEL") this.#journal(call);
    else this.#failed(call);
  }

  #journal(call: Call): void {
    if (this.#node.faults.isJournalFull) return this.#failed(call);
    const { clock, journal } = this.#node;
    const { message } = call;
    if (!message) return;
    const { containerId, ifname } = message;
    // The real name is a hash of the same parts, the configuration included.
    const name = `${containerId}-${ifname}-${message.configJson.toString("base64")}`;
    journal.write(name, clock.wallMs(), message);
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
    for (const { id } of familyOf(attachment)) {
      if (disk.attachments.has(id) || world.held().has(id)) {
        this.#node.fail("DEL that succeeded leaves nothing", id);
      }
      ledger.answeredDel(id);
    }
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
      const { lists } = this.#node;
      if (lists && pod.listedMs === Number.POSITIVE_INFINITY) {
        pod.listedMs = lists.drawListed(pod.beganMs ?? 0);
      }
      this.#checkAdded(attachment);
      attachment.plugged.length = 0;
      for (const extra of attachment.asked) this.#stands(extra);
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

function withRuntimeConfig(
  config: Record<string, unknown>,
  attachment: Attachment | undefined,
): object {
  return attachment ? { ...config, runtimeConfig: runtimeConfigOf(attachment) } : config;
}

function argsOf(attachment: Attachment | undefined): string {
  if (!attachment) return "";
  const name = attachment.pod.containerId;
  const ip = attachment.requested === undefined ? "" : `;IP=${attachment.requested}`;
  return `IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=p-${name};K8S_POD_UID=u-${name}${ip}`;
}
