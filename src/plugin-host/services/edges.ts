import type { Conntrack } from "../../kernel/conntrack.ts";
import type { AddressText } from "../../services/model.ts";
import type { Node } from "../../services/objects.ts";
import type { Clock, EventSink } from "../core/ports.ts";
import { formatErrorChain } from "../errors.ts";
import type { ServicesConfig } from "../host-config.ts";
import { LIMITS } from "../limits.ts";
import { FlowReconciler, type StaleFrontend } from "./flows/flow-reconciler.ts";
import { HealthCheckServers } from "./health/health-check-servers.ts";
import { ProxyHealth } from "./health/proxy-health.ts";
import { ProxyHealthServer } from "./health/proxy-health-server.ts";
import type { ListenerEvent } from "./listening/listener-set.ts";
import { LocalhostNodePorts } from "./localhost/localhost-node-ports.ts";
import type { ServicesCore } from "./services-core.ts";
import type { AllServicesMetrics } from "./services-metrics.ts";

export interface EdgesDeps {
  readonly core: ServicesCore;
  readonly clock: Clock;
  readonly events: EventSink;
  readonly metrics: AllServicesMetrics;
  readonly healthz: ServicesConfig["healthz"];
  /** NodePorts are served on loopback too. */
  readonly servesLocalhost: boolean;
  readonly nodePortAddresses: () => readonly AddressText[];
}

/**
 * What stands beside the data plane: health servers, NodePorts on loopback, flows that lead nowhere. It
 * follows the core; none of it begins before somebody wants Services.
 */
export class ServiceEdges implements AsyncDisposable {
  readonly #deps: EdgesDeps;
  readonly #cleanup = new AsyncDisposableStack();
  readonly #health: ProxyHealth;
  readonly #checks: HealthCheckServers;
  #flows: FlowReconciler | undefined;
  #acknowledge: { readonly revision: number; readonly done: () => void } | undefined;
  #cancelChecks: (() => void) | undefined;

  constructor(deps: EdgesDeps) {
    const { core, clock } = deps;
    this.#deps = deps;
    this.#health = new ProxyHealth(clock);
    this.#checks = this.#cleanup.adopt(
      new HealthCheckServers({
        clock,
        isProxyHealthy: () => this.#health.report().isHealthy,
        onEvent: (event) => {
          if (event.kind === "conflict") {
            const { port, service, holder } = event;
            this.#emit(`Health port ${port} of ${service} is that of ${holder} already`);
          } else this.#emitListener("Health port", event);
        },
      }),
      (servers) => servers.close(),
    );
    this.#followHealth();
    if (deps.servesLocalhost) this.#followNodePorts();
    core.onWanted(() => this.#serveHealthz());
    this.#updateChecksSoon();
    this.#cleanup.defer(() => this.#cancelChecks?.());
  }

  /** The own Node object as it is now; undefined: none is known. */
  setNode(node: Node | undefined): void {
    this.#health.setNode(node);
    this.#updateChecksSoon();
  }

  /** From now on flows that lead nowhere are deleted. Connection tracking stays the caller's to close. */
  openFlows(conntrack: Conntrack): void {
    if (this.#flows) return;
    const { core, clock, metrics } = this.#deps;
    this.#flows = this.#cleanup.adopt(
      new FlowReconciler({
        conntrack,
        clock,
        findServing: (key) => core.table.servingEndpoints(key),
        onSynced: (synced) => metrics.flowsSynced(synced),
        onEvent: (event) => {
          if (event.kind === "failed") {
            this.#emit(`Flows cannot be looked at: ${formatErrorChain(event.error)}`);
          } else this.#emit(`Flows of ${event.frontends} frontends were not looked at: too many`);
        },
      }),
      (flows) => flows.close(),
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#cleanup.disposeAsync();
  }

  #followHealth(): void {
    const { core } = this.#deps;
    const stop = core.listen({
      queued: () => this.#health.queued(),
      taken: (changes) => {
        const done = this.#health.programming();
        if (changes) this.#acknowledge = { revision: changes.changes.revision, done };
        else if (this.#acknowledge) this.#acknowledge = { ...this.#acknowledge, done };
        else done();
        if (changes) this.#updateChecksSoon();
      },
      programmed: ({ revision, isReset, staleFlows }) => {
        if (this.#acknowledge && revision >= this.#acknowledge.revision) {
          this.#acknowledge.done();
          this.#acknowledge = undefined;
        }
        // Before, packets may have passed that no rule translated.
        this.#flows?.update(isReset ? this.#allFrontends() : staleFlows);
      },
    });
    this.#cleanup.defer(() => {
      stop();
    });
  }

  #allFrontends(): StaleFrontend[] {
    const { frontends } = this.#deps.core.table.plan();
    return [...frontends.values()].filter(({ protocol }) => protocol === "UDP");
  }

  #followNodePorts(): void {
    const { core, clock } = this.#deps;
    const proxies = this.#cleanup.adopt(
      new LocalhostNodePorts({
        clock,
        random: Math.random,
        onEvent: (event) => {
          if (event.kind === "unsupported") {
            this.#emit(`NodePort ${event.key} is not served on loopback: the protocol is not`);
          } else if (event.kind === "connections-full" || event.kind === "associations-full") {
            this.#emit(`NodePorts on loopback: ${event.kind}`);
          } else this.#emitListener("NodePort on loopback", event);
        },
      }),
      (opened) => opened.close(),
    );
    proxies.reset(core.table.plan());
    const stop = core.listen({
      taken: (changes) => {
        if (changes) proxies.update(changes.changes);
      },
    });
    this.#cleanup.defer(() => {
      stop();
    });
  }

  #serveHealthz(): void {
    const { clock, metrics, healthz } = this.#deps;
    if (!healthz) return;
    const server = this.#cleanup.adopt(
      new ProxyHealthServer(this.#health, {
        clock,
        onAnswer: (answered) => metrics.healthAnswered(answered),
        onEvent: (event) => this.#emitListener("/healthz", event),
      }),
      (opened) => opened.close(),
    );
    void server.update(healthz);
  }

  /** Asking the table looks at every Service: not at each change of a burst. */
  #updateChecksSoon(): void {
    this.#cancelChecks ??= this.#deps.clock.after(LIMITS.healthChecksMs, () => {
      this.#cancelChecks = undefined;
      const { core, nodePortAddresses } = this.#deps;
      this.#checks.update(core.table.healthChecks(), nodePortAddresses());
    });
  }

  #emitListener(what: string, event: ListenerEvent): void {
    switch (event.kind) {
      case "failed":
        return this.#emit(`${what} ${event.key} cannot be opened: ${event.message}`);
      case "recovered":
        return this.#emit(`${what} ${event.key} is open now`);
      case "over-limit":
        return this.#emit(`${what}: ${event.count} more than can be opened`);
    }
  }

  #emit(message: string): void {
    this.#deps.events.emit({ kind: "services-edge-failed", subject: "services", message });
  }
}
