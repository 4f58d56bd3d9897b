import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type OutgoingHttpHeaders,
} from "node:http2";
import { isIP, connect as connectTcp, type Socket } from "node:net";
import { checkServerIdentity, connect as connectTls, TLSSocket } from "node:tls";
import type { Clock } from "../../core/ports.ts";
import { ApiError } from "../api.ts";
import type { TlsIdentity } from "./api-access.ts";

export interface SessionOptions {
  readonly clock: Clock;
  readonly tls: TlsIdentity;
  /** Ends connecting. */
  readonly signal: AbortSignal;
  /** Until the server has greeted, ms. */
  readonly connectMs: number;
  /** Pause between two PINGs while streams are open, ms. */
  readonly pingMs: number;
  /** Until a PING must be answered, ms. */
  readonly pongMs: number;
}

/**
 * What one stream may have under way before its reader took it, bytes: a connection of 5 ms there and back
 * gives 50 MB/s by it, and a reader that stopped holds no more than this and the 64 KiB of a Node stream.
 */
const STREAM_WINDOW_BYTES = 256 << 10;

/** The same of all streams together: more of them than there are watches, so that none stops another. */
const CONNECTION_WINDOW_BYTES = 4 << 20;

const NO_HTTP2 = "it does not speak HTTP/2, or a proxy in between does not";

/** One HTTP/2 connection. Looked after by PING while streams are open; does not keep the process alive. */
export class Http2Session {
  readonly server: URL;
  readonly tls: TlsIdentity;
  readonly #session: ClientHttp2Session;
  readonly #options: SessionOptions;
  #streams = 0;
  #isRetired = false;
  /** It did not answer a PING. */
  #isDead = false;
  readonly #leaving = new AbortController();
  #cancelPing: () => void = () => undefined;

  /** Throws ApiError. */
  static async connect(server: URL, options: SessionOptions): Promise<Http2Session> {
    return new Http2Session(server, await connectSession(server, options), options);
  }

  private constructor(server: URL, session: ClientHttp2Session, options: SessionOptions) {
    this.server = server;
    this.tls = options.tls;
    this.#session = session;
    this.#options = options;
    // Streams hear of it themselves.
    session.on("error", () => undefined);
    session.on("goaway", () => this.retire());
    session.on("close", () => this.retire());
  }

