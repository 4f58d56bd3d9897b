import { formatErrorChain } from "../../errors.ts";
import type { NetnsPlace } from "../../../kernel/netns-netfilter.ts";
import { emptyServicePlan } from "../../../services/apply-changes.ts";
import type { FrontendKey } from "../../../services/model.ts";
import type { NamespacePlan, NamespacePlane } from "../../../services/namespace-plane.ts";
import type { PlanChanges, PlannedFrontend, ServicePlan } from "../../../services/plan-types.ts";
import type { ProgramOutcome, ServicePlane } from "../../../services/service-plane.ts";
import type { AttachmentId, AttachmentRecord } from "../../core/attachment.ts";
import { withDeadline } from "../../core/deadline.ts";
import { describePod } from "../../core/detach.ts";
import type { Clock, EventSink } from "../../core/ports.ts";
import { LIMITS } from "../../limits.ts";
import { staleTest } from "../flows/stale-flows.ts";
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

/** One namespace with interfaces on networks that Services may be on. */
interface Namespace {
  readonly place: NetnsPlace;
  readonly pod: string;
  readonly attachments: Map<AttachmentId, AttachmentRecord>;
  /** What it holds; undefined: nothing of ours. "unknown": of an earlier host, or half of something. */
  held: NamespacePlan | "unknown" | undefined;
  /** What inspect() said of it. */
  digest: string;
  isDirty: boolean;
  /** Looked at and, where it must be, programmed. */
  working: Promise<void> | undefined;
  failures: number;
  trouble: string;
  cancelRetry: () => void;
}

/**
 * Services on networks of their own, as a data plane: the namespaces of this node's pods that are on such a network hold
 * their rules. A namespace that fails is tried again by itself and holds nobody up; one that is gone is forgotten.
 */
export class PodNamespaces implements ServicePlane {
  readonly name = "pods";
  readonly #deps: PodNamespacesDeps;
  readonly #namespaces = new Map<string, Namespace>();
  /** By network, then by key. */
  readonly #frontends = new Map<string, Map<FrontendKey, PlannedFrontend>>();
  readonly #networkOf = new Map<FrontendKey, string>();
  /** Ready to be programmed: who waits for one of the few at a time. */
  readonly #queue = new Set<Namespace>();
  readonly #done = new Map<Namespace, () => void>();
  #running = 0;
  #plane: NamespacePlane | undefined;
  #opening: Promise<NamespacePlane> | undefined;
  /** The plan is known: before, nothing is touched. */
  #hasPlan = false;
  #mayHold = false;
  #holding = 0;
  #isClosed = false;
  #cancelCheck: () => void = () => {};

  constructor(deps: PodNamespacesDeps) {
    this.#deps = deps;
  }

  /** After a start. `mayHold`: an earlier host programmed namespaces. */
  restore(records: readonly AttachmentRecord[], { mayHold }: { readonly mayHold: boolean }): void {
    this.#mayHold = mayHold;
    for (const record of records) {
      const isThere = record.state.kind === "attached" || record.state.kind === "adopted";
      if (isThere) this.attach(record, { isFresh: false });
    }
  }

  /** A pod joined a network, or is about to. */
  attach(record: AttachmentRecord, { isFresh = true }: { readonly isFresh?: boolean } = {}): void {
    if (!isOnOwnNetwork(record)) return;
    let namespace = this.#namespaces.get(record.netnsIdentity);
    if (namespace === undefined) {
      namespace = {
        place: { path: record.netns, identity: record.netnsIdentity },
        pod: describePod(record),
        attachments: new Map(),
        held: this.#mayHold && !isFresh ? "unknown" : undefined,
        digest: "",
        isDirty: false,
        working: undefined,
        failures: 0,
        trouble: "",
        cancelRetry: () => {},
      };
      this.#namespaces.set(record.netnsIdentity, namespace);
    }
    const before = namespace.attachments.get(record.id);
    namespace.attachments.set(record.id, record);
    if (before?.ifname !== record.ifname || before.network !== record.network)
      this.#touch(namespace);
  }

  /** It left: mostly the whole namespace is about to go. */
  detach(id: AttachmentId): void {
    for (const [key, namespace] of this.#namespaces) {
      if (!namespace.attachments.delete(id)) continue;
      // The last interface went; what is held goes while there is a namespace to hold it.
      if (namespace.attachments.size === 0 && namespace.held === undefined) this.#forget(key);
      else this.#touch(namespace);
      return;
    }
  }

