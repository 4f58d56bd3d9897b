import { Worker } from "node:worker_threads";
import { errnoCode } from "./errno.ts";
import { KernelError } from "./kernel-error.ts";
import type { NfAnswer, NfFailure, NfRequest, Transaction } from "./nf-protocol.ts";

export interface CallPlace {
  readonly operation: string;
  readonly object: string;
}

/** Calls into the one nfnetlink worker, and what it tells. Linux only. */
export class NfWorkerClient {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #onMonitor: (what: Transaction | "resync") => void = () => {};
  #nextId = 1;
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
    // A published package holds .js files, a checkout .ts: the worker's file is called as this one is.
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    const cache = process.env["NODE_COMPILE_CACHE"];
    const worker = new Worker(new URL(`./nfnetlink-worker.${extension}`, import.meta.url), {
      name: "nfnetlink",
      // Records and messages are outside of its heap.
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4, stackSizeMb: 1 },
      execArgv: [],
      // Without the compiled code of the run before, the worker would load the TypeScript stripper: 25 MB.
      env: cache === undefined ? {} : { NODE_COMPILE_CACHE: cache },
    });
    await new Promise<void>((resolve, reject) => {
      const where = { operation: "open-netfilter", object: "the worker" };
      const failed = (cause: unknown): void => reject(workerGone(where, cause));
      worker.once("error", failed);
      worker.once("exit", failed);
      worker.once("message", () => {
        worker.off("error", failed);
        worker.off("exit", failed);
        resolve();
      });
    });
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
    const id = this.#nextId++;
    return new Promise<Result>((resolve, reject) => {
      this.#pending.set(id, {
        resolve,
        fail: (failure) => reject(errorOf?.(failure) ?? callError(where, failure)),
        lose: (cause) => reject(workerGone(where, cause)),
      });
      this.#worker.postMessage({ id, ...request }, transfer);
    });
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
    const pending = this.#pending.get(answer.id);
    if (pending === undefined) return;
    this.#pending.delete(answer.id);
    if ("failure" in answer) pending.fail(answer.failure);
    else pending.resolve(answer.result);
  }

  #lose(cause: Error): void {
    this.#gone ??= cause;
    const lost = [...this.#pending.values()];
    this.#pending.clear();
    for (const pending of lost) pending.lose(this.#gone);
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

interface Pending {
  resolve(result: unknown): void;
  fail(failure: NfFailure): void;
  lose(cause: Error): void;
}

export function callError(where: CallPlace, failure: NfFailure): KernelError {
  const code = failure.errno === 0 ? "UNKNOWN" : errnoCode(failure.errno);
  return new KernelError({ ...where, errno: failure.errno, code, extendedAck: failure.text });
}

function workerGone(where: CallPlace, cause?: unknown): KernelError {
  return new KernelError({ errno: 0, code: "WORKER_GONE", ...where }, { cause });
}