  /** Takes new streams. */
  get isUsable(): boolean {
    return !this.#isRetired && !this.#session.closed && !this.#session.destroyed;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /**
   * Aborts when streams had better begin anew elsewhere: the server goes away, and Node sends no PING over
   * a session that has a GOAWAY, so that nobody would notice if it fell silent.
   */
  get leaving(): AbortSignal {
    return this.#leaving.signal;
  }

  onClose(call: () => void): void {
    if (this.#session.destroyed) call();
    else this.#session.once("close", call);
  }

  /** Begins a stream. Throws when the session has just gone. */
  begin(
    headers: OutgoingHttpHeaders,
    { hasBody }: { readonly hasBody: boolean },
  ): ClientHttp2Stream {
    const stream = this.#session.request(headers, { endStream: !hasBody });
    if (this.#streams++ === 0) this.#pingLater();
    stream.once("close", () => {
      if (--this.#streams > 0) return;
      this.#cancelPing();
      if (this.#isRetired) this.#session.close();
    });
    return stream;
  }

  /** No new streams; those under way go on, and the last one closes it. */
  retire(): void {
    this.#isRetired = true;
    if (this.#streams === 0 && !this.#session.destroyed) this.#session.close();
  }

  destroy(error?: Error): void {
    this.#isRetired = true;
    this.#cancelPing();
    this.#session.destroy(error);
  }

  #pingLater(): void {
    this.#cancelPing();
    this.#cancelPing = this.#options.clock.after(this.#options.pingMs, () => this.#ping());
  }

  #ping(): void {
    if (this.#session.destroyed) return;
    if (this.#session.closed) {
      this.#leaving.abort();
      return;
    }
    let isAnswered = false;
    const cancel = this.#options.clock.after(this.#options.pongMs, () => {
      // A process that was busy for long finds its timer before the answer that came meanwhile.
      setImmediate(() => {
        if (!isAnswered) this.#die();
      });
    });
    this.#cancelPing = cancel;
    this.#session.ping((error) => {
      if (isAnswered) return;
      isAnswered = true;
      cancel();
      if (error && !this.#session.destroyed) this.#leaving.abort();
      if (!error && this.#streams > 0) this.#pingLater();
    });
  }

  #die(): void {
    if (this.#session.destroyed) return;
    this.#isDead = true;
    const { pongMs } = this.#options;
    this.destroy(new Error(`the server did not answer a PING within ${pongMs} ms`));
  }
}

/** Connects, and waits for the server's greeting, its SETTINGS. */
function connectSession(server: URL, options: SessionOptions): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    // Nothing of it keeps the process alive.
    const socket = connectSocket(server, options.tls).unref();
    let session: ClientHttp2Session | undefined;
    const fail = (cause: Error): void => {
      end();
      session?.destroy();
      socket.destroy();
      reject(new ApiError(`Cannot connect to ${server.origin}: ${describe(cause)}`, { cause }));
    };
    const { connectMs } = options;
    const cancel = options.clock.after(connectMs, () => {
      fail(new Error(`no ${session ? "HTTP/2 greeting" : "connection"} within ${connectMs} ms`));
    });
    const onAbort = (): void => fail(new Error("the host stops"));
    const end = (): void => {
      cancel();
      options.signal.removeEventListener("abort", onAbort);
    };
    options.signal.addEventListener("abort", onAbort);
    if (options.signal.aborted) onAbort();
    const onError = (error: NodeJS.ErrnoException): void => {
      const isForeign =
        error.code === "ERR_HTTP2_ERROR" || error.code?.endsWith("ALERT_NO_APPLICATION_PROTOCOL");
      fail(isForeign ? new Error(NO_HTTP2, { cause: error }) : error);
    };
    socket.once("error", onError);
    socket.once(socket instanceof TLSSocket ? "secureConnect" : "connect", () => {
      if (socket instanceof TLSSocket && socket.alpnProtocol !== "h2") {
        fail(new Error(NO_HTTP2));
        return;
      }
      const begun = connect(server.origin, {
        createConnection: () => socket,
        settings: { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES },
      });
      session = begun;
      const onClose = (): void => fail(new Error("it closed the connection at once"));
      begun.once("error", onError);
      begun.once("close", onClose);
      begun.once("remoteSettings", () => {
        end();
        begun.off("close", onClose);
        begun.on("error", () => undefined);
        begun.off("error", onError);
        begun.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
        resolve(begun);
      });
    });
  });
}

/** In the words of a kubeconfig; Node's end with advice about flags of Node. */
function describe({ message, code = "" }: NodeJS.ErrnoException): string {
  if (!UNTRUSTED.has(code)) return message;
  return `its certificate is of an authority that certificate-authority of the kubeconfig does not have: ${message.split(";", 1)[0]}`;
}

/** OpenSSL's words (X509_V_ERR_...) for a chain that leads to nobody who is trusted. */
const UNTRUSTED: ReadonlySet<string> = new Set([
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
]);

function connectSocket(server: URL, tls: TlsIdentity): Socket {
  const host = server.hostname.replace(/^\[(.*)\]$/, "$1");
  if (server.protocol === "http:") {
    return connectTcp({ host, port: Number(server.port || 80), noDelay: true });
  }
  const name = tls.serverName || host;
  const socket = connectTls({
    host,
    port: Number(server.port || 443),
    secureContext: tls.context,
    ALPNProtocols: ["h2"],
    rejectUnauthorized: !tls.isInsecure,
    // An address is no server name: RFC 6066 section 3.
    ...(isIP(name) === 0 && { servername: name }),
    checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
  });
  socket.setNoDelay(true);
  return socket;
}