  /** An attach that failed: whatever was told of it is not so. */
  abandon(id: string): void {
    for (const namespace of [...this.#namespaces.values()]) {
      for (const record of [...namespace.attachments.values()]) {
        if (record.id === id || record.primaryId === id) this.detach(record.id);
      }
    }
  }

  /** Resolves when the namespace of an attachment was programmed, or tried; undefined: nothing is to be done. */
  settle(record: AttachmentRecord): Promise<void> | undefined {
    this.attach(record);
    const namespace = this.#namespaces.get(record.netnsIdentity);
    return namespace?.working?.then(() => {
      if (namespace.trouble !== "") throw new Error(namespace.trouble);
    });
  }

  /** What is wrong with the namespace of a pod; "": nothing, or there is none. */
  troubleInside(netnsIdentity: string): string {
    const namespace = this.#namespaces.get(netnsIdentity);
    if (namespace === undefined) return "";
    if (namespace.trouble === "" && namespace.working) return "it is being programmed";
    return namespace.trouble;
  }

  /** What is wrong, a sentence for each namespace. */
  troubles(): readonly string[] {
    return [...this.#namespaces.values()].flatMap(({ pod, trouble }) =>
      trouble === "" ? [] : [`Services in the namespace of ${pod}: ${trouble}`],
    );
  }

  async reset(plan: ServicePlan, revision: number): Promise<ProgramOutcome> {
    await this.#ensure();
    this.#frontends.clear();
    this.#networkOf.clear();
    for (const frontend of plan.frontends.values()) this.#put(frontend);
    this.#hasPlan = true;
    this.#check();
    for (const namespace of this.#namespaces.values()) this.#touch(namespace);
    return this.#outcome(revision);
  }

  async apply(changes: PlanChanges): Promise<ProgramOutcome> {
    const networks = new Set<string>();
    for (const key of changes.removeFrontends) networks.add(this.#remove(key));
    for (const frontend of changes.putFrontends) {
      networks.add(this.#remove(frontend.key));
      networks.add(this.#put(frontend));
    }
    networks.delete("");
    if (networks.size > 0) {
      for (const namespace of this.#namespaces.values()) {
        const isOn = [...namespace.attachments.values()].some((each) => networks.has(each.network));
        if (isOn) this.#touch(namespace);
      }
    }
    return this.#outcome(changes.revision);
  }

  /** The node holds nothing; what namespaces do is asked for by pod. */
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
    for (const namespace of this.#namespaces.values()) namespace.cancelRetry();
    this.#queue.clear();
    await this.#opening?.catch(() => {});
    await this.#plane?.close();
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

  /** Resolves when every namespace that waits was tried. */
  async #outcome(revision: number): Promise<ProgramOutcome> {
    const working = [...this.#namespaces.values()].flatMap((namespace) => namespace.working ?? []);
    await Promise.all(working);
    return { revision, refused: [] };
  }

  /** Something that a namespace depends on changed. Most have nothing to do with any Service. */
  #touch(namespace: Namespace): void {
    if (!this.#hasPlan || this.#isClosed) return;
    if (namespace.working === undefined && this.#isRight(namespace)) return;
    namespace.isDirty = true;
    if (namespace.working) return;
    namespace.cancelRetry();
    namespace.working = new Promise<void>((resolve) => {
      this.#done.set(namespace, resolve);
    });
    this.#queue.add(namespace);
    this.#next();
  }

  #next(): void {
    while (this.#running < LIMITS.podNamespacesAtOnceMax) {
      const [namespace] = this.#queue;
      if (namespace === undefined) return;
      this.#queue.delete(namespace);
      this.#running++;
      void this.#work(namespace).finally(() => {
        this.#running--;
        namespace.working = undefined;
        this.#done.get(namespace)?.();
        this.#done.delete(namespace);
        // Touched between the last look and now.
        if (namespace.isDirty) this.#touch(namespace);
        this.#next();
      });
    }
  }

  async #work(namespace: Namespace): Promise<void> {
    const { clock, events } = this.#deps;
    // All networks of a pod are told of in one turn: they are one ruleset.
    await Promise.resolve();
    try {
      while (namespace.isDirty && !this.#isClosed) {
        namespace.isDirty = false;
        if (this.#isRight(namespace)) continue;
        const what = `Programming the namespace of ${namespace.pod}`;
        const limitMs = LIMITS.podNamespaceMs;
        await withDeadline(this.#program(namespace), { clock, limitMs, what });
      }
      if (namespace.attachments.size === 0) this.#forget(namespace.place.identity);
      if (namespace.failures === 0) return;
      const message = `The namespace of ${namespace.pod} holds its Services, after ${namespace.failures} failures`;
      namespace.failures = 0;
      namespace.trouble = "";
      events.emit({ kind: "services-recovered", subject: namespace.pod, message });
    } catch (error) {
      await this.#fail(namespace, error);
    }
  }

  async #program(namespace: Namespace): Promise<void> {
    const plane = await this.#ensure();
    const { place } = namespace;
    const before = namespace.held;
    const plan = this.#planOf(namespace);
    this.#hold(namespace, "unknown");
    await plane.program(place, plan);
    namespace.digest = await plane.inspect(place, plan);
    this.#hold(namespace, plan.frontends.length === 0 ? undefined : plan);
    const gone = typeof before === "object" ? before.frontends : [];
    await this.#dropStaleFlows(plane, place, [...gone, ...plan.frontends]);
  }

  /** Flows that lead to endpoints that serve no more, and those that began before there were rules (services.md 3.6). */
  async #dropStaleFlows(
    plane: NamespacePlane,
    place: NetnsPlace,
    frontends: readonly PlannedFrontend[],
  ): Promise<void> {
    const followed = frontends.filter(
      ({ protocol, onNetwork }) => protocol === "UDP" || onNetwork?.closeTcpFlows === true,
    );
    const groups = Map.groupBy(followed, ({ family, protocol }) => `${family} ${protocol}`);
    for (const group of groups.values()) {
      const [first] = group;
      if (first === undefined) continue;
      const { family, protocol } = first;
      const conntrack = plane.conntrack(place);
      const isStale = staleTest(group, this.#deps.findServing);
      await conntrack.remove(await conntrack.flows({ family, protocol }, isStale));
    }
  }

  async #fail(namespace: Namespace, error: unknown): Promise<void> {
    const isThere = await this.#deps.isThere(namespace.place).catch(() => true);
    if (this.#isClosed) return;
    if (!isThere) {
      // With the namespace everything in it is gone.
      this.#forget(namespace.place.identity);
      return;
    }
    namespace.isDirty = false;
    namespace.failures++;
    const { clock, events } = this.#deps;
    const delayMs = Math.min(
      LIMITS.planeRetryMaxMs,
      LIMITS.planeRetryMinMs * 2 ** Math.min(namespace.failures - 1, 20),
    );
    const before = namespace.trouble;
    namespace.trouble = formatErrorChain(error);
    if (namespace.trouble !== before) {
      const message = `Cannot program Services in the namespace of ${namespace.pod}: ${namespace.trouble}`;
      events.emit({ kind: "services-failed", subject: namespace.pod, message });
    }
    namespace.cancelRetry = clock.after(delayMs, () => this.#touch(namespace));
  }

  /** Whether it holds what it should, as far as anybody knows. */
  #isRight(namespace: Namespace): boolean {
    const { held } = namespace;
    if (held === "unknown") return false;
    const wanted = this.#planOf(namespace);
    if (held === undefined) return wanted.frontends.length === 0;
    return samePlan(held, wanted);
  }

  #planOf({ attachments, pod }: Namespace): NamespacePlan {
    const ifnames = new Map<string, string[]>();
    const frontends: PlannedFrontend[] = [];
    for (const { network, ifname } of attachments.values()) {
      const known = this.#frontends.get(network);
      if (known === undefined) continue;
      const names = ifnames.get(network);
      if (names) {
        names.push(ifname);
        names.sort();
        continue;
      }
      ifnames.set(network, [ifname]);
      frontends.push(...known.values());
    }
    frontends.sort((one, other) => (one.key < other.key ? -1 : 1));
    return { frontends, ifnames, client: pod };
  }

  #hold(namespace: Namespace, held: Namespace["held"]): void {
    const before = namespace.held !== undefined;
    namespace.held = held;
    const after = held !== undefined;
    if (before === after) return;
    this.#holding += after ? 1 : -1;
    if (this.#holding === (after ? 1 : 0)) this.#deps.onHolding(after);
  }

  #forget(identity: string): void {
    const namespace = this.#namespaces.get(identity);
    if (namespace === undefined) return;
    namespace.cancelRetry();
    namespace.isDirty = false;
    this.#queue.delete(namespace);
    this.#namespaces.delete(identity);
    if (namespace.held !== undefined) this.#hold(namespace, undefined);
  }

  /** A slow look at what namespaces hold: whoever may change rules in a pod may flush them. */
  #check(): void {
    this.#cancelCheck();
    if (this.#isClosed) return;
    this.#cancelCheck = this.#deps.clock.after(LIMITS.podNamespacesCheckMs, () => {
      void this.#checkAll().finally(() => this.#check());
    });
  }

