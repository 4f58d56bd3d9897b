import { LIMITS } from "../limits.ts";
import type { Clock, EventSink, HostEvent } from "./ports.ts";

/** A trouble that was told. All monotonic ms. */
interface Told {
  readonly text: string;
  readonly seenMs: number;
  /** From here on it is told again, although the reason is the same. */
  readonly dueMs: number;
  readonly pauseMs: number;
}

/**
 * Events of what goes wrong in each round of reconciliation: told at once, and again when the reason
 * changes or after pauses that double up to an hour. A detach that is stuck must not push everything
 * else out of the events that are kept.
 */
export class LastingTroubles implements EventSink {
  readonly #clock: Clock;
  readonly #events: EventSink;
  readonly #told = new Map<string, Told>();

  constructor(ports: { readonly clock: Clock; readonly events: EventSink }) {
    this.#clock = ports.clock;
    this.#events = ports.events;
  }

  emit(event: HostEvent): void {
    const key = `${event.kind} ${event.subject}`;
    // Counts and times in it are no other reason.
    const text = event.message.slice(0, TEXT_MAX).replaceAll(/\d+/g, "0");
    const seenMs = this.#clock.monotonicMs();
    const before = this.#told.get(key);
    const isSame = before?.text === text && seenMs - before.seenMs < FORGET_MS;
    const isPaused = isSame && seenMs < before.dueMs;
    const pauseMs = isSame
      ? Math.min(before.pauseMs * 2, LIMITS.troublePauseMaxMs)
      : FIRST_PAUSE_MS;
    // The last one seen is the last in the map.
    this.#told.delete(key);
    this.#told.set(
      key,
      isPaused ? { ...before, seenMs } : { text, seenMs, dueMs: seenMs + pauseMs, pauseMs },
    );
    this.#forget(seenMs);
    if (!isPaused) this.#events.emit(event);
  }

  #forget(nowMs: number): void {
    for (const [key, { seenMs }] of this.#told) {
      if (this.#told.size <= LIMITS.attachmentsMax && nowMs - seenMs < FORGET_MS) return;
      this.#told.delete(key);
    }
  }
}

/** Of a message, UTF-16 units: what makes a reason another one stands before. */
const TEXT_MAX = 1_000;
/** Two rounds. */
const FIRST_PAUSE_MS = 2 * LIMITS.reconcileMs;
/** What was not seen for so long is over: rounds take longer than their pause. */
const FORGET_MS = 60 * LIMITS.reconcileMs;
