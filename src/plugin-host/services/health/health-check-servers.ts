import type { AddressText } from "../../../services/model.ts";
import type { HealthCheck } from "../../../services/table-types.ts";
import type { Clock } from "../../core/ports.ts";
import { type ListenerEvent, ListenerSet, type ListenerSpec } from "../listening/listener-set.ts";
import { answerHealthCheck } from "./health-answer.ts";
import { openHttp } from "./http-listener.ts";

/** Keys are "192.168.0.2|32000". */
export type HealthCheckEvent =
  | ListenerEvent
  /** Two Services have one port: the first by namespace and name has it. Told once. */
  | {
      readonly kind: "conflict";
      readonly port: number;
      readonly service: string;
      readonly holder: string;
    };

interface HealthCheckSpec extends ListenerSpec {
  readonly address: AddressText;
  readonly port: number;
}

/**
 * The servers of healthCheckNodePort (core/v1 ServiceSpec, services.md 3.7): an HTTP server for
 * each Service's health port on each NodePort address. Probers are answered on any path.
 */
export class HealthCheckServers {
  readonly #onEvent: (event: HealthCheckEvent) => void;
  readonly #isProxyHealthy: () => boolean;
  readonly #listeners: ListenerSet<HealthCheckSpec>;
  #checks: ReadonlyMap<number, HealthCheck> = new Map();
  #conflicts: ReadonlySet<string> = new Set();

  constructor(options: {
    readonly clock: Clock;
    /** ProxyHealth.report().isHealthy: the node's eligibility is not asked. */
    readonly isProxyHealthy: () => boolean;
    readonly onEvent: (event: HealthCheckEvent) => void;
  }) {
    this.#onEvent = options.onEvent;
    this.#isProxyHealthy = options.isProxyHealthy;
    this.#listeners = new ListenerSet((spec) => this.#open(spec), options);
  }

  /**
   * Serves exactly these checks (ServiceTable.healthChecks()) on these addresses
   * (NodeFacts.nodePortAddresses). Ports that stay are not touched, their answers change at once.
   */
  update(checks: readonly HealthCheck[], addresses: readonly AddressText[]): void {
    const plan = planHealthChecks(checks, addresses);
    this.#checks = plan.checks;
    this.#reportConflicts(plan.conflicts);
    this.#listeners.reconcile(plan.listeners);
  }

  /** Resolves when no port is being opened: all that can be had are open. */
  settled(): Promise<void> {
    return this.#listeners.settled();
  }

  /** Frees all ports and ends all connections, kept-alive ones too. */
  close(): Promise<void> {
    return this.#listeners.close();
  }

  #open(spec: HealthCheckSpec) {
    return openHttp(spec, {
      answer: () => {
        const check = this.#checks.get(spec.port);
        return check && answerHealthCheck(check, this.#isProxyHealthy());
      },
    });
  }

  #reportConflicts(conflicts: HealthCheckPlan["conflicts"]): void {
    const before = this.#conflicts;
    this.#conflicts = new Set(conflicts.map(({ service, port }) => `${service}|${port}`));
    for (const conflict of conflicts) {
      if (before.has(`${conflict.service}|${conflict.port}`)) continue;
      this.#onEvent({ kind: "conflict", ...conflict });
    }
  }
}

export interface HealthCheckPlan {
  readonly listeners: ReadonlyMap<string, HealthCheckSpec>;
  /** By port. */
  readonly checks: ReadonlyMap<number, HealthCheck>;
  readonly conflicts: readonly { port: number; service: string; holder: string }[];
}

/** Which ports to open, and who answers there. Pure. */
export function planHealthChecks(
  checks: readonly HealthCheck[],
  addresses: readonly AddressText[],
): HealthCheckPlan {
  const byPort = new Map<number, HealthCheck>();
  const conflicts: { port: number; service: string; holder: string }[] = [];
  for (const check of checks.toSorted((left, right) => (nameOf(left) < nameOf(right) ? -1 : 1))) {
    const holder = byPort.get(check.port);
    if (holder === undefined) byPort.set(check.port, check);
    else conflicts.push({ port: check.port, service: nameOf(check), holder: nameOf(holder) });
  }
  const listeners = new Map<string, HealthCheckSpec>();
  for (const port of byPort.keys()) {
    for (const address of addresses) {
      const key = `${address}|${port}`;
      listeners.set(key, { key, address, port });
    }
  }
  return { listeners, checks: byPort, conflicts };
}

function nameOf(check: HealthCheck): string {
  return `${check.namespace}/${check.name}`;
}
