import type { AttachmentRecord } from "../../core/attachment.ts";
import type { Clock, EventSink, HostEvent } from "../../core/ports.ts";
import { LIMITS } from "../../limits.ts";
import type { KubernetesApi } from "../api.ts";
import type { KubernetesView, ViewChange } from "../view.ts";
import { ConditionBoard } from "./condition-board.ts";
import { StatusBoard } from "./status-board.ts";
import type { WriteKind, WriteOutcome } from "./write.ts";
import { Writer } from "./writer.ts";

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
  #unlisten: () => void = () => {};
  #isStarted = false;

  constructor(ports: PublisherPorts) {
    this.#view = ports.view;
    this.#statuses = new StatusBoard(ports);
    const runningMax = LIMITS.publishRunningMax;
    this.#statusWriter = new Writer(ports, { board: this.#statuses, runningMax });
    this.#conditionWriter = new Writer(ports, { board: new ConditionBoard(ports), runningMax: 1 });
  }

  /** After Host.start(): from here on the records are all there. */
  start(): void {
    this.#isStarted = true;
    this.#unlisten = this.#view.listen((change) => this.#onChange(change));
    this.#statuses.mark(undefined);
    this.#statusWriter.wake();
    this.#conditionWriter.wake();
  }

  /** For every event of the host: what it is about is looked at soon, after whoever waits for an answer got it. */
  onEvent(event: HostEvent): void {
    if (!this.#isStarted) return;
    if (event.attachment) {
      this.#statuses.mark(event.attachment.request.pod?.uid ?? "");
      this.#statusWriter.wake();
    }
  }

  /** Gives up what is under way. */
  async close(): Promise<void> {
    this.#isStarted = false;
    this.#unlisten();
    await Promise.all([this.#statusWriter.close(), this.#conditionWriter.close()]);
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
