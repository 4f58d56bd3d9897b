import { KernelError } from "../../../kernel/kernel-error.ts";
import type { NetnsPlace } from "../../../kernel/netns-netfilter.ts";
import type { FrontendKey } from "../../../services/model.ts";
import type { NamespacePlan, NamespacePlane } from "../../../services/namespace-plane.ts";
import type { PlannedFrontend } from "../../../services/plan-types.ts";
import type { AttachmentId, AttachmentRecord } from "../../core/attachment.ts";
import { withDeadline } from "../../core/deadline.ts";
import { describePod } from "../../core/detach.ts";
import type { Clock, EventSink } from "../../core/ports.ts";
import { formatErrorChain } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";
import { staleTest } from "../flows/stale-flows.ts";

export interface PodNamespacePorts {
  readonly clock: Clock;
  readonly events: EventSink;
  readonly plane: () => Promise<NamespacePlane>;
  /** The plane that was given is of no use any more. */
  readonly lost: () => void;
  /** What it should hold now. */
  readonly planOf: (namespace: PodNamespace) => NamespacePlan;
  /** Runs work when it is its turn. */
  readonly inTurn: (work: () => Promise<void>) => Promise<void>;
  /** False: nothing is at the path, or another namespace. */
  readonly isThere: (place: NetnsPlace) => Promise<boolean>;
  readonly findServing: (key: FrontendKey) => ReadonlySet<string> | undefined;
  /** It begins to hold something of ours, or stops. */
  readonly holds: (isAny: boolean) => void;
  /** It is not there any more, or has nothing to do with networks any more. */
  readonly gone: (namespace: PodNamespace) => void;
}

/** The namespace of one pod, kept at its plan: one change at a time, failures tried again by themselves. */
export class PodNamespace {
  readonly place: NetnsPlace;
  readonly pod: string;
  /** Interfaces on networks that Services may be on. */
  readonly attachments = new Map<AttachmentId, AttachmentRecord>();
  /** By which it is told of; few, until it is forgotten. */
  readonly ids = new Set<AttachmentId>();
  readonly #ports: PodNamespacePorts;
  /** undefined: nothing of ours. "unknown": of an earlier host, or half of something. */
  #held: NamespacePlan | "unknown" | undefined;
  /** What inspect() said of it. */
  #digest = "";
  #isDirty = false;
  #working: Promise<void> | undefined;
  #failures = 0;
  #trouble = "";
  #isClosed = false;
  #isForgotten = false;
  #cancelTimer: () => void = () => {};

  constructor(record: AttachmentRecord, ports: PodNamespacePorts) {
    this.place = { path: record.netns, identity: record.netnsIdentity };
    this.pod = describePod(record);
    this.#ports = ports;
  }

  /** Looked at and, where it must be, programmed; undefined: nothing is under way. */
  get working(): Promise<void> | undefined {
    return this.#working;
  }

  /** Why it does not hold what it should; "": it does. */
  get trouble(): string {
    return this.#trouble;
  }

  /** An earlier host may have programmed it. */
  doubt(): void {
    this.#hold("unknown");
  }

