import {
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from "node:http2";
import { ApiError } from "../api.ts";

/** A request whose answer has begun. */
export interface Exchange {
  readonly status: number;
  readonly retryAfter: string;
  readonly stream: ClientHttp2Stream;
  /** Aborts when a long stream had better begin anew on another connection. */
  readonly leaving: AbortSignal;
}

/** The server did not look at the request: it may be sent again, whatever it is (RFC 9113 section 8.7). */
export class RefusedStream extends Error {}

/** Waits for the head of the answer. Throws ApiError or RefusedStream; the signal's reason when it aborts. */
export function awaitHead(
  stream: ClientHttp2Stream,
  { signal, leaving }: { readonly signal: AbortSignal; readonly leaving: AbortSignal },
): Promise<Exchange> {
  return new Promise((resolve, reject) => {
    let failure: Error | undefined;
    const onAbort = (): void => {
      stream.close(constants.NGHTTP2_CANCEL);
      end();
      reject(signal.reason);
    };
    const end = (): void => signal.removeEventListener("abort", onAbort);
    stream.once("response", (headers: IncomingHttpHeaders & IncomingHttpStatusHeader) => {
      end();
      resolve({
        status: headers[":status"] ?? 0,
        retryAfter: headers["retry-after"] ?? "",
        stream,
        leaving,
      });
    });
    // Stays for the time of the body, which says the same to its reader.
    stream.on("error", (error) => {
      failure ??= error;
    });
    stream.once("close", () => {
      end();
      if (stream.rstCode === constants.NGHTTP2_REFUSED_STREAM) reject(new RefusedStream());
      else reject(brokenOff(failure));
    });
    signal.addEventListener("abort", onAbort);
    if (signal.aborted) onAbort();
  });
}

/** The chunks of the body. Throws ApiError when it does not come to its end; the signal's reason when it aborts. */
export async function* readBody(
  { stream }: Exchange,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void> {
  const onAbort = (): void => {
    stream.destroy();
  };
  signal.addEventListener("abort", onAbort);
  if (signal.aborted) onAbort();
  try {
    for await (const chunk of stream) yield chunk as Buffer;
    // Node ends a stream whose connection is gone as if the server had ended it: only the close tells.
    if (!stream.closed) await new Promise((resolve) => stream.once("close", resolve));
    signal.throwIfAborted();
    if (stream.aborted || stream.rstCode !== constants.NGHTTP2_NO_ERROR) throw brokenOff(undefined);
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof ApiError ? error : brokenOff(error);
  } finally {
    signal.removeEventListener("abort", onAbort);
    if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL);
  }
}

function brokenOff(cause: unknown): ApiError {
  const why = cause instanceof Error ? `: ${cause.message}` : "";
  return new ApiError(`The answer broke off${why}`, { cause });
}
