import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import type { Family } from "../../../ip/address.ts";
import type { PlannedEndpoint } from "../../../services/plan-types.ts";
import type { Clock } from "../../core/ports.ts";
import type { OpenListener } from "../listening/listener-set.ts";
import { type Association, Associations } from "./associations.ts";
import { loopbackOf, type Place, type Target } from "./target.ts";

/** Clients at the same time, of all ports; one more ends the one that was silent longest. */
export const ASSOCIATIONS_MAX = 4_096;
/** Silence in both directions after which an association ends, ms: nf_conntrack_udp_timeout. */
export const ASSOCIATION_IDLE_MS = 30_000;
/** Datagrams that wait while the socket towards the endpoint is made; one more is lost. */
const WAITING_MAX = 64;
/** Bytes that wait in a socket of ours; more are lost, as in any full queue of UDP. */
const SEND_QUEUE_BYTES_MAX = 1 << 20;

interface UdpAssociation extends Association {
  readonly portKey: string;
  readonly endpoint: PlannedEndpoint;
  send(datagram: Uint8Array): void;
}

/**
 * Forwards datagrams from loopback to endpoints and back: a connected socket for each client, so
 * that answers find their way and strangers' do not.
 */
export class UdpForwarder {
  readonly #associations: Associations<UdpAssociation>;
  readonly #associationsMax: number;
  readonly #onFull: () => void;
  #isFullReported = false;

  constructor(options: {
    readonly clock: Clock;
    readonly associationsMax?: number;
    /** The bound is reached; told again after their number was down to half. */
    readonly onFull: () => void;
  }) {
    this.#associationsMax = options.associationsMax ?? ASSOCIATIONS_MAX;
    this.#onFull = options.onFull;
    this.#associations = new Associations({
      clock: options.clock,
      max: this.#associationsMax,
      idleMs: ASSOCIATION_IDLE_MS,
    });
  }

  /** Listens on loopback; closing ends the port's associations. Rejects as bind(2) fails. */
  async listen(
    place: Place & { readonly key: string },
    findTarget: () => Target,
  ): Promise<OpenListener> {
    const server = makeSocket(place.family);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.bind({ address: loopbackOf(place.family), port: place.port, exclusive: true }, () => {
        server.off("error", reject);
        resolve();
      });
    });
    // A failed recvmsg(2) loses a datagram and nothing else.
    server.on("error", () => {});
    server.on("message", (datagram, client) => {
      this.#forward(datagram, { server, client, place, findTarget });
    });
    return {
      close: () => {
        server.close();
        this.#associations.removeWhere((association) => association.portKey === place.key);
      },
    };
  }

  /** Ends associations whose endpoint is over: the client's next datagram goes to another one. */
  dropEndpoints(isOver: (portKey: string, endpoint: PlannedEndpoint) => boolean): void {
    this.#associations.removeWhere(({ portKey, endpoint }) => isOver(portKey, endpoint));
  }

  /** Clients now, of all ports. */
  get associationCount(): number {
    return this.#associations.size;
  }

  /** Ends all associations. */
  close(): void {
    this.#associations.close();
  }

  #forward(
    datagram: Uint8Array,
    from: {
      readonly server: Socket;
      readonly client: RemoteInfo;
      readonly place: Place & { readonly key: string };
      readonly findTarget: () => Target;
    },
  ): void {
    const { server, client, place } = from;
    const key = `${place.key}|${client.address}|${client.port}`;
    let association = this.#associations.use(key);
    if (association === undefined) {
      const target = from.findTarget();
      if (target.kind !== "endpoint") return;
      const made = associate(target.endpoint, {
        family: place.family,
        portKey: place.key,
        onAnswer: (datagram) => {
          this.#associations.use(key);
          answer(server, datagram, client);
        },
        onError: () => {
          target.failed();
          this.#associations.remove(key, made);
        },
      });
      association = made;
      this.#add(key, made);
    }
    association.send(datagram);
  }

  #add(key: string, association: UdpAssociation): void {
    if (this.#associations.size <= this.#associationsMax / 2) this.#isFullReported = false;
    const hasGivenWay = this.#associations.add(key, association);
    if (!hasGivenWay || this.#isFullReported) return;
    this.#isFullReported = true;
    this.#onFull();
  }
}

/**
 * Opens the socket towards an endpoint. An ICMP error of it (port unreachable) is told by whichever
 * call on the socket comes next, send or receive.
 */
function associate(
  endpoint: PlannedEndpoint,
  options: {
    readonly family: Family;
    readonly portKey: string;
    readonly onAnswer: (datagram: Uint8Array) => void;
    readonly onError: () => void;
  },
): UdpAssociation {
  const socket = makeSocket(options.family);
  let waiting: Uint8Array[] | undefined = [];
  let isClosed = false;
  const fail = () => {
    if (!isClosed) options.onError();
  };
  const send = (datagram: Uint8Array) => {
    if (socket.getSendQueueSize() > SEND_QUEUE_BYTES_MAX) return;
    socket.send(datagram, (error) => {
      if (error && isUnreachable(error)) fail();
    });
  };
  socket.on("error", fail);
  socket.on("message", options.onAnswer);
  socket.once("connect", () => {
    if (isClosed) return;
    for (const datagram of waiting ?? []) send(datagram);
    waiting = undefined;
  });
  socket.connect(endpoint.port, endpoint.address);
  return {
    portKey: options.portKey,
    endpoint,
    send(datagram) {
      if (waiting === undefined) send(datagram);
      else if (waiting.length < WAITING_MAX) waiting.push(datagram);
    },
    close() {
      isClosed = true;
      socket.close();
    },
  };
}

/** Not so EMSGSIZE, which loses one datagram. */
function isUnreachable(error: NodeJS.ErrnoException): boolean {
  return ["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH"].includes(error.code ?? "");
}

function makeSocket(family: Family): Socket {
  return createSocket({ type: family === 4 ? "udp4" : "udp6", ipv6Only: family === 6 });
}

function answer(server: Socket, datagram: Uint8Array, client: RemoteInfo): void {
  if (server.getSendQueueSize() > SEND_QUEUE_BYTES_MAX) return;
  // With a callback errors are not thrown: what cannot be sent is lost.
  server.send(datagram, client.port, client.address, () => {});
}
