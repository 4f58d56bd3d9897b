import { type ServiceError, status } from "@grpc/grpc-js";
import { shortenSocketPath } from "./unix-server.ts";

/** Failure of a call to the host. `unreachable`: no host answers on the socket. */
export class HostCallError extends Error {
  override readonly name = "HostCallError";
  readonly unreachable: boolean;

  constructor(message: string, unreachable: boolean, options?: ErrorOptions) {
    super(message, options);
    this.unreachable = unreachable;
  }
}

export type Done<A> = (error: ServiceError | null, answer?: A) => void;

/** A unary call as a promise; rejects with HostCallError. */
export function call<A>(start: (done: Done<A>) => unknown): Promise<A> {
  return new Promise((resolve, reject) => {
    start((error, answer) => {
      if (error) reject(toCallError(error));
      else resolve(answer as A);
    });
  });
}

/** Hangs up when the reader stops reading. */
export async function* readStream<T>(
  stream: AsyncIterable<unknown> & { cancel(): void },
): AsyncIterable<T> {
  try {
    for await (const item of stream) yield item as T;
  } catch (error) {
    const known = toCallError(error as ServiceError);
    // Nobody here has cancelled it by now: a host that stops hangs up so.
    const isHungUp = (error as ServiceError).code === status.CANCELLED;
    throw isHungUp ? new HostCallError(known.message, true, { cause: error }) : known;
  } finally {
    stream.cancel();
  }
}

export function toCallError(error: ServiceError): HostCallError {
  // Of the host's own failures many have these codes too; those end with their word in brackets.
  const isLost = error.code === status.UNAVAILABLE || error.code === status.DEADLINE_EXCEEDED;
  const unreachable = isLost && !/ \[[A-Z_]+\]$/.test(error.details ?? "");
  return new HostCallError(error.details || error.message, unreachable, { cause: error });
}

/** A folder that does not exist has no socket either: the call will say so. */
export function findShortPath(path: string): ReturnType<typeof shortenSocketPath> {
  try {
    return shortenSocketPath(path);
  } catch {
    return { path, close: () => {} };
  }
}
