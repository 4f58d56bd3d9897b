import type { Family } from "../../ip/address.ts";
import type { AddressText, FrontendKey, NodeFacts } from "../../services/model.ts";
import type { ObjectEvent, ServicesObject } from "../../services/objects.ts";
import type { PodNetworkAddresses } from "../../services/pod-networks.ts";
import type { ServicePlane } from "../../services/service-plane.ts";
import type {
  ModelChange,
  ServiceState,
  ServiceTable,
  TableChanges,
} from "../../services/table-types.ts";
import type { Clock, EventSink } from "../core/ports.ts";
import { withDeadline } from "../core/deadline.ts";
import { LIMITS } from "../limits.ts";
import { type EndedCall, PlaneDriver } from "./plane-driver.ts";
import { Waiters } from "./waiters.ts";

export interface ServicesCorePorts {
  readonly clock: Clock;
  readonly events: EventSink;
  readonly table: ServiceTable;
  readonly metrics: ServicesMetrics;
}

/** What the core counts; services-metrics.ts makes numbers of it. */
export interface ServicesMetrics {
  /** Something arrived from a source. */
  queued(changes: QueuedChanges): void;
  /** Whatever arrived is with the planes, or changed nothing. */
  nothingPending(): void;
  /** Changes became a revision. */
  taken(changes: TableChanges): void;
  /** A call of the built-in plane ended; `triggeredMs` of the changes that it brought. */
  called(call: EndedCall & { readonly triggeredMs: readonly number[] }): void;
}

/** How many changes of Services and of endpoints arrived, by family. */
export type QueuedChanges = Readonly<
  Record<Family, { readonly services: number; readonly endpoints: number }>
>;

/** What others may follow. */
export interface ServicesListener {
  /** Something arrived from a source. */
  queued?(): void;
  /** A new revision of the plan. undefined: what arrived changed nothing of it. */
  taken?(changes: TableChanges | undefined): void;
  /** The built-in plane holds this revision now. */
  programmed?(programmed: Programmed): void;
}

export interface Programmed {
  readonly revision: number;
  /** It was given the whole plan anew. */
  readonly isReset: boolean;
  /** Frontends whose flows may lead to endpoints that serve no more. */
  readonly staleFlows: readonly StaleFlow[];
}

export type StaleFlow = TableChanges["staleFlows"][number];

export interface PlaneState {
  readonly name: string;
  readonly version: string;
  readonly builtIn: boolean;
  /** The newest revision that it holds. */
  readonly revision: number;
  /** "": nothing. */
  readonly trouble: string;
}

/** A change for WatchServices. A Service that is gone has no state. */
export interface ServiceWatchChange {
  readonly change: "changed" | "programmed" | "removed";
  readonly service: string;
}

/**
 * The node's Services: sources in, planes out. Changes are collected while the built-in plane works
 * and go at once when it does not. Deterministic: time and effects reach it as ports.
 */
export class ServicesCore {
  readonly #ports: ServicesCorePorts;
  readonly #drivers = new Map<ServicePlane, PlaneDriver>();
  readonly #listeners = new Set<ServicesListener>();
  readonly #watchers = new Set<(change: ServiceWatchChange) => void>();
  readonly #waiters: Waiters;
  /** Sources whose first list has not come yet. */
  readonly #awaited = new Set<string>();
  /** Those of them without which nothing is programmed, however late they are. */
  readonly #keeping = new Set<string>();
  /** Taken and not yet with the built-in plane: stale flows by frontend, trigger times (the oldest). */
  readonly #staleFlows = new Map<FrontendKey, { flow: StaleFlow; revision: number }>();
  #triggers: { readonly ms: number; readonly revision: number }[] = [];
  /** Services whose newest revision is not everywhere yet; only while somebody watches. */
  readonly #unprogrammed = new Map<string, number>();
  #takers: (() => void)[] = [];
  readonly #wishes: (() => void)[] = [];
  #isWanted = false;
  #isStarted = false;
  /** First lists were waited for long enough. */
  #isLate = false;
  #isStopped = false;
  #isKicked = false;
  /** Something arrived that was not taken yet. */
  #isQueued = false;
  #cancelStart: () => void = () => {};
  #cancelOverdue: (() => void) | undefined;

