import type { Family } from "../../../ip/address.ts";
import type { Conntrack, FlowFilter } from "../../../kernel/conntrack.ts";
import type { FrontendKey, Protocol } from "../../../services/model.ts";
import type { TableChanges } from "../../../services/table-types.ts";
import { withDeadline } from "../../core/deadline.ts";
import type { Clock } from "../../core/ports.ts";
import { staleFlows, staleTest } from "./stale-flows.ts";

/** One listing, or one deletion, ms. */
export const CONNTRACK_MS = 10_000;
/** Pause after the first failure, ms; doubled with each further one up to BACKOFF_MAX_MS. */
export const BACKOFF_MS = 1_000;
export const BACKOFF_MAX_MS = 60_000;
/** Frontends that wait for their round; the oldest are given up. */
const PENDING_MAX = 262_144;

export type StaleFrontend = TableChanges["staleFlows"][number];

/** One family and protocol brought in order: conntrack_reconciler_sync_duration_seconds, ..._deleted_entries_total. */
export interface FlowsSynced {
  readonly family: Family;
  readonly protocol: Protocol;
  readonly seconds: number;
  /** Frontends looked at. */
  readonly frontends: number;
  /** Flows that the kernel has of them. */
  readonly listed: number;
  readonly deleted: number;
}

export type FlowEvent =
  /** Tried again after a pause. */
  | { readonly kind: "failed"; readonly error: unknown; readonly retryMs: number }
  /** Too many frontends wait; flows of so many stay as they are. */
  | { readonly kind: "given-up"; readonly frontends: number };

/**
 * Deletes connection tracking entries that lead to endpoints which serve no more, so that a client
 * that keeps its UDP socket reaches another one (k/k#139628 and ten years before it). One round at
 * a time, with one listing for each family and protocol; what comes meanwhile is the next round's.
 */
export class FlowReconciler {
  readonly #conntrack: Conntrack;
  readonly #clock: Clock;
  readonly #findServing: (key: FrontendKey) => ReadonlySet<string> | undefined;
  readonly #onSynced: (synced: FlowsSynced) => void;
  readonly #onEvent: (event: FlowEvent) => void;
  #pending = new Map<FrontendKey, StaleFrontend>();
  /** Rounds, and pauses between them; undefined: nothing to do. */
  #running: Promise<void> | undefined;
  /** Ends the pause under way. */
  #wake: () => void = () => {};
  #isClosed = false;

  constructor(options: {
    /** Stays the caller's to close. */
    readonly conntrack: Conntrack;
    readonly clock: Clock;
    /** ServiceTable.servingEndpoints(). undefined: the frontend is gone, and all its flows go. */
    readonly findServing: (key: FrontendKey) => ReadonlySet<string> | undefined;
    readonly onSynced: (synced: FlowsSynced) => void;
    readonly onEvent: (event: FlowEvent) => void;
  }) {
    this.#conntrack = options.conntrack;
    this.#clock = options.clock;
    this.#findServing = options.findServing;
    this.#onSynced = options.onSynced;
    this.#onEvent = options.onEvent;
  }

  /**
   * Flows of these frontends are brought in order, TCP and SCTP where the frontend asks for it. To be called after the plane acknowledged the
   * revision that they are of: before that, packets would make the same entries again. At a start
   * with all frontends: healthy flows stay.
   */
  update(frontends: readonly StaleFrontend[]): void {
    if (this.#isClosed) return;
    for (const frontend of frontends) {
      if (frontend.protocol !== "UDP" && frontend.closeTcpFlows !== true) continue;
      this.#pending.set(frontend.key, frontend);
    }
    this.#bound();
    this.#start();
  }

  /** Resolves when nothing waits. */
  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** Resolves after the operation under way, within CONNTRACK_MS. What waits is forgotten. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#pending.clear();
    this.#wake();
    await this.settled();
  }

  #start(): void {
    if (this.#running !== undefined || this.#pending.size === 0) return;
    // A turn later: what is told in one go is one round, and nobody is called back from update().
    this.#running = Promise.resolve()
      .then(() => this.#run())
      .finally(() => {
        this.#running = undefined;
        // What came between the last look at the queue and now.
        this.#start();
      });
  }

  async #run(): Promise<void> {
    let retryMs = BACKOFF_MS;
    while (this.#pending.size > 0) {
      const round = this.#pending;
      this.#pending = new Map();
      try {
        await this.#round([...round.values()]);
        retryMs = BACKOFF_MS;
      } catch (error) {
        if (this.#isClosed) return;
        this.#pending = new Map([...round, ...this.#pending]);
        this.#bound();
        this.#onEvent({ kind: "failed", error, retryMs });
        await this.#pause(retryMs);
        retryMs = Math.min(2 * retryMs, BACKOFF_MAX_MS);
      }
    }
  }

  async #round(frontends: readonly StaleFrontend[]): Promise<void> {
    const groups = Map.groupBy(frontends, (frontend) => {
      return `${familyOf(frontend)} ${frontend.protocol}`;
    });
    for (const group of groups.values()) {
      const [first] = group;
      if (first === undefined || this.#isClosed) return;
      await this.#sync({ family: familyOf(first), protocol: first.protocol }, group);
    }
  }

  async #sync(filter: FlowFilter, frontends: readonly StaleFrontend[]): Promise<void> {
    const startMs = this.#clock.monotonicMs();
    const what = `IPv${filter.family} ${filter.protocol} flows`;
    let listed = 0;
    const isSuspect = staleTest(frontends, this.#findServing);
    const listing = this.#conntrack.flows(filter, (flow) => {
      listed += 1;
      return isSuspect(flow);
    });
    const suspects = await this.#bounded(listing, `Listing ${what}`);
    // Asked again: an endpoint that came meanwhile may have flows among those listed.
    const stale = staleFlows(suspects, frontends, this.#findServing);
    const deleted =
      stale.length === 0
        ? 0
        : await this.#bounded(this.#conntrack.remove(stale), `Deleting ${what}`);
    this.#onSynced({
      ...filter,
      seconds: (this.#clock.monotonicMs() - startMs) / 1000,
      frontends: frontends.length,
      listed,
      deleted,
    });
  }

  #bounded<T>(promise: Promise<T>, what: string): Promise<T> {
    return withDeadline(promise, { clock: this.#clock, limitMs: CONNTRACK_MS, what });
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(delayMs, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }

  #bound(): void {
    const overflow = this.#pending.size - PENDING_MAX;
    if (overflow <= 0) return;
    for (const key of [...this.#pending.keys()].slice(0, overflow)) this.#pending.delete(key);
    this.#onEvent({ kind: "given-up", frontends: overflow });
  }
}

/** Address text is canonical: a colon says IPv6. */
function familyOf({ address }: StaleFrontend): Family {
  return address.includes(":") ? 6 : 4;
}