  /** Something that it depends on changed. Most namespaces have nothing to do with any Service. */
  touch(): void {
    if (this.#isClosed || (this.#working === undefined && this.#isRight)) return;
    this.#isDirty = true;
    if (this.#working) return;
    this.#cancelTimer();
    this.#working = this.#ports
      .inTurn(() => this.#work())
      .finally(() => {
        this.#working = undefined;
        // Touched between the last look and now.
        if (this.#isDirty) this.touch();
      });
  }

  /** The pod leaves, and mostly its namespace goes with it: only one that stays has to be cleared. */
  leave(): void {
    this.attachments.clear();
    this.#cancelTimer();
    if (this.#held === undefined) this.forget();
    else this.#cancelTimer = this.#ports.clock.after(LIMITS.podLeavesMs, () => this.touch());
  }

  /** Looks whether somebody changed what it holds. */
  async check(): Promise<void> {
    const held = this.#held;
    if (typeof held !== "object" || this.#working || this.attachments.size === 0) return;
    try {
      const found = await (await this.#ports.plane()).inspect(this.place, held);
      if (this.#held !== held || this.#working || found === this.#digest) return;
      const message = `Services in the namespace of ${this.pod} were changed by somebody: they are written anew`;
      this.#ports.events.emit({ kind: "services-repaired", subject: this.pod, message });
    } catch (error) {
      // What cannot be read is written anew, and that says what is wrong.
      if (this.#working || !(error instanceof KernelError)) return;
    }
    this.#hold("unknown");
    this.touch();
  }

  /** Whatever it holds is no concern of ours any more. */
  forget(): void {
    this.#hold(undefined);
    this.#isForgotten = true;
    this.close();
    this.#ports.gone(this);
  }

  /** Nothing starts any more. What it holds stays. */
  close(): void {
    this.#isClosed = true;
    this.#isDirty = false;
    this.#cancelTimer();
  }

  /** Whether it holds what it should, as far as anybody knows. */
  get #isRight(): boolean {
    const held = this.#held;
    if (held === "unknown") return false;
    const wanted = this.#ports.planOf(this);
    return held === undefined ? wanted.frontends.length === 0 : samePlan(held, wanted);
  }

  async #work(): Promise<void> {
    const { clock } = this.#ports;
    // All networks of a pod are told of in one turn: they are one ruleset.
    await Promise.resolve();
    try {
      while (this.#isDirty) {
        this.#isDirty = false;
        if (this.#isRight) continue;
        const what = `Programming the namespace of ${this.pod}`;
        await withDeadline(this.#program(), { clock, limitMs: LIMITS.podNamespaceMs, what });
      }
      this.#recover();
    } catch (error) {
      await this.#fail(error);
    }
    if (this.attachments.size === 0 && this.#held === undefined) this.forget();
  }

  async #program(): Promise<void> {
    const { planOf, plane: open } = this.#ports;
    if (this.attachments.size === 0 && (await this.#isGone())) {
      this.forget();
      return;
    }
    const plane = await open();
    const before = this.#held;
    const plan = planOf(this);
    this.#hold("unknown");
    this.#digest = await plane.program(this.place, plan);
    this.#hold(plan.frontends.length === 0 ? undefined : plan);
    const gone = typeof before === "object" ? before.frontends : [];
    await this.#dropStaleFlows(plane, [...gone, ...plan.frontends]);
  }

  /** Flows that lead to endpoints that serve no more, and those that began before there were rules (services.md 3.6). */
  async #dropStaleFlows(
    plane: NamespacePlane,
    frontends: readonly PlannedFrontend[],
  ): Promise<void> {
    const followed = frontends.filter(
      ({ protocol, onNetwork }) => protocol === "UDP" || onNetwork?.closeTcpFlows === true,
    );
    const conntrack = plane.conntrack(this.place);
    const groups = Map.groupBy(followed, ({ family, protocol }) => `${family} ${protocol}`);
    for (const group of groups.values()) {
      const [first] = group;
      if (first === undefined) continue;
      const { family, protocol } = first;
      const isStale = staleTest(group, this.#ports.findServing);
      await conntrack.remove(await conntrack.flows({ family, protocol }, isStale));
    }
  }

  #recover(): void {
    if (this.#failures === 0) return;
    const message = `The namespace of ${this.pod} holds its Services, after ${this.#failures} failures`;
    this.#failures = 0;
    this.#trouble = "";
    this.#ports.events.emit({ kind: "services-recovered", subject: this.pod, message });
  }

  async #fail(error: unknown): Promise<void> {
    const { clock, events } = this.#ports;
    if (await this.#isGone()) {
      // With the namespace everything in it is gone.
      this.forget();
      return;
    }
    if (this.#isClosed) return;
    if (error instanceof KernelError && error.code === "WORKER_GONE") this.#ports.lost();
    this.#isDirty = false;
    this.#failures++;
    const doubled = LIMITS.planeRetryMinMs * 2 ** Math.min(this.#failures - 1, 20);
    const before = this.#trouble;
    this.#trouble = formatErrorChain(error);
    if (this.#trouble !== before) {
      const message = `Cannot program Services in the namespace of ${this.pod}: ${this.#trouble}`;
      events.emit({ kind: "services-failed", subject: this.pod, message });
    }
    const delayMs = Math.min(LIMITS.planeRetryMaxMs, doubled);
    this.#cancelTimer = clock.after(delayMs, () => this.touch());
  }

  async #isGone(): Promise<boolean> {
    try {
      return !(await this.#ports.isThere(this.place));
    } catch {
      return false;
    }
  }

  #hold(held: NamespacePlan | "unknown" | undefined): void {
    // A call under way may end later.
    if (this.#isForgotten) return;
    const before = this.#held !== undefined;
    this.#held = held;
    const after = held !== undefined;
    if (before !== after) this.#ports.holds(after);
  }
}

/** Frontends are the table's own: the same object is the same frontend. */
function samePlan(one: NamespacePlan, other: NamespacePlan): boolean {
  if (one.frontends.length !== other.frontends.length) return false;
  if (one.frontends.some((frontend, index) => frontend !== other.frontends[index])) return false;
  if (one.ifnames.size !== other.ifnames.size) return false;
  return [...one.ifnames].every(
    ([network, names]) => names.join() === other.ifnames.get(network)?.join(),
  );
}
