import type { Worker } from "node:worker_threads";
import type { KernelError } from "./kernel-error.ts";
import { type CallPlace, startKernelWorker, workerGone } from "./kernel-worker.ts";
import { PendingCalls } from "./pending-calls.ts";
import type { NfAnswer, NfFailure, NfRequest, Transaction } from "./nf-protocol.ts";

/** Calls into the one nfnetlink worker, and what it tells. Linux only. */
export class NfWorkerClient {
  readonly #worker: Worker;
  readonly #calls = new PendingCalls<NfFailure>();
  #onMonitor: (what: Transaction | "resync") => void = () => {};
  #gone: Error | undefined;
  #closing: Promise<void> | undefined;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on("message", (answer: NfAnswer) => this.#receive(answer));
    worker.on("error", (error) => this.#lose(error as Error));
    worker.on("exit", (code) => this.#lose(new Error(`The nfnetlink worker exited with ${code}`)));
  }

  /** Starts a worker in the namespace of this process. */
  static async start(): Promise<NfWorkerClient> {
    const where = { operation: "open-netfilter", object: "the worker" };
    const worker = await startKernelWorker("nfnetlink", where);
    return new NfWorkerClient(worker);
  }

  get isOpen(): boolean {
    return this.#gone === undefined && this.#closing === undefined;
  }

  onMonitor(listener: (what: Transaction | "resync") => void): void {
    this.#onMonitor = listener;
  }

  call<Result>(
    request: NfRequestBody,
    options: {
      readonly where: CallPlace;
      readonly transfer?: readonly ArrayBuffer[];
      readonly errorOf?: (failure: NfFailure) => KernelError | undefined;
    },
  ): Promise<Result> {
    const { where, transfer = [], errorOf } = options;
    if (this.#gone !== undefined || (this.#closing !== undefined && request.method !== "close")) {
      return Promise.reject(workerGone(where, this.#gone));
    }
    const send = (id: number) => this.#worker.postMessage({ id, ...request }, transfer);
    return this.#calls.begin(where, { send, errorOf });
  }

  /** Waits for calls under way, then ends the worker. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Ends the worker at once, as a crash would: calls under way fail. For tests. */
  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  async #close(): Promise<void> {
    this.#onMonitor = () => {};
    if (this.#gone) return;
    const exited = new Promise<void>((resolve) => this.#worker.once("exit", () => resolve()));
    // The worker answers one call after the other: this one after all before it.
    await this.call(
      { method: "close" },
      { where: { operation: "close", object: "netfilter" } },
    ).catch(() => {});
    await exited;
  }

  #receive(answer: NfAnswer): void {
    if ("monitor" in answer) {
      this.#worker.postMessage({ id: 0, method: "monitor-credit" } satisfies NfRequest);
      this.#onMonitor(answer.monitor);
      return;
    }
    this.#calls.settle(answer);
  }

  #lose(cause: Error): void {
    this.#gone ??= cause;
    this.#calls.lose(this.#gone);
    // Who relies on being told must not wait for ever: the next call says what is wrong.
    if (this.#closing === undefined) this.#onMonitor("resync");
    this.#onMonitor = () => {};
  }
}

export type NfRequestBody = NfRequest extends infer Request
  ? Request extends NfRequest
    ? Omit<Request, "id">
    : never
  : never;
