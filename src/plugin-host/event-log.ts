import type { EventKind, EventSink, HostEvent } from "./core/ports.ts";

/** An event with the time at which it was emitted, ms since 1970. */
export interface TimedEvent extends HostEvent {
  readonly timeMs: number;
}

/** Of a message, UTF-16 units: what plugins find may be without end, and many events are kept. */
const MESSAGE_MAX = 4_096;

/** What rounds of reconciliation say again each time, as long as it is so. */
const REPEATED: ReadonlySet<EventKind> = new Set([
  "detach-failed",
  "drift-found",
  "flush-failed",
  "reconcile-failed",
]);
/** The same of the same subject is told once in this time, ms. */
const REPEAT_MS = 600_000;

export type EventListener = (event: TimedEvent) => void;

/** Keeps the last events and tells listeners of new ones. */
export class EventLog implements EventSink {
  readonly #max: number;
  readonly #now: () => number;
  readonly #events: TimedEvent[] = [];
  readonly #listeners = new Set<EventListener>();
  /** When such a message was told last, by kind, subject and message. */
  readonly #told = new Map<string, number>();

  constructor(options: { max: number; now: () => number }) {
    this.#max = options.max;
    this.#now = options.now;
  }

  emit(event: HostEvent): void {
    const timed = { ...event, message: shorten(event.message), timeMs: this.#now() };
    if (REPEATED.has(event.kind) && this.#wasTold(timed)) return;
    this.#events.push(timed);
    if (this.#events.length > this.#max) this.#events.shift();
    for (const listener of this.#listeners) listener(timed);
  }

  /** Remembers it as well; of no more than the events that are kept. */
  #wasTold({ kind, subject, message, timeMs }: TimedEvent): boolean {
    const key = JSON.stringify([kind, subject, message]);
    const toldMs = this.#told.get(key);
    // Wall time may jump back.
    if (toldMs !== undefined && Math.abs(timeMs - toldMs) < REPEAT_MS) return true;
    this.#told.delete(key);
    const [oldest] = this.#told.keys();
    if (oldest !== undefined && this.#told.size >= this.#max) this.#told.delete(oldest);
    this.#told.set(key, timeMs);
    return false;
  }

  /** The last `count` events, oldest first. */
  last(count: number): readonly TimedEvent[] {
    return count === 0 ? [] : this.#events.slice(-count);
  }

  /** Returns the function that ends it. */
  listen(listener: EventListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

function shorten(text: string): string {
  return text.length <= MESSAGE_MAX ? text : `${text.slice(0, MESSAGE_MAX - 3)}...`;
}
