import { ApiError } from "./api.ts";
import type { FakeObject } from "./fake-selectors.ts";

export interface FakeStreamOptions {
  readonly collection: string;
  readonly signal: AbortSignal;
  readonly wantsBookmarks: boolean;
  readonly isPartial: boolean;
  /** What came after it is told. */
  readonly fromVersion: number;
  readonly matches: (object: FakeObject) => boolean;
  /** Undefined: it does not break by itself. */
  readonly breakAfterLines: number | undefined;
}

/** One watch of a FakeApi: lines in, chunks out. */
export class FakeStream {
  readonly path: string;
  readonly collection: string;
  readonly wantsBookmarks: boolean;
  readonly isPartial: boolean;
  /** What came after it is told. */
  readonly fromVersion: number;
  readonly matches: (object: FakeObject) => boolean;
  readonly #signal: AbortSignal;
  #linesLeft: number;
  #lines: string[] = [];
  #end: "open" | "ended" | ApiError = "open";
  #wake: () => void = () => undefined;

  constructor(path: string, options: FakeStreamOptions) {
    this.path = path;
    this.collection = options.collection;
    this.wantsBookmarks = options.wantsBookmarks;
    this.isPartial = options.isPartial;
    this.fromVersion = options.fromVersion;
    this.matches = options.matches;
    this.#signal = options.signal;
    this.#linesLeft = options.breakAfterLines ?? Number.POSITIVE_INFINITY;
  }

  push(line: string): void {
    if (this.#end !== "open") return;
    if (this.#linesLeft-- <= 0) this.fail(new ApiError("Stream broken off"));
    else this.#lines.push(line);
    this.#wake();
  }

  end(): void {
    if (this.#end === "open") this.#end = "ended";
    this.#wake();
  }

  fail(error: ApiError): void {
    if (this.#end === "open") this.#end = error;
    this.#wake();
  }

  async *chunks(linesMax: number): AsyncGenerator<readonly string[], void> {
    const abort = (): void => this.fail(new ApiError("Aborted", { cause: this.#signal.reason }));
    this.#signal.addEventListener("abort", abort);
    if (this.#signal.aborted) abort();
    try {
      for (;;) {
        while (this.#lines.length > 0 && !this.#signal.aborted) {
          yield this.#lines.splice(0, linesMax);
        }
        if (this.#end === "ended") return;
        if (this.#end !== "open") throw this.#end;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      this.#signal.removeEventListener("abort", abort);
    }
  }
}
