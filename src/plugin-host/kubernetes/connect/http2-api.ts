import type { ClientHttp2Stream, OutgoingHttpHeaders } from "node:http2";
import { setImmediate } from "node:timers/promises";
import type { Clock } from "../../core/ports.ts";
import { LIMITS } from "../../limits.ts";
import { HOST_VERSION } from "../../version.ts";
import {
  ApiError,
  type ApiQuery,
  type ApiRequest,
  type KubernetesApi,
  type StreamRequest,
  type TokenLife,
} from "../api.ts";
import type { ApiAccess, ApiCredentials } from "./api-access.ts";
import { awaitHead, type Exchange, readBody, RefusedStream } from "./exchange.ts";
import type { Http2Session } from "./http2-session.ts";
import { LineSplitter } from "./json-lines.ts";
import { ServerPool } from "./server-pool.ts";
import { toApiError } from "./status-error.ts";
import { findTokenLife } from "./token-life.ts";

export interface Http2ApiOptions {
  readonly clock: Clock;
  /** Each as in LIMITS, for tests. */
  readonly limits?: Partial<Http2ApiLimits>;
}

export interface Http2ApiLimits {
  readonly connectMs: number;
  readonly requestMs: number;
  readonly pingMs: number;
  readonly pongMs: number;
  readonly answerBytesMax: number;
  readonly lineBytesMax: number;
}

/** Times that one request is sent: again after a 401 with another token, or when a server that goes away refused it. */
const TRIES_MAX = 3;

/** Of an answer that is an error. */
const ERROR_BYTES_MAX = 64 << 10;

const USER_AGENT = `patchbay/${HOST_VERSION}`;

/** Speaks to the API server over one HTTP/2 connection, made when it is needed and anew when it is gone. */
export function openHttp2Api(access: ApiAccess, options: Http2ApiOptions): KubernetesApi {
  return new Http2Api(access, options);
}

class Http2Api implements KubernetesApi {
  readonly #access: ApiAccess;
  readonly #clock: Clock;
  readonly #limits: Http2ApiLimits;
  readonly #servers: ServerPool;

  constructor(access: ApiAccess, { clock, limits = {} }: Http2ApiOptions) {
    this.#access = access;
    this.#clock = clock;
    this.#limits = {
      connectMs: LIMITS.apiConnectMs,
      requestMs: LIMITS.apiRequestMs,
      pingMs: LIMITS.apiPingMs,
      pongMs: LIMITS.apiPongMs,
      answerBytesMax: LIMITS.apiAnswerBytesMax,
      lineBytesMax: LIMITS.apiLineBytesMax,
      ...limits,
    };
    this.#servers = new ServerPool({ clock, ...this.#limits });
  }

  get server(): string {
    return this.#servers.current;
  }

  async readTokenLife(): Promise<TokenLife | undefined> {
    const { token } = await this.#access.credentials();
    return findTokenLife(token);
  }

  async request(request: ApiRequest): Promise<unknown> {
    const what = `${request.method} ${request.path}`;
    using deadline = new Deadline(what, {
      clock: this.#clock,
      ms: this.#limits.requestMs,
      signal: request.signal,
    });
    const exchange = await this.#exchange(request, deadline.signal);
    const bytesMax = this.#limits.answerBytesMax;
    const text = await readText(exchange, { what, bytesMax, signal: deadline.signal });
    try {
      return JSON.parse(text) as unknown;
    } catch (cause) {
      const begin = JSON.stringify(text.slice(0, 40));
      throw new ApiError(`${what} was answered by what is no JSON: ${begin}`, { cause });
    }
  }

  async *stream(request: StreamRequest): AsyncGenerator<readonly string[], void> {
    const { signal } = request;
    const what = `Watch of ${request.path}`;
    const exchange = await this.#begin(request, what);
    const lines = new LineSplitter(this.#limits.lineBytesMax);
    try {
      // Accepted.
      yield [];
      const until = AbortSignal.any([signal, exchange.leaving]);
      for await (const chunk of readBody(exchange, until)) {
        const complete = lines.push(chunk);
        if (complete.length > 0) yield complete;
        // A server flushes each event: what arrives within one turn of the loop is read together.
        await setImmediate();
      }
    } catch (error) {
      // The server asked for it: it is as if it had ended the stream.
      if (exchange.leaving.aborted && !signal.aborted) return;
      throw asApiError(error, what);
    } finally {
      exchange.stream.destroy();
    }
    if (lines.pendingBytes > 0) throw new ApiError(`${what}: the last line broke off`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#servers[Symbol.asyncDispose]();
  }

  async #begin(request: StreamRequest, what: string): Promise<Exchange> {
    const { requestMs } = this.#limits;
    using deadline = new Deadline(what, {
      clock: this.#clock,
      ms: requestMs,
      signal: request.signal,
    });
    return await this.#exchange({ ...request, method: "GET" }, deadline.signal);
  }

  /** Sends a request until a server looked at it. Throws ApiError, also for an answer that is not 2xx. */
  async #exchange(request: ApiRequest, signal: AbortSignal): Promise<Exchange> {
    const what = `${request.method} ${request.path}`;
    try {
      let credentials = await this.#access.credentials();
      for (let tries = 1; ; tries++) {
        const exchange = await this.#try(request, { credentials, signal });
        if (!exchange) {
          if (tries < TRIES_MAX) continue;
          throw new ApiError(`${what}: the connection went away`);
        }
        if (exchange.status >= 200 && exchange.status <= 299) return exchange;
        if (exchange.status === 401 && tries < TRIES_MAX) {
          const { token, tls } = credentials;
          credentials = await this.#access.credentials({ isRefused: true });
          if (credentials.token !== token || credentials.tls !== tls) {
            exchange.stream.destroy();
            continue;
          }
        }
        const body = await readText(exchange, { what, bytesMax: ERROR_BYTES_MAX, signal });
        if (exchange.status === 401) throw this.#unknownTo(credentials);
        throw toApiError({ what, ...exchange, body });
      }
    } catch (error) {
      throw asApiError(error, what);
    }
  }

  /** The server does not say why: mostly a token is too old. */
  #unknownTo({ token }: ApiCredentials): ApiError {
    const endMs = findTokenLife(token)?.endMs;
    const isOver = endMs !== undefined && endMs <= this.#clock.wallMs();
    const why = isOver
      ? `its token ended at ${new Date(endMs).toISOString()}`
      : `it does not know its ${token === "" ? "certificate" : "token"}`;
    return new ApiError(`the API server refuses ${this.#access.source}: ${why}`, { status: 401 });
  }

  /** Undefined: the server went away before it looked at the request. */
  async #try(
    request: ApiRequest,
    { credentials, signal }: { readonly credentials: ApiCredentials; readonly signal: AbortSignal },
  ): Promise<Exchange | undefined> {
    const session = await abortable(this.#servers.session(credentials), signal);
    const stream = send(session, { request, token: credentials.token });
    if (!stream) return undefined;
    try {
      return await awaitHead(stream, { signal, leaving: session.leaving });
    } catch (error) {
      if (error instanceof RefusedStream) return undefined;
      throw error;
    }
  }
}

