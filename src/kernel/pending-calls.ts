import type { KernelError } from "./kernel-error.ts";
import { type CallPlace, callError, workerGone } from "./kernel-worker.ts";

/** Calls that a worker has not answered yet, by number. */
export class PendingCalls<Failure extends { readonly errno: number; readonly text: string }> {
  readonly #calls = new Map<number, Pending<Failure>>();
  #nextId = 1;

  /** Numbers a call and sends it; rejects with KernelError, in the words of `errorOf` where it has some. */
  begin<Result>(
    where: CallPlace,
    options: {
      readonly send: (id: number) => void;
      readonly errorOf?: ((failure: Failure) => KernelError | undefined) | undefined;
    },
  ): Promise<Result> {
    const { send, errorOf } = options;
    const id = this.#nextId++;
    return new Promise<Result>((resolve, reject) => {
      this.#calls.set(id, {
        resolve,
        fail: (failure) => reject(errorOf?.(failure) ?? callError(where, failure)),
        lose: (cause) => reject(workerGone(where, cause)),
      });
      send(id);
    });
  }

  /** An answer to nobody is passed by. */
  settle(
    answer: { readonly id: number } & (
      | { readonly result: unknown }
      | { readonly failure: Failure }
    ),
  ): void {
    const call = this.#calls.get(answer.id);
    if (call === undefined) return;
    this.#calls.delete(answer.id);
    if ("failure" in answer) call.fail(answer.failure);
    else call.resolve(answer.result);
  }

  /** The worker is gone: nobody answers any more. */
  lose(cause: Error): void {
    const lost = [...this.#calls.values()];
    this.#calls.clear();
    for (const call of lost) call.lose(cause);
  }
}

interface Pending<Failure> {
  resolve(result: unknown): void;
  fail(failure: Failure): void;
  lose(cause: Error): void;
}
