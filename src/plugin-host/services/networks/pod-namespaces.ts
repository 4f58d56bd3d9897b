import type { NetnsPlace } from "../../../kernel/netns-netfilter.ts";
import { emptyServicePlan } from "../../../services/apply-changes.ts";
import type { FrontendKey } from "../../../services/model.ts";
import type { NamespacePlan, NamespacePlane } from "../../../services/namespace-plane.ts";
import type { PlanChanges, PlannedFrontend, ServicePlan } from "../../../services/plan-types.ts";
import type { ProgramOutcome, ServicePlane } from "../../../services/service-plane.ts";
import type { AttachmentId, AttachmentRecord } from "../../core/attachment.ts";
import type { Clock, EventSink } from "../../core/ports.ts";
import { LIMITS } from "../../limits.ts";
import { PodNamespace, type PodNamespacePorts } from "./pod-namespace.ts";
import { isOnOwnNetwork } from "./pod-network-facts.ts";

export interface PodNamespacesDeps {
  readonly clock: Clock;
  readonly events: EventSink;
  readonly open: () => Promise<NamespacePlane>;
  /** False: nothing is at the path, or another namespace. */
  readonly isThere: (place: NetnsPlace) => Promise<boolean>;
  /** ServiceTable.servingEndpoints() */
  readonly findServing: (key: FrontendKey) => ReadonlySet<string> | undefined;
  /** Namespaces hold something of ours from now on, or none does any more. */
  readonly onHolding: (isAny: boolean) => void;
}

/**
 * Services on networks of their own, as a data plane: the namespaces of this node's pods that are on such a network hold
 * their rules. A namespace that fails is tried again by itself and holds nobody up; one that is gone is forgotten.
 */
export class PodNamespaces implements ServicePlane {
  readonly name = "pods";
  readonly #deps: PodNamespacesDeps;
  readonly #ports: PodNamespacePorts;
  /** By identity. */
  readonly #namespaces = new Map<string, PodNamespace>();
  /** By attachment on one of its networks, and by the pod's first attachment. */
  readonly #byAttachment = new Map<AttachmentId, PodNamespace>();
  /** By network, then by key. */
  readonly #frontends = new Map<string, Map<FrontendKey, PlannedFrontend>>();
  readonly #networkOf = new Map<FrontendKey, string>();
  /** Namespaces that wait for one of the few turns. */
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #opening: Promise<NamespacePlane> | undefined;
  /** The plan is known: before, nothing is touched. */
  #hasPlan = false;
  #holding = 0;
  #isClosed = false;
  #cancelCheck: () => void = () => {};

