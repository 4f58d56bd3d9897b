import type { Worker } from "node:worker_threads";
import type { KernelError } from "./kernel-error.ts";
import { type CallPlace, startKernelWorker, workerGone } from "./kernel-worker.ts";
import { PendingCalls } from "./pending-calls.ts";
import type { RequestBody, WorkerAnswer, WorkerFailure, WorkerRequest } from "./worker-protocol.ts";

/** Of the 64 datagrams that may be on their way. */
const MONITOR_CREDIT_STEP = 16;

/** Calls into the one rtnetlink worker, and what it tells. Linux only. */
export class RtnetlinkWorkerClient {
  readonly #worker: Worker;
  readonly #calls = new PendingCalls<WorkerFailure>();
  #onMonitor: (what: Uint8Array | "resync") => void = () => {};
  /** Requests that leave together. */
  #outbox: WorkerRequest[] = [];
  #batch = 0;
  /** Datagrams of the monitor that the worker has no credit for again yet. */
  #monitorRead = 0;
  #gone: Error | undefined;
  #closing: Promise<void> | undefined;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on("message", (answers: readonly WorkerAnswer[]) => {
      for (const answer of answers) this.#receive(answer);
    });
    worker.on("error", (error) => this.#lose(error as Error));
    worker.on("exit", (code) => this.#lose(new Error(`The rtnetlink worker exited with ${code}`)));
  }

  /** Starts a worker in the namespace of this process. */
  static async start(): Promise<RtnetlinkWorkerClient> {
    const where = { operation: "open-kernel", object: "the worker" };
    return new RtnetlinkWorkerClient(await startKernelWorker("rtnetlink", where));
  }

  get isOpen(): boolean {
    return this.#gone === undefined && this.#closing === undefined;
  }

  /** For what is done beside the worker. Throws KernelError. */
  requireOpen(where: CallPlace): void {
    if (!this.isOpen) throw workerGone(where, this.#gone);
  }

  onMonitor(listener: (what: Uint8Array | "resync") => void): void {
    this.#onMonitor = listener;
  }

  call<Result>(
    request: RequestBody,
    where: CallPlace,
    errorOf?: (failure: WorkerFailure) => KernelError | undefined,
  ): Promise<Result> {
    const isClosed =
      this.#closing !== undefined && request.method !== "close" && request.method !== "slow";
    if (this.#gone !== undefined || isClosed) {
      return Promise.reject(workerGone(where, this.#gone));
    }
    const send = (id: number) => this.#send({ id, ...request });
    return this.#calls.begin(where, { send, errorOf });
  }

  /** Number of the batch that the next call leaves with. */
  get batch(): number {
    return this.#batch;
  }

  /** Waits for `idle`, whose slow calls still pass, and for calls under way, then ends the worker. */
  close(idle: () => Promise<void>): Promise<void> {
    this.#closing ??= this.#close(idle);
    return this.#closing;
  }

  /** Ends the worker at once, as a crash would: calls under way fail. For tests. */
  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  async #close(idle: () => Promise<void>): Promise<void> {
    await idle();
    if (this.#gone) return;
    const exited = new Promise<void>((resolve) => this.#worker.once("exit", () => resolve()));
    const closed = this.call({ method: "close" }, { operation: "close", object: "the worker" });
    // A worker that died meanwhile is closed as well.
    await closed.catch(() => {});
    await exited;
  }

  /** With all that is asked before the event loop turns: pods' networks are attached side by side. */
  #send(request: WorkerRequest): void {
    if (this.#outbox.push(request) > 1) return;
    setImmediate(() => {
      const requests = this.#outbox;
      this.#outbox = [];
      this.#batch++;
      this.#worker.postMessage(requests);
    });
  }

  #receive(answer: WorkerAnswer): void {
    if ("monitor" in answer) {
      this.#credit(answer.monitor.length);
      for (const what of answer.monitor) this.#onMonitor(what);
      return;
    }
    this.#calls.settle(answer);
  }

  /** Told now and then: the worker need not be woken for each. */
  #credit(datagrams: number): void {
    this.#monitorRead += datagrams;
    if (this.#monitorRead < MONITOR_CREDIT_STEP) return;
    this.#send({ id: 0, method: "monitor-credit", datagrams: this.#monitorRead });
    this.#monitorRead = 0;
  }

  #lose(cause: Error): void {
    this.#gone ??= cause;
    this.#calls.lose(this.#gone);
  }
}
