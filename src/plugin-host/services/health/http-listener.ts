import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { OpenListener } from "../listening/listener-set.ts";

/** What one prober may take. Ports face the network, and nobody there is known. */
export const HTTP_LIMITS = {
  /** Connections of one port at the same time; more are closed at once. */
  connectionsMax: 256,
  /** Bytes of a request's line and headers. */
  headerBytesMax: 8 << 10,
  /** Until all headers are there, ms. */
  headersMs: 5_000,
  /** Silence after which a connection is closed, ms. */
  idleMs: 10_000,
  /** How often the times are checked, ms. */
  checkMs: 1_000,
};

export interface HttpAnswer {
  readonly code: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface HttpListener extends OpenListener {
  /** The one that the kernel picked when 0 was asked for. */
  readonly port: number;
}

/**
 * Answers GET and HEAD on one address. `answer` gets the path; undefined is 404. close() ends all
 * connections, whatever they do. Rejects with the errors of listen(2).
 */
export async function openHttp(
  place: { readonly address: string; readonly port: number },
  options: {
    readonly answer: (path: string) => HttpAnswer | undefined;
    readonly limits?: Partial<typeof HTTP_LIMITS>;
  },
): Promise<HttpListener> {
  const limits = { ...HTTP_LIMITS, ...options.limits };
  // An import would read every export of the module, the WebSocket among them: 4 MB for ever.
  const { createServer } = process.getBuiltinModule("node:http");
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytesMax,
      headersTimeout: limits.headersMs,
      requestTimeout: limits.headersMs,
      keepAliveTimeout: limits.idleMs,
      connectionsCheckingInterval: limits.checkMs,
    },
    (request, response) => respond(request, response, options.answer),
  );
  server.maxConnections = limits.connectionsMax;
  server.setTimeout(limits.idleMs);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(place.port, place.address, () => {
      server.off("error", reject);
      resolve();
    });
  });
  // accept(2) can fail later, for want of descriptors: the next probe may fare better.
  server.on("error", () => {});
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function respond(
  request: IncomingMessage,
  response: ServerResponse,
  answer: (path: string) => HttpAnswer | undefined,
): void {
  if (request.method !== "GET" && request.method !== "HEAD") {
    // Closed, so that a body is not read.
    response.writeHead(405, { allow: "GET, HEAD", connection: "close" }).end();
    return;
  }
  const path = (request.url ?? "").split("?", 1)[0] ?? "";
  const found = answer(path);
  if (found === undefined) {
    response.writeHead(404).end();
    return;
  }
  const length = `${Buffer.byteLength(found.body)}`;
  response.writeHead(found.code, { ...found.headers, "content-length": length }).end(found.body);
}
