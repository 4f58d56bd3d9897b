import type { AttachmentRecord } from "../../core/attachment.ts";
import type { Clock, EventSink, HostEvent } from "../../core/ports.ts";
import { LIMITS } from "../../limits.ts";
import type { KubernetesApi } from "../api.ts";
import type { KubernetesView, ViewChange } from "../view.ts";
import { clusterEventOf } from "./cluster-event.ts";
import { ConditionBoard } from "./condition-board.ts";
import { EventBoard } from "./event-board.ts";
import { StatusBoard } from "./status-board.ts";
import type { WriteKind, WriteOutcome } from "./write.ts";
import { type PublishDenial, Writer } from "./writer.ts";

export interface PublisherPorts {
  readonly api: Pick<KubernetesApi, "request">;
  readonly view: Pick<KubernetesView, "node" | "pods" | "listen">;
  /** All attachments that the host remembers. */
  readonly records: () => Iterable<AttachmentRecord>;
  readonly clock: Clock;
  readonly events: EventSink;
  readonly nodeName: string;
  /** The host serves, and the cluster has nothing against it. */
  readonly isReady: () => boolean;
  /** Counts; default: nobody does. */
  readonly onWrite?: (kind: WriteKind, outcome: WriteOutcome) => void;
}

/**
 * Writes to the API server what people and programs read of the node's networks: the annotation network-status,
 * Events, the Node's condition. All of it follows from records and view, whenever one of them changes; nothing waits
 * for it, and nothing is kept of it beyond the process.
 */
export class Publisher {
  readonly #view: PublisherPorts["view"];
  readonly #statuses: StatusBoard;
  readonly #statusWriter: Writer;
  readonly #conditionWriter: Writer;
  readonly #clusterEvents: EventBoard;
  readonly #eventWriter: Writer;
  #unlisten: () => void = () => {};
  #isStarted = false;
  #isClosed = false;

  constructor(ports: PublisherPorts) {
    this.#view = ports.view;
    this.#statuses = new StatusBoard(ports);
    const runningMax = LIMITS.publishRunningMax;
    this.#statusWriter = new Writer(ports, { board: this.#statuses, runningMax });
    this.#conditionWriter = new Writer(ports, { board: new ConditionBoard(ports), runningMax: 1 });
    this.#clusterEvents = new EventBoard(ports);
    this.#eventWriter = new Writer(ports, { board: this.#clusterEvents, runningMax: 1 });
  }

  /** After Host.start(): from here on the records are all there. */
  start(): void {
    this.#isStarted = true;
    this.#unlisten = this.#view.listen((change) => this.#onChange(change));
    this.#statuses.mark(undefined);
    this.#statusWriter.wake();
    this.#conditionWriter.wake();
    this.#eventWriter.wake();
  }

  /** For every event of the host: what it is about is looked at soon, after whoever waits for an answer got it. */
  onEvent(event: HostEvent): void {
    if (this.#isClosed) return;
    const clusterEvent = clusterEventOf(event);
    if (clusterEvent) this.#clusterEvents.see(clusterEvent);
    const uid = event.attachment?.request.pod?.uid ?? "";
    if (event.kind === "attached") this.#clusterEvents.seeAttached(uid);
    this.#statuses.mark(uid);
    if (!this.#isStarted) return;
    if (clusterEvent || event.kind === "attached") this.#eventWriter.wake();
    if (event.attachment) this.#statusWriter.wake();
  }

  /** What the server does not let this host write. */
  get denials(): readonly PublishDenial[] {
    const writers = [this.#statusWriter, this.#conditionWriter, this.#eventWriter];
    return writers.flatMap(({ denial }) => denial ?? []);
  }

  /** Gives up what is under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#unlisten();
    const writers = [this.#statusWriter, this.#conditionWriter, this.#eventWriter];
    await Promise.all(writers.map((writer) => writer.close()));
  }

  #onChange({ node, pods }: ViewChange): void {
    if (node) this.#conditionWriter.wake();
    for (const uid of pods) {
      this.#statuses.mark(uid);
      this.#statuses.mark(this.#view.pods.get(uid)?.staticUid ?? "");
    }
    if (pods.length > 0) this.#statusWriter.wake();
  }
}
