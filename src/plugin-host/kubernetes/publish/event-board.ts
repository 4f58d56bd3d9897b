import type { AttachmentRecord } from "../../core/attachment.ts";
import type { Clock } from "../../core/ports.ts";
import { LIMITS } from "../../limits.ts";
import type { KubernetesView } from "../view.ts";
import {
  attachedEventOf,
  type ClusterEvent,
  type CountedEvent,
  countRequest,
  createRequest,
  eventNameOf,
  keyOf,
} from "./cluster-event.ts";
import { statusesOfPods } from "./pod-status.ts";
import { TokenBucket } from "./token-bucket.ts";
import type { Write, WriteOutcome } from "./write.ts";
import type { Board } from "./writer.ts";

interface Entry extends CountedEvent {
  /** What the API server has; 0: it has none. */
  readonly sentCount: number;
  /** Not before then, monotonic ms. */
  readonly dueMs: number;
  /** Seen last, monotonic ms. */
  readonly seenMs: number;
}

/**
 * Events for people who look at pods and definitions, from memory: nothing depends on them. What repeats is one Event
 * that is counted, and a bucket for the whole host bounds what a broken network with many pods makes of it.
 */
export class EventBoard implements Board {
  readonly kind = "event";
  readonly rights = "create and patch on events";
  readonly #ports: EventBoardPorts;
  /** By key, those seen last at the end. */
  readonly #entries = new Map<string, Entry>();
  /** Uids of pods that were attached to a network since they were looked at. */
  #attached = new Set<string>();
  /** What is under way: its count, by key. */
  readonly #sending = new Map<string, number>();
  readonly #bucket = new TokenBucket({
    burst: LIMITS.publishEventsBurst,
    refillMs: LIMITS.publishEventsRefillMs,
  });
  #names = 0;

  constructor(ports: EventBoardPorts) {
    this.#ports = ports;
  }

  /** It happened now, once more perhaps. */
  see(given: ClusterEvent): void {
    const event = this.#withUid(given);
    const { clock } = this.#ports;
    const key = keyOf(event);
    const known = this.#entries.get(key);
    const now = { lastWallMs: clock.wallMs(), seenMs: clock.monotonicMs() };
    this.#entries.delete(key);
    this.#entries.set(
      key,
      known
        ? { ...known, ...now, message: event.message, count: known.count + 1 }
        : {
            ...event,
            ...now,
            eventName: this.#nameOf(event),
            count: 1,
            firstWallMs: now.lastWallMs,
            sentCount: 0,
            dueMs: 0,
          },
    );
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > LIMITS.publishEventsMax && oldest) this.#entries.delete(oldest);
  }

  /** A pod was attached to one or several networks. */
  seeAttached(uid: string): void {
    if (uid !== "" && this.#attached.size < LIMITS.attachmentsMax) this.#attached.add(uid);
  }

  next(nowMs: number, busy: ReadonlySet<string>): Write | number | undefined {
    this.#tellOfAttached();
    let soonestMs = Number.POSITIVE_INFINITY;
    for (const [key, entry] of this.#entries) {
      // Too old to be of use: the server was away for long.
      if (nowMs - entry.seenMs > LIMITS.publishEventAgeMs) this.#entries.delete(key);
      else if (entry.count > entry.sentCount && !busy.has(key)) {
        const dueMs = Math.max(entry.dueMs, this.#bucket.readyMs(nowMs));
        if (dueMs <= nowMs && this.#bucket.take(nowMs)) return this.#write(key, entry);
        soonestMs = Math.min(soonestMs, dueMs);
      }
    }
    return Number.isFinite(soonestMs) ? soonestMs : undefined;
  }

  ended({ key, request }: Write, outcome: WriteOutcome, nowMs: number): void {
    const sentCount = this.#sending.get(key) ?? 0;
    this.#sending.delete(key);
    const entry = this.#entries.get(key);
    if (!entry) return;
    const dueMs = nowMs + LIMITS.publishEventsRepeatMs;
    switch (outcome) {
      case "written":
        this.#entries.set(key, { ...entry, sentCount, dueMs });
        return;
      // Another node told of it, for all.
      case "conflict": {
        const isTold = request.method === "POST";
        this.#entries.set(
          key,
          isTold ? { ...entry, sentCount, dueMs: Number.POSITIVE_INFINITY } : { ...entry, dueMs },
        );
        return;
      }
      case "gone":
        // Events live an hour, mostly; of a namespace that is gone nobody need be told.
        if (request.method === "POST") this.#entries.delete(key);
        else this.#entries.set(key, { ...entry, sentCount: 0, eventName: this.#nameOf(entry) });
        return;
      case "refused":
        this.#entries.delete(key);
        return;
      case "denied":
      case "away":
    }
  }

  /** What was attached together is told together. */
  #tellOfAttached(): void {
    if (this.#attached.size === 0) return;
    const attached = this.#attached;
    this.#attached = new Set();
    for (const status of statusesOfPods(this.#ports.records(), (uid) =>
      attached.has(uid),
    ).values()) {
      const event = attachedEventOf(status);
      if (event) this.see(event);
    }
  }

  #write(key: string, entry: Entry): Write {
    this.#sending.set(key, entry.count);
    const request =
      entry.sentCount === 0 ? createRequest(entry, this.#ports.nodeName) : countRequest(entry);
    const { namespace, name } = entry.object;
    return { key, subject: `${namespace}/${name}`, request };
  }

  /** A runtime that does not tell the uid: the API's word is good enough for a message. */
  #withUid(event: ClusterEvent): ClusterEvent {
    const { object } = event;
    if (object.uid !== "" || object.kind !== "Pod") return event;
    const pod = this.#ports.view.pods.find(object.namespace, object.name);
    return pod ? { ...event, object: { ...object, uid: pod.staticUid || pod.uid } } : event;
  }

  #nameOf(event: ClusterEvent): string {
    const { clock, nodeName } = this.#ports;
    const unique = `${nodeName} ${clock.wallMs()} ${clock.monotonicMs()} ${this.#names++}`;
    return eventNameOf(event, { unique });
  }
}

export interface EventBoardPorts {
  readonly view: Pick<KubernetesView, "pods">;
  readonly records: () => Iterable<AttachmentRecord>;
  readonly clock: Clock;
  readonly nodeName: string;
}
