import type { EventSink } from "../core/ports.ts";
import type { WatchState } from "./view.ts";

/** Tells once when the API server cannot be followed, and once when it can again. */
export class Connection {
  readonly #events: EventSink;
  readonly #server: () => string;
  /** Trouble by resource; those without any are left out. */
  readonly #troubles = new Map<string, string>();
  readonly #heard = new Set<string>();
  readonly #lists = new Map<string, number>();
  #isTold = false;
  #wasConnected = false;

  constructor(options: { readonly events: EventSink; readonly server: () => string }) {
    this.#events = options.events;
    this.#server = options.server;
  }

  note({ resource, phase, trouble, lists }: WatchState): void {
    this.#noteLists(resource, lists);
    if (trouble === "") this.#troubles.delete(resource);
    else this.#troubles.set(resource, trouble);
    if (phase === "watching" || phase === "absent") this.#heard.add(resource);
    if (trouble !== "" && !this.#isTold) {
      this.#isTold = true;
      this.#events.emit({
        kind: "kubernetes-failed",
        subject: resource,
        message: `Cannot follow ${resource} at ${this.#server()}: ${trouble}; what is known stays in force`,
      });
    }
    const isConnected = this.#troubles.size === 0 && this.#heard.has(resource);
    if (!isConnected || (this.#wasConnected && !this.#isTold)) return;
    this.#isTold = false;
    this.#wasConnected = true;
    this.#events.emit({
      kind: "kubernetes-connected",
      subject: "api-server",
      message: `Following ${this.#server()}`,
    });
  }

  /** The first list is no news. */
  #noteLists(resource: string, lists: number): void {
    const before = this.#lists.get(resource) ?? 0;
    this.#lists.set(resource, lists);
    if (lists <= before || before === 0) return;
    const message = `${resource} are listed anew: ${this.#server()} no longer has the version that was known, or the Node is another one`;
    this.#events.emit({ kind: "kubernetes-relisted", subject: resource, message });
  }
}
