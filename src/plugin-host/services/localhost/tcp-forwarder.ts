import { connect, createServer, type Socket } from "node:net";
import type { PlannedEndpoint } from "../../../services/plan-types.ts";
import type { Clock } from "../../core/ports.ts";
import type { OpenListener } from "../listening/listener-set.ts";
import { loopbackOf, type Place, type Target } from "./target.ts";

/** Forwarded connections at the same time, of all ports; one more is reset. Each has two descriptors. */
export const CONNECTIONS_MAX = 4_096;
/** Until an endpoint answers, ms; then the client is reset. */
export const CONNECT_MS = 10_000;
/** How long a connection to a port that drops is left without an answer, ms: as long as Linux retries a SYN. */
export const DROP_MS = 127_000;
/** Silence after which a peer is asked whether it lives, ms. An endpoint whose pod is gone says nothing. */
const KEEPALIVE_MS = 60_000;

/**
 * Forwards TCP connections from loopback to endpoints. A connection lives until its ends end it:
 * neither the removal of its endpoint nor that of its port touches it, only close() does.
 */
export class TcpForwarder {
  readonly #clock: Clock;
  readonly #connectionsMax: number;
  readonly #onFull: () => void;
  /** Sockets of clients. */
  readonly #clients = new Set<Socket>();
  #isFullReported = false;

  constructor(options: {
    readonly clock: Clock;
    readonly connectionsMax?: number;
    /** The bound is reached; told again after half of the connections ended. */
    readonly onFull: () => void;
  }) {
    this.#clock = options.clock;
    this.#connectionsMax = options.connectionsMax ?? CONNECTIONS_MAX;
    this.#onFull = options.onFull;
  }

  /** Listens on loopback; closing frees the port and leaves connections alone. Rejects as listen(2) fails. */
  async listen(place: Place, findTarget: () => Target): Promise<OpenListener> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) =>
      this.#accept(client, findTarget()),
    );
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host: loopbackOf(place.family), port: place.port, ipv6Only: true }, () => {
        server.off("error", reject);
        resolve();
      });
    });
    // accept(2) can fail later, for want of descriptors: the next connection may fare better.
    server.on("error", () => {});
    return { close: () => void server.close() };
  }

  /** Resets all connections. */
  close(): void {
    for (const client of this.#clients) client.resetAndDestroy();
  }

  #accept(client: Socket, target: Target): void {
    // Whatever happens to a socket is followed by "close", and that is where it is dealt with.
    client.on("error", () => {});
    if (target.kind === "reject" || !this.#admit(client)) {
      client.resetAndDestroy();
      return;
    }
    if (target.kind === "drop") this.#ignore(client);
    else this.#forward(client, target);
  }

  #admit(client: Socket): boolean {
    if (this.#clients.size >= this.#connectionsMax) {
      if (!this.#isFullReported) this.#onFull();
      this.#isFullReported = true;
      return false;
    }
    this.#clients.add(client);
    client.once("close", () => {
      this.#clients.delete(client);
      if (this.#clients.size <= this.#connectionsMax / 2) this.#isFullReported = false;
    });
    return true;
  }

  /** The handshake is the kernel's and cannot be taken back; what follows is silence. */
  #ignore(client: Socket): void {
    const cancel = this.#clock.after(DROP_MS, () => client.destroy());
    client.once("close", cancel);
    client.once("end", () => client.destroy());
    client.resume();
  }

  #forward(client: Socket, target: Target & { readonly kind: "endpoint" }): void {
    const upstream = openUpstream(target.endpoint);
    const cancel = this.#clock.after(CONNECT_MS, () => upstream.destroy());
    let isConnected = false;
    upstream.once("connect", () => {
      isConnected = true;
      cancel();
    });
    upstream.on("error", () => {});
    upstream.once("close", () => {
      cancel();
      if (!isConnected && !client.destroyed) target.failed();
    });
    resetWith(client, upstream);
    resetWith(upstream, client);
    // Pipes carry data with backpressure, and the end of each direction by itself.
    client.pipe(upstream);
    upstream.pipe(client);
  }
}

function openUpstream(endpoint: PlannedEndpoint): Socket {
  return connect({
    host: endpoint.address,
    port: endpoint.port,
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEPALIVE_MS,
  });
}

/** When one side breaks off the other is reset; one that ended in order may still have data to send. */
function resetWith(broken: Socket, other: Socket): void {
  broken.once("close", () => {
    if (broken.readableEnded && broken.writableFinished) return;
    if (other.connecting) other.destroy();
    else other.resetAndDestroy();
  });
}
