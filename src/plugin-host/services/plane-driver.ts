import { noPlanChanges } from "../../services/apply-changes.ts";
import type { FrontendKey } from "../../services/model.ts";
import type { PlanChanges, ServicePlan } from "../../services/plan-types.ts";
import type { ProgramOutcome, ServicePlane } from "../../services/service-plane.ts";
import { withDeadline } from "../core/deadline.ts";
import type { Clock, EventSink } from "../core/ports.ts";
import { formatErrorChain } from "../errors.ts";
import { LIMITS } from "../limits.ts";

/** What a driver needs of the core that owns it. */
export interface PlaneDriverPorts {
  readonly clock: Clock;
  readonly events: EventSink;
  /** The plan as it is now, and its revision. */
  readonly plan: () => { readonly plan: ServicePlan; readonly revision: number };
  /** A call has ended, one way or the other. */
  readonly ended: (driver: PlaneDriver, call: EndedCall) => void;
}

export interface EndedCall {
  readonly kind: "reset" | "apply";
  readonly ok: boolean;
  readonly ms: number;
}

interface PlaneCall {
  readonly kind: EndedCall["kind"];
  readonly revision: number;
  /** Of an apply. */
  readonly changes?: PlanChanges;
}

interface Tamper {
  readonly what: string;
  readonly sinceMs: number;
}

/**
 * Keeps one plane at the plan: one call at a time, differences while all is well, the whole plan
 * after a failure (with growing pauses) and after somebody else changed what it holds (at once).
 */
export class PlaneDriver {
  readonly plane: ServicePlane;
  /** Everything waits for a required plane; others are left out while they are down. */
  readonly isRequired: boolean;
  /** The host's own, whose first plan is waited for. */
  readonly isOwn: boolean;
  readonly version: string;
  readonly #ports: PlaneDriverPorts;
  readonly #refused = new Map<FrontendKey, string>();
  #queue: PlanChanges[] = [];
  #state: "stopped" | "idle" | "busy" | "waiting" = "stopped";
  #needsReset = true;
  #hasProgrammed = false;
  #programmedRevision = 0;
  #failures = 0;
  #trouble = "";
  #busySinceMs = 0;
  #cancelTimer: () => void = () => {};
  #cancelRetry: () => void = () => {};
  #tamper: Tamper | undefined;
  #repairs = 0;
  #repairedMs = Number.NEGATIVE_INFINITY;
  /** Of the call that may still run in the plane, also past its deadline. */
  #unsettledCall = 0;
  #lastCall = 0;