  constructor(ports: ServicesCorePorts) {
    this.#ports = ports;
    this.#waiters = new Waiters(ports.clock);
  }

  get table(): ServiceTable {
    return this.#ports.table;
  }

  get revision(): number {
    return this.table.revision;
  }

  /** The newest revision that every plane holds, those that are down left out. */
  get programmedRevision(): number {
    // Nobody wants Services: what the planes hold, nothing, is what they should hold.
    if (!this.#isWanted) return this.revision;
    const counted = [...this.#drivers.values()].filter((driver) => driver.counts);
    if (!this.#isStarted || counted.length === 0) return 0;
    return Math.min(...counted.map((driver) => driver.programmedRevision));
  }

  /** True once somebody gave Services, or was configured to. */
  get isWanted(): boolean {
    return this.#isWanted;
  }

  /** Planes with what is wrong with them; "": nothing. */
  get planes(): readonly PlaneState[] {
    return [...this.#drivers.values()].map((driver) => ({
      name: driver.plane.name,
      version: driver.version,
      builtIn: driver.isOwn,
      revision: driver.programmedRevision,
      trouble: driver.trouble,
    }));
  }

  /** Planes that programmedRevision says nothing of, each with the reason: "mirror: it hung up". */
  get leftOut(): readonly string[] {
    if (!this.#isStarted) return [];
    const drivers = [...this.#drivers.values()].filter((driver) => !driver.counts);
    return drivers.map(({ plane, trouble }) => `${plane.name}: ${trouble}`);
  }

  /** The built-in plane, where it holds the plan of this moment. */
  get settledPlane(): ServicePlane | undefined {
    const driver = [...this.#drivers.values()].find(({ isRequired }) => isRequired);
    if (!this.#isStarted || !driver?.isIdle) return undefined;
    return driver.programmedRevision === this.revision ? driver.plane : undefined;
  }

  /** New connections by frontend, as the built-in plane counts them; empty where it cannot say. */
  async connectionCounts(): Promise<ReadonlyMap<FrontendKey, bigint>> {
    const { clock } = this.#ports;
    const driver = [...this.#drivers.values()].find(({ isRequired }) => isRequired);
    if (!this.#isStarted || !driver) return new Map();
    const limitMs = LIMITS.planeReadMs;
    const counts = driver.plane.connectionCounts();
    return withDeadline(counts, { clock, limitMs, what: "Counting" }).catch(() => new Map());
  }

  /** Why planes could not program a frontend; "": they did, or are about to. */
  refusalOf(key: FrontendKey): string {
    const reasons = [...this.#drivers.values()].flatMap(({ plane, refused }) => {
      const reason = refused.get(key);
      return reason === undefined ? [] : [`${plane.name}: ${reason}`];
    });
    return reasons.join("; ");
  }

  /** Why the namespace of a pod does not hold a frontend as it should; "": it does, or has no part in it. */
  troubleInside(key: FrontendKey, netnsIdentity: string): string {
    if (this.table.planned(key)?.onNetwork === undefined) return "";
    const troubles = [...this.#drivers.values()].map(
      ({ plane }) => plane.troubleInside?.(netnsIdentity) ?? "",
    );
    return troubles.filter((trouble) => trouble !== "").join("; ");
  }

  /** `isRequired`: the built-in plane, which sets the pace. `isAwaited`: its first plan is waited for as well. */
  addPlane(
    plane: ServicePlane,
    options: {
      readonly isRequired: boolean;
      readonly isAwaited?: boolean;
      readonly version: string;
    },
  ): void {
    const { clock, events } = this.#ports;
    const driver = new PlaneDriver(plane, {
      ...options,
      clock,
      events,
      plan: () => ({ plan: this.table.plan(), revision: this.table.revision }),
      ended: (from, call) => this.#onCallEnded(from, call),
    });
    this.#drivers.set(plane, driver);
    if (this.#isStarted) driver.start();
  }

  /** A plugin went away. Its plane is closed by whoever made it. */
  removePlane(plane: ServicePlane): void {
    this.#drivers.get(plane)?.stop();
    this.#drivers.delete(plane);
    this.#progress();
  }

  /**
   * A source that will give a first list soon: nothing is programmed before, so that a restart does
   * not empty what the kernel holds. `keeps`: it may hold something of an earlier host; where it
   * cannot, LIMITS.servicesFirstListMs is the longest wait.
   */
  expectSource(source: string, options: { readonly keeps: boolean }): void {
    this.#awaited.add(source);
    if (options.keeps) this.#keeping.add(source);
    this.want();
  }

  /** Sources whose first list is overdue, so that the kernel keeps what an earlier host programmed. */
  get lateSources(): readonly string[] {
    return this.#isLate && !this.#isStarted ? [...this.#awaited] : [];
  }

  /** As expectSource(), should anybody want Services: this source alone is no reason. */
  awaitSource(source: string): void {
    this.#awaited.add(source);
  }

  /** From now on the planes hold the plan: an empty one as well. */
  want(): void {
    if (this.#isWanted || this.#isStopped) return;
    this.#isWanted = true;
    for (const call of this.#wishes.splice(0)) call();
    this.#cancelStart = this.#ports.clock.after(LIMITS.servicesFirstListMs, () => {
      if (this.#isStarted) return;
      this.#isLate = true;
      const late = [...this.#awaited].join(", ");
      for (const source of this.#awaited) {
        if (!this.#keeping.has(source)) this.#awaited.delete(source);
      }
      const stays = this.#awaited.size > 0 ? "; what the kernel holds stays until it comes" : "";
      const message = `No first list came within ${LIMITS.servicesFirstListMs} ms of: ${late}${stays}`;
      this.#ports.events.emit({ kind: "services-source-failed", subject: late, message });
      this.#kick();
    });
    this.#kick();
  }

  /** Calls once Services are wanted; at once when they are. */
  onWanted(call: () => void): void {
    if (this.#isWanted) call();
    else this.#wishes.push(call);
  }

  /** Its first list has come, or never will. */
  sourceIsReady(source: string): void {
    if (this.#awaited.delete(source)) this.#kick();
  }

  applyObjects(source: string, events: readonly ObjectEvent[]): void {
    this.want();
    this.table.applyObjects(source, events);
    this.#noteQueued(countObjects(events));
    if (events.some(({ kind }) => kind === "relist")) this.#awaited.delete(source);
    this.#kick();
  }

  applyModel(source: string, change: ModelChange): void {
    this.want();
    this.table.applyModel(source, change);
    this.#noteQueued(countModel(change));
    this.#awaited.delete(source);
    this.#kick();
  }

  setFacts(facts: NodeFacts): void {
    this.table.setFacts(facts);
    this.#kick();
  }

  changePodAddresses(change: {
    readonly add: readonly AddressText[];
    readonly remove: readonly AddressText[];
  }): void {
    this.table.changePodAddresses(change);
    this.#kick();
  }

  changePodNetworks(change: {
    readonly put: readonly PodNetworkAddresses[];
    readonly remove: readonly string[];
  }): void {
    this.table.changePodNetworks(change);
    this.#kick();
  }

  /** Resolves when everything given so far has a revision; answers the newest one. */
  async taken(): Promise<number> {
    await new Promise<void>((resolve) => {
      this.#takers.push(resolve);
      this.#kick();
    });
    return this.revision;
  }

  /**
   * Resolves with the programmed revision when every plane holds `revision` (absent: everything given
   * so far) and, with `service`, the newest revision of that Service, which must exist by then.
   * Throws PatchbayError DEADLINE_EXCEEDED or LIMIT_REACHED.
   */
  async waitProgrammed(wish: {
    readonly revision?: number;
    readonly service?: string;
    readonly timeoutMs: number;
  }): Promise<number> {
    const { service, timeoutMs } = wish;
    const sinceMs = this.#ports.clock.monotonicMs();
    let revision = wish.revision;
    if (revision === undefined) {
      let isTaken = false;
      void this.taken().then((newest) => {
        revision = service === undefined ? newest : 0;
        isTaken = true;
        this.#waiters.look();
      });
      await this.#waiters.wait(() => isTaken, { timeoutMs, why: () => this.#whyNot(wish) });
    }
    const leftMs = Math.max(0, timeoutMs - (this.#ports.clock.monotonicMs() - sinceMs));
    await this.#waiters.wait(() => this.#isProgrammed(revision ?? 0, service), {
      timeoutMs: leftMs,
      why: () => this.#whyNot({ ...wish, ...(revision && { revision }) }),
    });
    return this.programmedRevision;
  }

  /** True when every plane holds the Service as it is now. */
  isProgrammed(state: ServiceState): boolean {
    return state.revision <= this.programmedRevision;
  }

  listen(listener: ServicesListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells of Services that change, until the returned function is called. */
  watch(watcher: (change: ServiceWatchChange) => void): () => void {
    this.#watchers.add(watcher);
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size === 0) this.#unprogrammed.clear();
    };
  }

  /** Nothing is programmed any more; what the kernel holds stays there for the next host. */
  stop(): void {
    this.#isStopped = true;
    this.#cancelStart();
    this.#cancelOverdue?.();
    for (const driver of this.#drivers.values()) driver.stop();
    this.#waiters.close();
  }

  #noteQueued(changes: QueuedChanges): void {
    this.#isQueued = true;
    this.#ports.metrics.queued(changes);
    for (const listener of this.#listeners) listener.queued?.();
  }

  /** One token: whatever arrives before it is spent goes with it. */
  #kick(): void {
    if (this.#isKicked || this.#isStopped) return;
    this.#isKicked = true;
    queueMicrotask(() => {
      this.#isKicked = false;
      if (!this.#isStopped) this.#run();
    });
  }

  #run(): void {
    if (!this.#mayTake()) {
      // Others must not suffer long under a built-in plane that hangs.
      this.#cancelOverdue ??= this.#ports.clock.after(LIMITS.planeOverdueMs, () => {
        this.#cancelOverdue = undefined;
        this.#kick();
      });
      return;
    }
    this.#take();
    if (!this.#isStarted && this.#isWanted && this.#awaited.size === 0) this.#start();
    const takers = this.#takers;
    this.#takers = [];
    for (const taker of takers) taker();
  }

  #mayTake(): boolean {
    if (!this.#isStarted) return true;
    const required = [...this.#drivers.values()].filter((driver) => driver.isRequired);
    return required.every(
      (driver) => driver.isIdle || driver.isPaused || driver.busyMs >= LIMITS.planeOverdueMs,
    );
  }

  #take(): void {
    const changes = this.table.takeChanges();
    if (!changes) {
      if (this.#isQueued) for (const listener of this.#listeners) listener.taken?.(undefined);
      this.#isQueued = false;
      return;
    }
    this.#isQueued = false;
    this.#ports.metrics.taken(changes);
    if (this.#isWanted) this.#noteUnderway(changes);
    this.#tellChanged(changes);
    for (const listener of this.#listeners) listener.taken?.(changes);
    for (const driver of this.#drivers.values()) driver.offer(changes.changes);
  }

  #start(): void {
    this.#isStarted = true;
    this.#cancelStart();
    for (const driver of this.#drivers.values()) driver.start();
  }

  #onCallEnded(driver: PlaneDriver, call: EndedCall): void {
    if (driver.isRequired) this.#settleUnderway(driver, call);
    this.#progress();
    if (!this.#isQueued && driver.isIdle) this.#ports.metrics.nothingPending();
    this.#kick();
  }

  #noteUnderway({ changes, staleFlows, triggeredMs }: TableChanges): void {
    const { revision } = changes;
    for (const flow of staleFlows) this.#staleFlows.set(flow.key, { flow, revision });
    if (triggeredMs === undefined || this.#triggers.length >= LIMITS.servicesTriggersMax) return;
    this.#triggers.push({ ms: triggeredMs, revision });
  }

  #settleUnderway(driver: PlaneDriver, call: EndedCall): void {
    if (!call.ok) {
      this.#ports.metrics.called({ ...call, triggeredMs: [] });
      return;
    }
    const revision = driver.programmedRevision;
    const staleFlows: StaleFlow[] = [];
    for (const [key, stale] of this.#staleFlows) {
      if (stale.revision > revision) continue;
      staleFlows.push(stale.flow);
      this.#staleFlows.delete(key);
    }
    const done = this.#triggers.filter((trigger) => trigger.revision <= revision);
    this.#triggers = this.#triggers.slice(done.length);
    this.#ports.metrics.called({ ...call, triggeredMs: done.map(({ ms }) => ms) });
    const programmed = { revision, isReset: call.kind === "reset", staleFlows };
    for (const listener of this.#listeners) listener.programmed?.(programmed);
  }

  #progress(): void {
    this.#waiters.look();
    if (this.#unprogrammed.size === 0) return;
    const programmed = this.programmedRevision;
    for (const [service, revision] of this.#unprogrammed) {
      if (revision > programmed) continue;
      this.#unprogrammed.delete(service);
      this.#tell({ change: "programmed", service });
    }
  }

  #tellChanged(taken: TableChanges): void {
    if (this.#watchers.size === 0) return;
    for (const service of taken.services) {
      const state = this.table.view(service);
      if (state) this.#unprogrammed.set(service, state.revision);
      else this.#unprogrammed.delete(service);
      this.#tell({ change: state ? "changed" : "removed", service });
    }
  }

  #tell(change: ServiceWatchChange): void {
    for (const watcher of this.#watchers) watcher(change);
  }

  get #hasProgrammed(): boolean {
    const counted = [...this.#drivers.values()].filter((driver) => driver.counts);
    return this.#isStarted && counted.length > 0 && counted.every((each) => each.hasProgrammed);
  }

  #isProgrammed(revision: number, service: string | undefined): boolean {
    // Before the first reset the kernel may hold anything, and 0 is no revision.
    if (this.#isWanted && !this.#hasProgrammed) return false;
    const programmed = this.programmedRevision;
    if (programmed < revision) return false;
    if (service === undefined) return true;
    const state = this.table.view(service);
    return state !== undefined && state.revision <= programmed;
  }

  #whyNot(wish: {
    readonly revision?: number;
    readonly service?: string;
    readonly timeoutMs: number;
  }): string {
    const { revision = this.revision, service, timeoutMs } = wish;
    const within = `within ${timeoutMs} ms`;
    if (service !== undefined && !this.table.view(service)) {
      return `Service ${quote(service)} did not appear ${within}`;
    }
    if (this.#isStarted && revision > this.revision) {
      return `Revision ${revision} did not appear ${within}, the newest is ${this.revision}`;
    }
    const down = this.planes.filter(({ trouble }) => trouble !== "");
    const why = down.map(({ name, trouble }) => ` (${name}: ${trouble})`).join("");
    const waits = this.#isStarted ? "" : ` (waiting for ${[...this.#awaited].join(", ")})`;
    return `Revision ${revision} was not programmed${why}${waits} ${within}`;
  }
}

/** A name that a caller made up, fit for a terminal: as it is where that is harmless. */
function quote(name: string): string {
  if (/^[!-~]{1,320}$/.test(name)) return name;
  const text = JSON.stringify(name.length <= 80 ? name : `${name.slice(0, 77)}...`);
  return text.replace(
    /[^ -~]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function countObjects(events: readonly ObjectEvent[]): QueuedChanges {
  const counts = { 4: { services: 0, endpoints: 0 }, 6: { services: 0, endpoints: 0 } };
  const note = (object: ServicesObject) => {
    if (object.kind === "Service") {
      counts[4].services++;
      counts[6].services++;
    } else if (object.kind === "EndpointSlice") {
      counts[object.addressType === "IPv6" ? 6 : 4].endpoints++;
    }
  };
  for (const event of events) {
    if (event.kind === "put") note(event.object);
    else if (event.kind === "relist") for (const object of event.objects) note(object);
    else if (event.key.startsWith("Service/")) {
      counts[4].services++;
      counts[6].services++;
    } else if (event.key.startsWith("EndpointSlice/")) {
      // Its name does not say of which family it was.
      counts[4].endpoints++;
      counts[6].endpoints++;
    }
  }
  return counts;
}

function countModel(change: ModelChange): QueuedChanges {
  const counts = { 4: { services: 0, endpoints: 0 }, 6: { services: 0, endpoints: 0 } };
  for (const { family } of change.putFrontends) counts[family].services++;
  for (const { family } of change.putGroups) counts[family].endpoints++;
  for (const family of [4, 6] as const) {
    counts[family].services += change.removeFrontends.length;
    counts[family].endpoints += change.removeGroups.length;
  }
  return counts;
}
