import { formatAddress, type IpAddress } from "../../ip/address.ts";
import type { ModelChange } from "../../services/table-types.ts";
import type { AttachmentId, AttachmentRecord } from "../core/attachment.ts";
import { describePod } from "../core/detach.ts";
import { type HostPortModel, isAny, isLoopback, toHostPortModel } from "../core/host-ports.ts";
import { withDeadline } from "../core/deadline.ts";
import type { AttachmentServices, Clock, EventSink } from "../core/ports.ts";
import { formatErrorChain, PatchbayError } from "../errors.ts";
import type { ServicesConfig } from "../host-config.ts";
import { LIMITS } from "../limits.ts";
import type { ServicesCore } from "./services-core.ts";

/** The source of the frontends that attachments bring. */
export const HOST_PORTS = "host-ports";

export interface AttachmentServicesDeps {
  readonly core: ServicesCore;
  readonly events: EventSink;
  readonly nodeName: string;
  readonly addWaits: ServicesConfig["addWaits"];
  readonly clock: Clock;
  /** Services on networks of their own. */
  readonly networks: AttachmentNetworks;
  /** All addresses of the node's own links, as the kernel has them now. */
  readonly nodeAddresses: () => Promise<readonly IpAddress[]>;
}

/** What attachments are to Services on networks. */
export interface AttachmentNetworks {
  restore(records: readonly AttachmentRecord[]): void;
  /** It is on its way out. */
  withdraw(id: AttachmentId): void;
  /** Resolves when the pod's namespace holds its Services; undefined: it has none. */
  settle(record: AttachmentRecord): Promise<void> | undefined;
}

/** Host ports of attachments as a source of Services, and ADDs that wait for Services. */
export class CoreAttachmentServices implements AttachmentServices {
  readonly #deps: AttachmentServicesDeps;
  readonly #published = new Map<AttachmentId, HostPortModel>();

  constructor(deps: AttachmentServicesDeps) {
    this.#deps = deps;
    deps.core.awaitSource(HOST_PORTS);
  }

  restore(records: readonly AttachmentRecord[]): void {
    const { core, nodeName, networks } = this.#deps;
    networks.restore(records);
    this.#published.clear();
    for (const record of records) {
      if (record.portMappings)
        this.#published.set(record.id, toHostPortModel(record, { nodeName }));
    }
    const models = [...this.#published.values()];
    if (models.length > 0) core.applyModel(HOST_PORTS, { ...puts(models), replace: true });
    core.sourceIsReady(HOST_PORTS);
  }

  async publish(record: AttachmentRecord): Promise<void> {
    const { core, nodeName } = this.#deps;
    await this.#requireOwnAddresses(record);
    const model = toHostPortModel(record, { nodeName });
    this.#published.set(record.id, model);
    core.applyModel(HOST_PORTS, puts([model]));
    const what = `Cannot open the host ports of ${describePod(record)}`;
    try {
      await core.waitProgrammed({ timeoutMs: LIMITS.hostPortsMs });
    } catch (cause) {
      throw new PatchbayError("NOT_PROGRAMMED", what, { cause });
    }
    this.#requireServed(model, what);
  }

  withdraw(id: AttachmentId): void {
    this.#deps.networks.withdraw(id);
    const model = this.#published.get(id);
    if (!model) return;
    this.#published.delete(id);
    this.#deps.core.applyModel(HOST_PORTS, {
      ...puts([]),
      removeGroups: model.groups.map((group) => group.id),
      removeFrontends: model.frontends.map((frontend) => frontend.id),
    });
  }

  settle(record: AttachmentRecord): Promise<void> | undefined {
    const { core, addWaits, clock, networks } = this.#deps;
    if (!core.isWanted) return undefined;
    const inside = networks.settle(record);
    const bounded =
      inside &&
      withDeadline(inside, {
        clock,
        limitMs: LIMITS.podNamespaceAddMs,
        what: "Programming Services on its networks",
      });
    const waited = addWaits.enabled
      ? core.waitProgrammed({ timeoutMs: addWaits.timeoutMs })
      : undefined;
    if (!bounded && !waited) return undefined;
    return this.#tolerate(record, Promise.all([bounded, waited]));
  }

  /** A pod is not held back by what is tried again anyway. */
  #tolerate(record: AttachmentRecord, waiting: Promise<unknown>): Promise<void> {
    return waiting.then(
      () => {},
      (error: unknown) => {
        const { events } = this.#deps;
        const message = `ADD of ${describePod(record)} goes on without Services: ${formatErrorChain(error)}`;
        events.emit({ kind: "services-wait-failed", subject: record.id, message });
      },
    );
  }

  /** On an address that nobody brings here, or on loopback, a host port would answer nobody. */
  async #requireOwnAddresses({ portMappings }: AttachmentRecord): Promise<void> {
    const named = (portMappings ?? []).filter(({ hostIp }) => hostIp !== "" && !isAny(hostIp));
    if (named.length === 0) return;
    const own = new Set((await this.#deps.nodeAddresses()).map(formatAddress));
    for (const { hostIp, hostPort, protocol } of named) {
      if (own.has(hostIp) && !isLoopback(hostIp)) continue;
      const why = isLoopback(hostIp)
        ? "no loopback address: host ports are not served there"
        : "an address of this node";
      throw new PatchbayError(
        "INVALID_NETWORK_CONFIG",
        `hostIP of runtimeConfig.portMappings (hostPort ${hostPort}/${protocol}) is ${hostIp}, expected ${why}`,
      );
    }
  }

  /** Fail closed: a pod that cannot be reached where it should be does not start. */
  #requireServed(model: HostPortModel, what: string): void {
    const { core } = this.#deps;
    const state = core.table.view(model.service);
    const frontends = state?.frontends ?? [];
    for (const { planned, shadowedBy } of frontends) {
      if (shadowedBy !== undefined) {
        const message = `${what}: ${planned.port}/${planned.protocol} of ${planned.address} leads to ${describeHolder(shadowedBy)}`;
        throw new PatchbayError("HOST_PORT_TAKEN", message);
      }
      const refused = core.refusalOf(planned.key);
      if (refused !== "") throw new PatchbayError("NOT_PROGRAMMED", `${what}: ${refused}`);
    }
    for (const { family, protocol, port } of model.frontends) {
      const isThere = frontends.some(
        ({ planned }) =>
          planned.family === family && planned.protocol === protocol && planned.port === port,
      );
      if (isThere) continue;
      const message = `${what}: the node has no IPv${family} address to open ${port}/${protocol} on`;
      // A pod of both families on a node of one is reached by that one.
      if (frontends.length === 0) throw new PatchbayError("NOT_PROGRAMMED", message);
    }
  }
}

/** "Service default/web", or the pod of a host port. */
function describeHolder(service: string): string {
  const [kind, ...rest] = service.split("/");
  return kind === "host-port" ? `the pod ${rest.join("/")}` : `Service ${service}`;
}

function puts(models: readonly HostPortModel[]): ModelChange {
  return {
    replace: false,
    putGroups: models.flatMap(({ groups }) => groups),
    removeGroups: [],
    putFrontends: models.flatMap(({ frontends }) => frontends),
    removeFrontends: [],
  };
}