  constructor(
    plane: ServicePlane,
    ports: PlaneDriverPorts & {
      readonly isRequired: boolean;
      readonly isAwaited?: boolean;
      readonly version: string;
    },
  ) {
    this.plane = plane;
    this.version = ports.version;
    this.isRequired = ports.isRequired;
    this.isOwn = ports.isRequired || ports.isAwaited === true;
    this.#ports = ports;
    plane.onTamper((what) => this.#onTamper(what));
  }

  /** The newest revision that it holds; 0 before the first. */
  get programmedRevision(): number {
    return this.#programmedRevision;
  }

  /** Frontends that it could not program, and why. */
  get refused(): ReadonlyMap<FrontendKey, string> {
    return this.#refused;
  }

  /** It has held a plan of ours. */
  get hasProgrammed(): boolean {
    return this.#hasProgrammed;
  }

  /** Nothing to do and nothing under way. */
  get isIdle(): boolean {
    return this.#state === "idle" && this.#queue.length === 0 && !this.#needsReset;
  }

  /** Waits before it tries again. */
  get isPaused(): boolean {
    return this.#state === "waiting";
  }

  /** Its last call failed; it is tried again after a pause. */
  get isDown(): boolean {
    return this.#failures > 0;
  }

  /** Why it is down, or left out of what counts; "" while it is not. */
  get trouble(): string {
    if (this.#trouble !== "" || this.counts || this.#state === "stopped") return this.#trouble;
    return "it has not acknowledged its first snapshot yet";
  }

  /** Whether "programmed everywhere" has to wait for it. */
  get counts(): boolean {
    if (this.isRequired) return true;
    return (this.#hasProgrammed || this.isOwn) && !this.isDown;
  }

  /** How long its call has been running, ms. */
  get busyMs(): number {
    return this.#state === "busy" ? this.#ports.clock.monotonicMs() - this.#busySinceMs : 0;
  }

  /** Starts with the whole plan. */
  start(): void {
    if (this.#state !== "stopped") return;
    this.#state = "idle";
    this.#work();
  }

  /** A difference, to be programmed after what was offered before. */
  offer(changes: PlanChanges): void {
    // The reset to come reads the plan, and this is in it.
    if (this.#state === "stopped" || this.#needsReset) return;
    if (this.#queue.length >= LIMITS.planeQueueMax) this.#askForReset();
    else this.#queue.push(changes);
    this.#work();
  }

  /** No call starts any more; one under way is not waited for. */
  stop(): void {
    this.#state = "stopped";
    this.#cancelTimer();
    this.#cancelRetry();
    this.#lastCall++;
  }

  #work(): void {
    if (this.#state !== "idle") return;
    if (this.#needsReset) {
      const { plan, revision } = this.#ports.plan();
      this.#needsReset = false;
      this.#queue = [];
      this.#run({ kind: "reset", revision }, () => this.plane.reset(plan, revision));
      return;
    }
    const changes = this.#queue.shift();
    if (!changes) return;
    this.#run({ kind: "apply", revision: changes.revision, changes }, () =>
      this.plane.apply(changes),
    );
  }

  #run(call: PlaneCall, send: () => Promise<ProgramOutcome>): void {
    const { clock } = this.#ports;
    const { kind, revision } = call;
    this.#state = "busy";
    this.#busySinceMs = clock.monotonicMs();
    const number = ++this.#lastCall;
    this.#unsettledCall = number;
    const running = Promise.try(send).finally(() => {
      if (this.#unsettledCall === number) this.#unsettledCall = 0;
    });
    const limitMs = kind === "reset" ? LIMITS.planeResetMs : LIMITS.planeApplyMs;
    const what = `Programming revision ${revision}`;
    withDeadline(running, { clock, limitMs, what }).then(
      (outcome) => {
        if (number === this.#lastCall) this.#succeed(call, outcome);
      },
      (error: unknown) => {
        if (number === this.#lastCall) this.#fail(call, error);
      },
    );
  }

  #succeed(call: PlaneCall, outcome: ProgramOutcome): void {
    const { events } = this.#ports;
    const { name } = this.plane;
    const ms = this.busyMs;
    this.#state = "idle";
    this.#programmedRevision = call.revision;
    this.#hasProgrammed = true;
    if (this.#failures > 0) {
      const message = `${name} holds revision ${call.revision} again, after ${this.#failures} failures`;
      events.emit({ kind: "services-recovered", subject: name, message });
    }
    this.#failures = 0;
    this.#trouble = "";
    this.#noteRefused(outcome, call.changes);
    // Somebody who came while it ran is answered by the next one.
    const { kind } = call;
    if (kind === "reset" && this.#tamper && !this.#needsReset) this.#noteRepaired(this.#tamper);
    this.#ports.ended(this, { kind, ok: true, ms });
    this.#work();
    this.#retryRefusedLater();
  }

  #fail({ kind }: PlaneCall, error: unknown): void {
    const { events } = this.#ports;
    const { name } = this.plane;
    const ms = this.busyMs;
    this.#askForReset();
    this.#failures++;
    const before = this.#trouble;
    this.#trouble = formatErrorChain(error);
    const delayMs = backoffMs(this.#failures);
    // What is down for days must not push everything else out of the events.
    if (this.#trouble !== before || isPowerOfTwo(this.#failures)) {
      const message = `${name}: ${this.#trouble}; the whole plan follows in ${delayMs} ms`;
      events.emit({ kind: "services-failed", subject: name, message });
    }
    this.#wait(delayMs);
    this.#ports.ended(this, { kind, ok: false, ms });
  }

  /** A call past its deadline may still be at work in the plane: it is given time to end. */
  #wait(delayMs: number): void {
    this.#state = "waiting";
    const { clock } = this.#ports;
    const sinceMs = clock.monotonicMs();
    const late = this.#unsettledCall;
    const next = () => {
      const isLate = late !== 0 && this.#unsettledCall === late;
      if (isLate && clock.monotonicMs() - sinceMs < LIMITS.planeLateMs) {
        this.#cancelTimer = clock.after(delayMs, next);
        return;
      }
      this.#state = "idle";
      this.#work();
    };
    this.#cancelTimer = clock.after(delayMs, next);
  }

  #onTamper(what: string): void {
    // Not started: whatever the plane holds is overwritten anyway.
    if (this.#state === "stopped") return;
    const sinceMs = this.#ports.clock.monotonicMs();
    this.#tamper ??= { what, sinceMs };
    this.#askForReset();
    if (this.#state !== "idle") return;
    // Two who fight over a table must not do so without pause.
    if (sinceMs - this.#repairedMs > LIMITS.planeRepairQuietMs) this.#repairs = 0;
    const excess = this.#repairs - LIMITS.planeRepairsMax;
    this.#wait(excess > 0 ? backoffMs(excess) : LIMITS.planeTamperMs);
  }

  #askForReset(): void {
    this.#needsReset = true;
    this.#queue = [];
  }

  /** What was refused for lack of room may find some later. */
  #retryRefusedLater(): void {
    this.#cancelRetry();
    if (this.#refused.size === 0) return;
    this.#cancelRetry = this.#ports.clock.after(LIMITS.planeRefusedMs, () => {
      const { plan, revision } = this.#ports.plan();
      if (!this.isIdle || this.#programmedRevision !== revision) return;
      const keys = [...this.#refused.keys()];
      const putFrontends = keys.flatMap((key) => plan.frontends.get(key) ?? []);
      this.offer({ ...noPlanChanges, revision, putFrontends });
    });
  }

  #noteRepaired(tamper: Tamper): void {
    const nowMs = this.#ports.clock.monotonicMs();
    this.#tamper = undefined;
    this.#repairs++;
    this.#repairedMs = nowMs;
    const ms = Math.round((nowMs - tamper.sinceMs) * 10) / 10;
    const message = `${this.plane.name}: ${tamper.what}; everything is back after ${ms} ms`;
    this.#ports.events.emit({
      kind: "services-repaired",
      subject: this.plane.name,
      message,
    });
  }

  #noteRefused(outcome: ProgramOutcome, changes: PlanChanges | undefined): void {
    const before = new Map(this.#refused);
    if (changes === undefined) this.#refused.clear();
    else {
      for (const { key } of changes.putFrontends) this.#refused.delete(key);
      for (const key of changes.removeFrontends) this.#refused.delete(key);
    }
    for (const { key, reason } of outcome.refused) this.#refused.set(key, reason);
    const fresh = outcome.refused.filter(({ key, reason }) => before.get(key) !== reason);
    const [first] = fresh;
    if (!first) return;
    const more = fresh.length > 1 ? ` and ${fresh.length - 1} more` : "";
    const message = `${this.plane.name} refuses ${formatKey(first.key)}${more}: ${first.reason}`;
    this.#ports.events.emit({ kind: "services-refused", subject: this.plane.name, message });
  }
}

/** "[fd00:96::10]:80/TCP" */
function formatKey(key: FrontendKey): string {
  const [address = "", protocol, port] = key.split("|");
  return `${address.includes(":") ? `[${address}]` : address}:${port}/${protocol}`;
}

function backoffMs(failures: number): number {
  return Math.min(LIMITS.planeRetryMaxMs, LIMITS.planeRetryMinMs * 2 ** Math.min(failures - 1, 20));
}

function isPowerOfTwo(number: number): boolean {
  return (number & (number - 1)) === 0;
}
