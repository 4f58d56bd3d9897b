import type { WorkerFailure } from "./worker-protocol.ts";

/** A failure inside the worker; crosses to the main thread as data and becomes a KernelError there. */
export class WorkerFault extends Error {
  readonly errno: number;
  readonly netns: string | undefined;
  /** Set by apply(): which operation failed. */
  operation: number | undefined;

  constructor(errno: number, text: string, netns?: string) {
    super(text);
    this.errno = errno;
    this.netns = netns;
  }
}

export function failureOf(error: unknown): WorkerFailure {
  if (error instanceof WorkerFault) {
    return {
      errno: error.errno,
      text: error.message,
      ...(error.operation === undefined ? {} : { operation: error.operation }),
      ...(error.netns === undefined ? {} : { netns: error.netns }),
    };
  }
  // Node's own fs errors carry the errno negated.
  const { errno, message } = error as NodeJS.ErrnoException;
  return typeof errno === "number"
    ? { errno: Math.abs(errno), text: "" }
    : { errno: 0, text: message };
}
