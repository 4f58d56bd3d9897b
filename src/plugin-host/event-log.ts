import type { EventSink, HostEvent } from "./core/ports.ts";

/** An event with the time at which it was emitted, ms since 1970. */
export interface TimedEvent extends HostEvent {
  readonly timeMs: number;
}

/** Of a message, UTF-16 units: what plugins find may be without end, and many events are kept. */
const MESSAGE_MAX = 4_096;

export type EventListener = (event: TimedEvent) => void;

/** Keeps the last events and tells listeners of new ones. */
export class EventLog implements EventSink {
  readonly #max: number;
  readonly #now: () => number;
  readonly #events: TimedEvent[] = [];
  readonly #listeners = new Set<EventListener>();

  constructor(options: { max: number; now: () => number }) {
    this.#max = options.max;
    this.#now = options.now;
  }

  emit(event: HostEvent): void {
    const timed = { ...event, message: shorten(event.message), timeMs: this.#now() };
    this.#events.push(timed);
    if (this.#events.length > this.#max) this.#events.shift();
    for (const listener of this.#listeners) listener(timed);
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
