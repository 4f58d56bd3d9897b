import {
  createSecureServer,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type SecureServerOptions,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Server,
  type Socket,
} from "node:net";
import type { TLSSocket } from "node:tls";
import type { ApiAccess, ApiCredentials, TlsIdentity } from "./api-access.ts";
import { createSecureContext } from "node:tls";

export interface FakeServerRequest {
  readonly stream: ServerHttp2Stream;
  readonly session: ServerHttp2Session;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Of the client's certificate; "": it had none. */
  readonly clientName: string;
}

/** An HTTP/2 server on 127.0.0.1 that answers as a test says, without any certificate by plain HTTP. */
export class FakeServer implements AsyncDisposable {
  readonly requests: FakeServerRequest[] = [];
  readonly sessions = new Set<ServerHttp2Session>();
  answer: (request: FakeServerRequest) => void = ({ stream }) => respond(stream, {});
  readonly #server: Http2Server;
  readonly #isSecure: boolean;
  readonly #waiters = new Set<() => void>();

  static async start(tls?: SecureServerOptions, port = 0): Promise<FakeServer> {
    const server = new FakeServer(tls);
    await new Promise<void>((resolve) => server.#server.listen(port, "127.0.0.1", resolve));
    return server;
  }

  private constructor(tls: SecureServerOptions | undefined) {
    this.#isSecure = tls !== undefined;
    this.#server = tls ? createSecureServer({ ...tls, allowHTTP1: false }) : createServer();
    this.#server.on("session", (session) => {
      this.sessions.add(session);
      session.on("error", () => undefined);
      session.on("close", () => {
        this.sessions.delete(session);
        this.#wake();
      });
    });
    this.#server.on("stream", (stream: ServerHttp2Stream, headers) => {
      stream.on("error", () => undefined);
      const session = stream.session as ServerHttp2Session | undefined;
      if (!session) return;
      const peer = this.#isSecure ? (session.socket as TLSSocket).getPeerCertificate() : undefined;
      const request = {
        stream,
        session,
        headers,
        path: headers[":path"] ?? "",
        clientName: peer?.subject?.CN === undefined ? "" : String(peer.subject.CN),
      };
      this.requests.push(request);
      this.answer(request);
      this.#wake();
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `${this.#isSecure ? "https" : "http"}://127.0.0.1:${this.port}`;
  }

  /** Resolves once this holds; looked at after each request, and each session that goes. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiters.add(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.sessions) session.destroy();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }

  #wake(): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const wake of waiters) wake();
  }
}

/** Stands in front of a server, and may stop to pass bytes on without closing anything. */
export class FakeProxy implements AsyncDisposable {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  static async start(port: number): Promise<FakeProxy> {
    const proxy = new FakeProxy(port);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  private constructor(port: number) {
    this.#server = createTcpServer((client) => {
      const server = connect(port, "127.0.0.1");
      for (const [from, to] of [
        [client, server],
        [server, client],
      ] as const) {
        this.#sockets.add(from);
        from.on("error", () => to.destroy());
        from.on("close", () => to.destroy());
        from.pipe(to);
      }
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  freeze(): void {
    for (const socket of this.#sockets) socket.unpipe().pause();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export function respond(stream: ServerHttp2Stream, value: unknown, status = 200): void {
  stream.respond({ ":status": status, "content-type": "application/json" });
  stream.end(JSON.stringify(value));
}

/** An access whose parts a test changes at will. */
export class FakeAccess implements ApiAccess {
  readonly source = "test";
  servers: readonly string[];
  token = "";
  tls: TlsIdentity = { context: createSecureContext(), serverName: "", isInsecure: false };
  /** Of the next call that was refused before. */
  tokenAfterRefusal: string | undefined;

  constructor(...servers: readonly string[]) {
    this.servers = servers;
  }

  credentials({ isRefused = false } = {}): Promise<ApiCredentials> {
    if (isRefused && this.tokenAfterRefusal !== undefined) this.token = this.tokenAfterRefusal;
    const servers = this.servers.map((server) => new URL(server));
    return Promise.resolve({ servers, token: this.token, tls: this.tls });
  }
}