  async #checkAll(): Promise<void> {
    const plane = this.#plane;
    for (const namespace of [...this.#namespaces.values()]) {
      const { held, place, working } = namespace;
      if (this.#isClosed || !plane) return;
      if (typeof held !== "object" || working) continue;
      try {
        const found = await plane.inspect(place, held);
        if (namespace.held !== held || namespace.working || found === namespace.digest) continue;
        const message = `Services in the namespace of ${namespace.pod} were changed by somebody: they are written anew`;
        this.#deps.events.emit({ kind: "services-repaired", subject: namespace.pod, message });
        this.#hold(namespace, "unknown");
        this.#touch(namespace);
      } catch (error) {
        if (!namespace.working) await this.#fail(namespace, error);
      }
    }
  }

  #ensure(): Promise<NamespacePlane> {
    this.#opening ??= this.#deps.open().then(
      (plane) => (this.#plane = plane),
      (error: unknown) => {
        this.#opening = undefined;
        throw error;
      },
    );
    return this.#opening;
  }
}

/** Frontends are the table's own: the same object is the same frontend. */
function samePlan(one: NamespacePlan, other: NamespacePlan): boolean {
  if (one.frontends.length !== other.frontends.length) return false;
  if (one.frontends.some((frontend, index) => frontend !== other.frontends[index])) return false;
  const namesOf = ({ ifnames }: NamespacePlan): string => JSON.stringify([...ifnames].sort());
  return namesOf(one) === namesOf(other);
}