  constructor(deps: PodNamespacesDeps) {
    this.#deps = deps;
    this.#ports = {
      ...deps,
      plane: () => this.#ensure(),
      lost: () => {
        this.#opening = undefined;
      },
      planOf: (namespace) => this.#planOf(namespace),
      inTurn: (work) => this.#inTurn(work),
      holds: (isAny) => this.#countHolding(isAny),
      gone: (namespace) => this.#forget(namespace),
    };
  }

  /** After a start. `mayHold`: an earlier host programmed namespaces. */
  restore(records: readonly AttachmentRecord[], { mayHold }: { readonly mayHold: boolean }): void {
    for (const record of records) {
      const isThere = record.state.kind === "attached" || record.state.kind === "adopted";
      if (!isThere || !isOnOwnNetwork(record)) continue;
      const namespace = this.#add(record);
      if (mayHold) namespace.doubt();
    }
  }

  /** A pod joined a network, or is about to. */
  attach(record: AttachmentRecord): void {
    if (this.#isClosed || !isOnOwnNetwork(record)) return;
    const namespace = this.#add(record);
    if (this.#hasPlan) namespace.touch();
  }

  /** An attachment is about to leave; with the first one of a pod the whole pod is. What has none is success. */
  withdraw(id: AttachmentId): void {
    const namespace = this.#byAttachment.get(id);
    if (namespace === undefined) return;
    const record = namespace.attachments.get(id);
    if (record === undefined || record.primaryId === id) {
      namespace.leave();
      return;
    }
    namespace.attachments.delete(id);
    if (this.#hasPlan) namespace.touch();
  }

  /** Resolves when the namespace of an attachment was programmed, or tried; undefined: nothing is to be done. */
  settle(record: AttachmentRecord): Promise<void> | undefined {
    this.attach(record);
    const namespace = this.#namespaces.get(record.netnsIdentity);
    return namespace?.working?.then(() => {
      if (namespace.trouble !== "") throw new Error(namespace.trouble);
    });
  }

  troubleInside(netnsIdentity: string): string {
    const namespace = this.#namespaces.get(netnsIdentity);
    if (namespace === undefined || namespace.trouble !== "") return namespace?.trouble ?? "";
    return namespace.working ? "it is being programmed" : "";
  }

  /** What is wrong, a sentence for each namespace. */
  troubles(): readonly string[] {
    return [...this.#namespaces.values()].flatMap(({ pod, trouble }) =>
      trouble === "" ? [] : [`Services in the namespace of ${pod}: ${trouble}`],
    );
  }

  async reset(plan: ServicePlan, revision: number): Promise<ProgramOutcome> {
    // Before anything else can come: what is followed from here on is newer.
    this.#frontends.clear();
    this.#networkOf.clear();
    for (const frontend of plan.frontends.values()) this.#put(frontend);
    this.#hasPlan = true;
    this.#checkLater();
    for (const namespace of this.#namespaces.values()) namespace.touch();
    await this.#ensure();
    return this.#outcome(revision);
  }

  /**
   * A revision of the plan, as soon as there is one: what comes while namespaces are written goes with their next
   * writing. apply() follows in its turn and only waits.
   */
  follow(changes: PlanChanges): void {
    if (!this.#hasPlan) return;
    const networks = new Set<string>();
    for (const key of changes.removeFrontends) networks.add(this.#remove(key));
    for (const frontend of changes.putFrontends) {
      networks.add(this.#remove(frontend.key));
      networks.add(this.#put(frontend));
    }
    networks.delete("");
    if (networks.size === 0) return;
    for (const namespace of this.#namespaces.values()) {
      const isOn = [...namespace.attachments.values()].some((each) => networks.has(each.network));
      if (isOn) namespace.touch();
    }
  }

  async apply({ revision }: PlanChanges): Promise<ProgramOutcome> {
    return this.#outcome(revision);
  }

  /** The node holds nothing; what namespaces hold is asked for by pod (troubleInside). */
  async held(): Promise<undefined> {
    return undefined;
  }

  /** Each namespace is mended by itself. */
  onTamper(): void {}

  async connectionCounts(): Promise<ReadonlyMap<FrontendKey, bigint>> {
    return new Map();
  }

  async remove(): Promise<void> {
    await this.reset(emptyServicePlan, 0);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelCheck();
    for (const namespace of this.#namespaces.values()) namespace.close();
    const plane = await this.#opening?.catch(() => undefined);
    await plane?.close();
  }

  #add(record: AttachmentRecord): PodNamespace {
    const known = this.#namespaces.get(record.netnsIdentity);
    // The kernel gives the number of a namespace that went to the next one: what was known of it says nothing.
    const isSame = known?.place.path === record.netns;
    if (known && !isSame) known.forget();
    const namespace = isSame ? known : new PodNamespace(record, this.#ports);
    if (known && (!isSame || known.attachments.size === 0)) namespace.doubt();
    this.#namespaces.set(record.netnsIdentity, namespace);
    namespace.attachments.set(record.id, record);
    for (const id of [record.id, record.primaryId]) {
      namespace.ids.add(id);
      this.#byAttachment.set(id, namespace);
    }
    return namespace;
  }

  #forget(namespace: PodNamespace): void {
    const { identity } = namespace.place;
    if (this.#namespaces.get(identity) === namespace) this.#namespaces.delete(identity);
    for (const id of namespace.ids) {
      if (this.#byAttachment.get(id) === namespace) this.#byAttachment.delete(id);
    }
  }

  /** Answers the network, "" for none. */
  #put(frontend: PlannedFrontend): string {
    const network = frontend.onNetwork?.network;
    if (network === undefined) return "";
    let frontends = this.#frontends.get(network);
    if (frontends === undefined) this.#frontends.set(network, (frontends = new Map()));
    frontends.set(frontend.key, frontend);
    this.#networkOf.set(frontend.key, network);
    return network;
  }

  #remove(key: FrontendKey): string {
    const network = this.#networkOf.get(key);
    if (network === undefined) return "";
    this.#networkOf.delete(key);
    const frontends = this.#frontends.get(network);
    frontends?.delete(key);
    if (frontends?.size === 0) this.#frontends.delete(network);
    return network;
  }

  /** Resolves when every namespace that has something to do was tried. */
  async #outcome(revision: number): Promise<ProgramOutcome> {
    const working = [...this.#namespaces.values()].map((namespace) => namespace.working);
    await Promise.all(working.filter((each) => each !== undefined));
    return { revision, refused: [] };
  }

  #planOf({ attachments, pod }: PodNamespace): NamespacePlan {
    const ifnames = new Map<string, string[]>();
    const frontends: PlannedFrontend[] = [];
    for (const { network, ifname } of attachments.values()) {
      const known = this.#frontends.get(network);
      if (known === undefined) continue;
      const names = ifnames.get(network);
      if (names) {
        names.push(ifname);
        names.sort(compareTexts);
        continue;
      }
      ifnames.set(network, [ifname]);
      frontends.push(...known.values());
    }
    frontends.sort((one, other) => compareTexts(one.key, other.key));
    return { frontends, ifnames, client: pod };
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    if (this.#running >= LIMITS.podNamespacesAtOnceMax) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running++;
    try {
      await work();
    } finally {
      // The turn is handed on.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }

  #countHolding(isAny: boolean): void {
    this.#holding += isAny ? 1 : -1;
    if (this.#holding === (isAny ? 1 : 0)) this.#deps.onHolding(isAny);
  }

  /** A slow look at what namespaces hold: whoever may change rules in a pod may flush them. */
  #checkLater(): void {
    this.#cancelCheck();
    if (this.#isClosed) return;
    this.#cancelCheck = this.#deps.clock.after(LIMITS.podNamespacesCheckMs, () => {
      void this.#checkAll().finally(() => this.#checkLater());
    });
  }

  async #checkAll(): Promise<void> {
    for (const namespace of [...this.#namespaces.values()]) {
      if (this.#isClosed) return;
      await namespace.check();
    }
  }

  #ensure(): Promise<NamespacePlane> {
    this.#opening ??= this.#deps.open().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }
}

function compareTexts(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
