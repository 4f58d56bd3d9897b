import type { Clock } from "../../core/ports.ts";
import { ApiError } from "../api.ts";
import type { ApiCredentials, TlsIdentity } from "./api-access.ts";
import { Http2Session } from "./http2-session.ts";

export interface ServerPoolOptions {
  readonly clock: Clock;
  readonly connectMs: number;
  readonly pingMs: number;
  readonly pongMs: number;
}

/** Keeps one session with one of the servers: the one that works, as long as it does. */
export class ServerPool implements AsyncDisposable {
  readonly #options: ServerPoolOptions;
  /** All that have streams, also those that take no more. */
  readonly #sessions = new Set<Http2Session>();
  #session: Http2Session | undefined;
  #connecting: { readonly tls: TlsIdentity; readonly session: Promise<Http2Session> } | undefined;
  #current = "";
  readonly #closing = new AbortController();

  constructor(options: ServerPoolOptions) {
    this.#options = options;
  }

  /** The server of the session, or the one tried last; "" before the first. */
  get current(): string {
    return this.#current;
  }

  /** A session that takes streams. Callers share one attempt to connect. Throws ApiError. */
  async session(credentials: ApiCredentials): Promise<Http2Session> {
    const { servers, tls } = credentials;
    const session = this.#session;
    const isMeant = servers.some(({ href }) => href === session?.server.href);
    if (session && isMeant && session.isUsable && session.tls === tls) return session;
    if (this.#connecting?.tls === tls) return await this.#connecting.session;
    const connecting = { tls, session: this.#connect(credentials, session) };
    this.#connecting = connecting;
    try {
      return await connecting.session;
    } finally {
      if (this.#connecting === connecting) this.#connecting = undefined;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    for (const session of this.#sessions) session.destroy(new Error("the host stops"));
    this.#sessions.clear();
    await this.#connecting?.session.catch(() => undefined);
  }

  async #connect(
    { servers, tls }: ApiCredentials,
    before: Http2Session | undefined,
  ): Promise<Http2Session> {
    const failures: ApiError[] = [];
    for (const server of this.#inOrder(servers, before)) {
      if (this.#closing.signal.aborted) break;
      this.#current = server.href.replace(/\/$/, "");
      try {
        const { signal } = this.#closing;
        const session = await Http2Session.connect(server, { ...this.#options, tls, signal });
        return this.#take(session, before);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        failures.push(error);
      }
    }
    if (failures.length === 1 && failures[0]) throw failures[0];
    throw new ApiError(failures.map(({ message }) => message).join("; ") || "the host stops", {
      cause: failures[0]?.cause,
    });
  }

  #take(session: Http2Session, before: Http2Session | undefined): Http2Session {
    if (this.#closing.signal.aborted) {
      session.destroy();
      throw new ApiError("the host stops");
    }
    before?.retire();
    this.#session = session;
    this.#sessions.add(session);
    session.onClose(() => this.#sessions.delete(session));
    return session;
  }

  /** From the server that worked last; from the one behind it when that one fell silent. */
  #inOrder(servers: readonly URL[], before: Http2Session | undefined): readonly URL[] {
    const last = servers.findIndex((server) => server.href.replace(/\/$/, "") === this.#current);
    const first = Math.max(0, last) + (before?.isDead ? 1 : 0);
    return servers.map((_, index) => servers[(first + index) % servers.length] as URL);
  }
}
