import { formatErrorChain } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";
import type { Clock, EventSink } from "../../core/ports.ts";
import { ApiError, type KubernetesApi } from "../api.ts";
import { outcomeOf, type Write, type WriteKind, type WriteOutcome } from "./write.ts";

/** Says what is to be written now, from memory, as often as it is asked. */
export interface Board {
  readonly kind: WriteKind;
  /** What RBAC must allow: "patch on pods/status". */
  readonly rights: string;
  /**
   * A write whose key is not busy; else the monotonic time from which on there may be one; undefined: none
   * before wake() is called.
   */
  next(nowMs: number, busy: ReadonlySet<string>): Write | number | undefined;
  ended(write: Write, outcome: WriteOutcome, nowMs: number): void;
}

export interface WriterPorts {
  readonly api: Pick<KubernetesApi, "request">;
  readonly clock: Clock;
  readonly events: EventSink;
  /** Counts. */
  readonly onWrite?: (kind: WriteKind, outcome: WriteOutcome) => void;
}

/** Writes of a kind that the server does not allow this host. */
export interface PublishDenial {
  /** "the network-status of pod default/web": the last that was tried. */
  readonly what: string;
  readonly message: string;
  /** What RBAC must allow: "patch on pods/status". */
  readonly rights: string;
}

const WHAT: Readonly<Record<WriteKind, string>> = {
  "network-status": "the network-status of pod",
  event: "an Event about",
  "node-condition": "condition NetworkUnavailable of node",
};

/**
 * Writes what a board says, a few at a time. What concerns all writes of the kind (no server, no rights) stops
 * all of them, with one try after each pause; what concerns one object is the board's to decide.
 */
export class Writer {
  readonly #ports: WriterPorts;
  readonly #board: Board;
  readonly #runningMax: number;
  readonly #abort = new AbortController();
  readonly #running = new Map<string, Promise<void>>();
  #cancelTimer: () => void = () => {};
  #timerMs = Number.POSITIVE_INFINITY;
  /** Nothing is tried before, monotonic ms. */
  #pausedMs = Number.NEGATIVE_INFINITY;
  /** The next pause; 0: the last write was answered. */
  #pauseMs = 0;
  /** What was told of the trouble under way, so that it is told once. */
  #told = "";
  #denial: PublishDenial | undefined;

  constructor(ports: WriterPorts, options: { readonly board: Board; readonly runningMax: number }) {
    this.#ports = ports;
    this.#board = options.board;
    this.#runningMax = options.runningMax;
  }

  /** Undefined: the last write was not denied. */
  get denial(): PublishDenial | undefined {
    return this.#denial;
  }

  /** Something may have changed. What comes within the delay is looked at together. */
  wake(delayMs: number = LIMITS.publishDelayMs): void {
    this.#lookAt(this.#ports.clock.monotonicMs() + delayMs);
  }

  /** Ends what is under way; nothing is written from here on. */
  async close(): Promise<void> {
    this.#abort.abort();
    this.#cancelTimer();
    await Promise.all(this.#running.values());
  }

  /** The earliest of all wishes counts. */
  #lookAt(atMs: number): void {
    if (this.#abort.signal.aborted) return;
    const { clock } = this.#ports;
    const dueMs = Math.max(atMs, this.#pausedMs);
    if (dueMs >= this.#timerMs) return;
    this.#cancelTimer();
    this.#timerMs = dueMs;
    this.#cancelTimer = clock.after(Math.max(0, dueMs - clock.monotonicMs()), () => {
      this.#timerMs = Number.POSITIVE_INFINITY;
      this.#run();
    });
  }

  #run(): void {
    const nowMs = this.#ports.clock.monotonicMs();
    if (nowMs < this.#pausedMs) {
      this.#lookAt(this.#pausedMs);
      return;
    }
    // After a failure of all, one write tries whether it is over.
    const max = this.#pauseMs > 0 ? 1 : this.#runningMax;
    while (this.#running.size < max && !this.#abort.signal.aborted) {
      const next = this.#board.next(nowMs, new Set(this.#running.keys()));
      if (next === undefined) return;
      if (typeof next === "number") {
        this.#lookAt(Math.max(next, nowMs + 1));
        return;
      }
      this.#running.set(next.key, this.#write(next));
    }
  }

  async #write(write: Write): Promise<void> {
    const { clock } = this.#ports;
    let outcome: WriteOutcome = "written";
    let failure: unknown;
    try {
      await this.#request(write);
    } catch (error) {
      failure = error;
      outcome = outcomeOf(error);
    }
    this.#running.delete(write.key);
    if (this.#abort.signal.aborted) return;
    const nowMs = clock.monotonicMs();
    this.#ports.onWrite?.(this.#board.kind, outcome);
    this.#board.ended(write, outcome, nowMs);
    if (outcome === "denied" || outcome === "away") this.#pause(failure, nowMs);
    else if (this.#pauseMs > 0) this.#resume();
    if (outcome === "denied") this.#denial = this.#denialOf(write, failure);
    this.#tell(write, outcome, failure);
    this.#lookAt(nowMs);
  }

  async #request(write: Write): Promise<void> {
    const { api, clock } = this.#ports;
    const late = new AbortController();
    const cancel = clock.after(LIMITS.publishRequestMs, () => late.abort());
    try {
      const signal = AbortSignal.any([this.#abort.signal, late.signal]);
      await api.request({ ...write.request, signal });
    } finally {
      cancel();
    }
  }

  #pause(failure: unknown, nowMs: number): void {
    // Of writes that fail together one counts.
    if (nowMs < this.#pausedMs) return;
    const doubled = Math.min(this.#pauseMs * 2, LIMITS.publishRetryMaxMs);
    this.#pauseMs = Math.max(doubled, LIMITS.publishRetryMinMs);
    const asked = failure instanceof ApiError ? failure.retryAfterMs : 0;
    const pauseMs = Math.max(this.#pauseMs, Math.min(asked, LIMITS.publishRetryMaxMs));
    this.#pausedMs = nowMs + pauseMs;
  }

  #resume(): void {
    this.#pauseMs = 0;
    this.#told = "";
    this.#denial = undefined;
  }

  /** Of credentials that the server does not know, the watches tell. */
  #denialOf({ subject }: Write, failure: unknown): PublishDenial | undefined {
    if (!(failure instanceof ApiError) || failure.status !== 403) return undefined;
    const { kind, rights } = this.#board;
    return { what: `${WHAT[kind]} ${subject}`, message: failure.message, rights };
  }

  /** That the server does not answer is told by the watches. */
  #tell({ subject }: Write, outcome: WriteOutcome, failure: unknown): void {
    const { kind, rights } = this.#board;
    if (outcome !== "denied" && outcome !== "refused" && outcome !== "away") return;
    if (failure instanceof ApiError && failure.status === 0) return;
    // The namespace is going, or full of Events: nobody misses one.
    if (kind === "event" && outcome === "refused") return;
    const told = outcome === "refused" ? "" : outcome;
    if (told !== "" && told === this.#told) return;
    if (told !== "") this.#told = told;
    const why =
      outcome === "denied" ? `, the host needs ${rights} (deploy/kubernetes/rbac.yaml)` : "";
    this.#ports.events.emit({
      kind: "kubernetes-publish-failed",
      subject: kind,
      message: `Cannot write ${WHAT[kind]} ${subject}: ${formatErrorChain(failure)}${why}`,
    });
  }
}
