import { Writable } from "node:stream";
import type { ServerWritableStream } from "../rpc/services.ts";

/** The host's end of a watch: what it holds back until read() is asked for it. */
export class FakeWatcher<Q, A> extends Writable {
  readonly request: Q;
  readonly seen: A[] = [];
  readonly errors: string[] = [];
  cancelled = false;
  #taken: (() => void) | undefined;
  #isReading: boolean;

  constructor(request: Q, options: { readonly isReading: boolean }) {
    super({ objectMode: true });
    this.request = request;
    this.#isReading = options.isReading;
    this.on("error", (status: Error & { details?: string }) =>
      this.errors.push(`${status.details}`),
    );
  }

  /** As the stream that grpc-js gives a handler. */
  get call(): ServerWritableStream<Q, A> {
    return this as unknown as ServerWritableStream<Q, A>;
  }

  /** Reads what waits, and all that comes. */
  read(): void {
    this.#isReading = true;
    this.#taken?.();
  }

  cancel(): void {
    this.cancelled = true;
    this.emit("cancelled");
  }

  override _write(message: A, _encoding: string, done: () => void): void {
    const take = () => {
      this.seen.push(message);
      done();
    };
    if (this.#isReading) setImmediate(take);
    else this.#taken = take;
  }
}
