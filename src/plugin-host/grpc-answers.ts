import type { ServerWritableStream } from "../rpc/services.ts";
import { grpcError } from "../rpc/status.ts";
import { ERRORS, formatErrorChain, toPatchbayError } from "./errors.ts";
import { LIMITS } from "./limits.ts";

export type UnaryHandler<Q, A> = (
  call: { readonly request: Q },
  done: (error: object | null, answer?: A) => void,
) => void;

/** A handler of one question and one answer. What it throws becomes a status with code and causes. */
export function unary<Q, A>(work: (request: Q) => Promise<A>): UnaryHandler<Q, A> {
  return (call, done) => {
    work(call.request).then(
      (answer) => done(null, answer),
      (error: unknown) => done(toGrpcError(error)),
    );
  };
}

/** Whatever was thrown as a gRPC error. */
export function toGrpcError(error: unknown): object {
  const known = toPatchbayError(error);
  return grpcError(ERRORS[known.code].grpc, `${formatErrorChain(known)} [${known.code}]`);
}

/** Each watcher may have a backlog: their number is what bounds the memory of all. */
export function limitWatchers(): <Q, A>(call: ServerWritableStream<Q, A>) => boolean {
  const watchers = new Set<object>();
  return (call) => {
    if (watchers.size >= LIMITS.watchersMax) {
      hangUp(call, `Cannot serve more than ${LIMITS.watchersMax} watchers`);
      return false;
    }
    watchers.add(call);
    const leave = () => watchers.delete(call);
    call.on("cancelled", leave);
    call.on("close", leave);
    return true;
  };
}

/** A watcher that does not read must not fill the host's memory: after this it gets no more. */
export function push<Q, A>(call: ServerWritableStream<Q, A>, message: A): boolean {
  if (call.writableLength < LIMITS.watchBacklogMax) {
    call.write(message);
    return true;
  }
  hangUp(call, `The watcher is ${LIMITS.watchBacklogMax} messages behind`);
  return false;
}

/** Not destroy(): the watcher would never learn that it was hung up on. */
function hangUp<Q, A>(call: ServerWritableStream<Q, A>, reason: string): void {
  call.emit("error", grpcError("RESOURCE_EXHAUSTED", reason));
}
