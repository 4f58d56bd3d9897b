import type {
  PlanChanges,
  PlannedEndpoint,
  PlannedList,
  ServicePlan,
} from "../../../services/plan-types.ts";
import type { Clock } from "../../core/ports.ts";
import { type ListenerEvent, ListenerSet, type OpenListener } from "../listening/listener-set.ts";
import { EndpointPicker } from "./endpoint-picker.ts";
import { type LocalPort, type LocalPortChanges, LocalPorts } from "./local-ports.ts";
import type { Target } from "./target.ts";
import { TcpForwarder } from "./tcp-forwarder.ts";
import { UdpForwarder } from "./udp-forwarder.ts";

/** Keys are "4|TCP|30080". "failed" with EADDRINUSE: another program has the port. */
export type LocalhostEvent =
  | ListenerEvent
  /** SCTP: it is not served on loopback. */
  | { readonly kind: "unsupported"; readonly key: string }
  /** New connections are reset. */
  | { readonly kind: "connections-full" }
  /** Clients that are silent longest lose their association. */
  | { readonly kind: "associations-full" };

/**
 * NodePorts on 127.0.0.1 and ::1 by a proxy in this process, TCP and UDP, both families: without
 * route_localnet, which lets neighbours reach services of the node's loopback (CVE-2020-8558).
 * A port whose route rejects is not listened on, so that the kernel refuses (reset for TCP, ICMP for
 * UDP); where the route drops nothing is answered. SCTP is not supported. A port of a family is
 * served as long as the plan has a NodePort frontend of that family, on whichever address.
 */
export class LocalhostNodePorts {
  readonly #onEvent: (event: LocalhostEvent) => void;
  readonly #picker: EndpointPicker;
  readonly #tcp: TcpForwarder;
  readonly #udp: UdpForwarder;
  readonly #ports = new LocalPorts();
  readonly #listeners: ListenerSet<LocalPort>;

  constructor(options: {
    readonly clock: Clock;
    /** 0 inclusive to 1 exclusive: Math.random. */
    readonly random: () => number;
    readonly onEvent: (event: LocalhostEvent) => void;
    /** Default CONNECTIONS_MAX. */
    readonly connectionsMax?: number;
    /** Default ASSOCIATIONS_MAX. */
    readonly associationsMax?: number;
  }) {
    const { clock, onEvent } = options;
    this.#onEvent = onEvent;
    this.#picker = new EndpointPicker(options);
    this.#tcp = new TcpForwarder({
      clock,
      ...(options.connectionsMax !== undefined && { connectionsMax: options.connectionsMax }),
      onFull: () => onEvent({ kind: "connections-full" }),
    });
    this.#udp = new UdpForwarder({
      clock,
      ...(options.associationsMax !== undefined && { associationsMax: options.associationsMax }),
      onFull: () => onEvent({ kind: "associations-full" }),
    });
    this.#listeners = new ListenerSet((port) => this.#listen(port), { clock, onEvent });
  }

  /** A difference of the plan. All differences since the first, or since a reset, are to be told. */
  update(changes: PlanChanges): void {
    this.#apply(this.#ports.apply(changes));
  }

  /** The whole plan anew, with the same result as differences have. */
  reset(plan: ServicePlan): void {
    this.#apply(this.#ports.reset(plan));
  }

  /** Resolves when no port is being opened. */
  settled(): Promise<void> {
    return this.#listeners.settled();
  }

  /** Keys of the ports listened on, unsorted. */
  openKeys(): readonly string[] {
    return this.#listeners.openKeys();
  }

  /** Frees all ports, resets all connections. */
  async close(): Promise<void> {
    await this.#listeners.close();
    this.#tcp.close();
    this.#udp.close();
  }

  #apply(changes: LocalPortChanges): void {
    const rejecting = changes.put.filter((port) => port.route.kind === "reject");
    this.#listeners.change({
      put: changes.put.filter((port) => port.route.kind !== "reject"),
      remove: [...changes.remove, ...rejecting.map((port) => port.key)],
    });
    this.#dropRemovedEndpoints(changes.put.filter((port) => port.protocol === "UDP"));
    for (const key of changes.unsupported) this.#onEvent({ kind: "unsupported", key });
  }

  #dropRemovedEndpoints(ports: readonly LocalPort[]): void {
    if (ports.length === 0 || this.#udp.associationCount === 0) return;
    const usable = new Map(
      ports.map((port) => [port.key, endpointNames(this.#ports.listOf(port))]),
    );
    this.#udp.dropEndpoints((portKey, endpoint) => {
      return usable.get(portKey)?.has(nameOf(endpoint)) === false;
    });
  }

  #listen(port: LocalPort): Promise<OpenListener> {
    const findTarget = (): Target => this.#findTarget(port.key);
    return port.protocol === "TCP"
      ? this.#tcp.listen(port, findTarget)
      : this.#udp.listen(port, findTarget);
  }

  /** By what the plan says now, whatever it said when the port was opened. */
  #findTarget(key: string): Target {
    const port = this.#ports.find(key);
    if (port === undefined || port.route.kind === "reject") return { kind: "reject" };
    if (port.route.kind === "drop") return { kind: "drop" };
    const list = this.#ports.listOf(port);
    if (list === undefined) return { kind: "reject" };
    const endpoint = this.#picker.pick(list);
    return { kind: "endpoint", endpoint, failed: () => this.#picker.forget(list) };
  }
}

function endpointNames(list: PlannedList | undefined): ReadonlySet<string> {
  return new Set(list?.endpoints.map(nameOf));
}

function nameOf(endpoint: PlannedEndpoint): string {
  return `${endpoint.address}|${endpoint.port}`;
}