/** Undefined: the session has just gone, and takes no more. */
function send(
  session: Http2Session,
  { request, token }: { readonly request: ApiRequest; readonly token: string },
): ClientHttp2Stream | undefined {
  const body = request.body === undefined ? undefined : JSON.stringify(request.body);
  const headers: OutgoingHttpHeaders = {
    ":method": request.method,
    ":path": pathOf(session.server, request),
    accept: request.accept ?? "application/json",
    "user-agent": USER_AGENT,
    ...(token !== "" && { authorization: `Bearer ${token}` }),
    ...(body !== undefined && { "content-type": request.contentType ?? "application/json" }),
  };
  try {
    const stream = session.begin(headers, { hasBody: body !== undefined });
    if (body !== undefined) stream.end(body);
    return stream;
  } catch {
    session.retire();
    return undefined;
  }
}

function pathOf(server: URL, { path, query = {} }: { path: string; query?: ApiQuery }): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  const search = parameters.size > 0 ? `?${parameters.toString()}` : "";
  return `${server.pathname.replace(/\/$/, "")}${path}${search}`;
}

async function readText(
  exchange: Exchange,
  {
    what,
    bytesMax,
    signal,
  }: { readonly what: string; readonly bytesMax: number; readonly signal: AbortSignal },
): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of readBody(exchange, signal)) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > bytesMax)
        throw new ApiError(`${what}: the answer has more than ${bytesMax} bytes`);
    }
  } catch (error) {
    throw asApiError(error, what);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** A signal that aborts with an ApiError when a request took too long, or with the caller's own. */
class Deadline implements Disposable {
  readonly #late = new AbortController();
  readonly #cancel: () => void;
  readonly signal: AbortSignal;

  constructor(
    what: string,
    {
      clock,
      ms,
      signal,
    }: { readonly clock: Clock; readonly ms: number; readonly signal: AbortSignal | undefined },
  ) {
    this.signal = signal ? AbortSignal.any([this.#late.signal, signal]) : this.#late.signal;
    this.#cancel = clock.after(ms, () => {
      this.#late.abort(new ApiError(`${what} was not answered within ${ms} ms`));
    });
  }

  [Symbol.dispose](): void {
    this.#cancel();
  }
}

/** What is waited for goes on beside. */
async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason as Error);
  signal.addEventListener("abort", onAbort);
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function asApiError(error: unknown, what: string): ApiError {
  if (error instanceof ApiError) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new ApiError(`${what}: ${why}`, { cause: error });
}
