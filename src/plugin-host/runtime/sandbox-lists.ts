import type { CriCallError, CriClient } from "../../rpc/cri-client.ts";
import type { Clock, EventSink } from "../core/ports.ts";
import { formatErrorChain } from "../errors.ts";
import { LIMITS } from "../limits.ts";

/** What the runtime answered. */
export interface SandboxList {
  readonly ids: ReadonlySet<string>;
  /** False where the runtime came back less than LIMITS.runtimeSettleMs ago. */
  readonly isSettled: boolean;
  /** Identity of the runtime's life. */
  readonly life: string;
}

export interface SandboxListsOptions {
  readonly clock: Clock;
  readonly events: EventSink;
  /** What failures are told of: the socket's path. */
  readonly name: string;
  /** Another one for each life of the runtime: it makes its socket anew. Rejects where there is none. */
  identify(): Promise<string>;
  connect(): Promise<CriClient>;
}

/** A connection to one life of the runtime. */
interface Life {
  readonly identity: string;
  readonly client: CriClient;
  /** Monotonic ms from which what its lists lack counts. */
  readonly settledMs: number;
}

/** Lists of a container runtime's sandboxes; a runtime that fails is left alone for a while. */
export class SandboxLists {
  readonly #options: SandboxListsOptions;
  #life: Life | undefined;
  #asking: Promise<SandboxList | undefined> | undefined;
  /** Begins when the one under way ends, for all who ask meanwhile. */
  #next: Promise<SandboxList | undefined> | undefined;
  #hasAnswered = false;
  #isFailing = false;
  #pauseMs = 0;
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  constructor(options: SandboxListsOptions) {
    this.#options = options;
  }

  /**
   * A list that was begun after the call: what was begun earlier knows less. Undefined: the runtime
   * cannot say now. Never rejects.
   */
  ask(): Promise<SandboxList | undefined> {
    if (!this.#asking) return this.#begin();
    this.#next ??= this.#asking.then(() => {
      this.#next = undefined;
      return this.#asking ?? this.#begin();
    });
    return this.#next;
  }

  close(): void {
    this.#isClosed = true;
    if (!this.#asking) this.#hangUp();
  }

  #begin(): Promise<SandboxList | undefined> {
    const asking = this.#tell().finally(() => {
      this.#asking = undefined;
    });
    this.#asking = asking;
    return asking;
  }

  async #tell(): Promise<SandboxList | undefined> {
    if (this.#isClosed || this.#options.clock.monotonicMs() < this.#notBeforeMs) return undefined;
    try {
      const list = await this.#list();
      this.#recovered();
      return list;
    } catch (error) {
      this.#failed(error);
      return undefined;
    } finally {
      if (this.#isClosed) this.#hangUp();
    }
  }

  async #list(): Promise<SandboxList> {
    const life = await this.#reach();
    const ids = await life.client.listSandboxes();
    if ((await this.#options.identify()) !== life.identity) {
      throw new Error("it was started anew in the middle of the answer");
    }
    this.#hasAnswered = true;
    const isSettled = this.#options.clock.monotonicMs() >= life.settledMs;
    return { ids, isSettled, life: life.identity };
  }

  /**
   * The first life that this process knows counts at once: its lists prove themselves by what they
   * have (core/pod-lists.ts). One that comes back may not know its sandboxes yet.
   */
  async #reach(): Promise<Life> {
    const identity = await this.#options.identify();
    if (this.#life?.identity === identity) return this.#life;
    this.#hangUp();
    const client = await this.#options.connect();
    try {
      const unready = await client.findUnready();
      if (unready !== "") throw new Error(`it is not ready: ${unready}`);
    } catch (error) {
      client.close();
      throw error;
    }
    const isBack = this.#hasAnswered || this.#isFailing;
    const nowMs = this.#options.clock.monotonicMs();
    this.#life = { identity, client, settledMs: isBack ? nowMs + LIMITS.runtimeSettleMs : nowMs };
    return this.#life;
  }

  #recovered(): void {
    this.#pauseMs = 0;
    if (!this.#isFailing) return;
    this.#isFailing = false;
    const { name, events } = this.#options;
    const message = `The container runtime at ${name} answers again`;
    events.emit({ kind: "runtime-recovered", subject: name, message });
  }

  #failed(error: unknown): void {
    const { clock, events, name } = this.#options;
    // One that is slow has forgotten nothing; whatever else happened, it may have been started anew.
    if (!isLate(error)) this.#hangUp();
    const doubled = Math.max(LIMITS.runtimeRetryMinMs, 2 * this.#pauseMs);
    this.#pauseMs = Math.min(doubled, LIMITS.runtimeRetryMaxMs);
    this.#notBeforeMs = clock.monotonicMs() + this.#pauseMs;
    if (this.#isFailing) return;
    this.#isFailing = true;
    const message = `The container runtime at ${name} does not say which pods there are: ${formatErrorChain(error)}`;
    events.emit({ kind: "runtime-failed", subject: name, message });
  }

  #hangUp(): void {
    this.#life?.client.close();
    this.#life = undefined;
  }
}

function isLate(error: unknown): boolean {
  return error instanceof Error && (error as Partial<CriCallError>).isLate === true;
}
