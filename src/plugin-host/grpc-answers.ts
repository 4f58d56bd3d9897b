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

/** Bytes, about, of what was pushed to each watcher and has not left yet. */
const backlogs = new WeakMap<object, number>();

/** A watcher that does not read must not fill the host's memory: after this it gets no more. */
export function push<Q, A>(call: ServerWritableStream<Q, A>, message: A): boolean {
  const bytes = sizeOf(message);
  const backlog = backlogs.get(call) ?? 0;
  if (call.writableLength >= LIMITS.watchBacklogMax) {
    hangUp(call, `The watcher is ${LIMITS.watchBacklogMax} messages behind`);
    return false;
  }
  // A single message may be larger: nobody would ever get it otherwise.
  if (backlog > 0 && backlog + bytes > LIMITS.watchBacklogBytesMax) {
    hangUp(call, `The watcher is ${LIMITS.watchBacklogBytesMax} bytes behind`);
    return false;
  }
  backlogs.set(call, backlog + bytes);
  call.write(message, () => {
    backlogs.set(call, (backlogs.get(call) ?? bytes) - bytes);
  });
  return true;
}

/**
 * Writes at the pace of the reader. false: it has gone. However slow it is, it costs no more than
 * what the stream holds, so that it may take its time.
 */
export async function writePaced<Q, A>(
  call: ServerWritableStream<Q, A>,
  message: A,
): Promise<boolean> {
  if (hasGone(call)) return false;
  if (call.write(message)) return true;
  const events = ["drain", "cancelled", "close", "error"] as const;
  await new Promise<void>((resolve) => {
    const settle = () => {
      for (const event of events) call.off(event, settle);
      resolve();
    };
    for (const event of events) call.on(event, settle);
  });
  return !hasGone(call);
}

function hasGone<Q, A>(call: ServerWritableStream<Q, A>): boolean {
  return call.cancelled || call.destroyed || call.writableEnded;
}

/** What a message takes, about: a value and its name 16 bytes, and texts what they are long. */
function sizeOf(value: unknown): number {
  if (typeof value === "string") return 16 + value.length;
  if (typeof value !== "object" || value === null) return 16;
  let bytes = 16;
  for (const part of Array.isArray(value) ? value : Object.values(value)) bytes += sizeOf(part);
  return bytes;
}

/** Not destroy(): the watcher would never learn that it was hung up on. */
function hangUp<Q, A>(call: ServerWritableStream<Q, A>, reason: string): void {
  call.emit("error", grpcError("RESOURCE_EXHAUSTED", reason));
}
