import type { Node } from "../../../services/objects.ts";
import type { Clock } from "../../core/ports.ts";

/** A change that waits longer than this for its programming makes the proxy unhealthy, ms: twice kube-proxy's syncPeriod. */
export const PENDING_MAX_MS = 60_000;

/** The cluster autoscaler's mark on a node that it is about to remove. */
const DELETION_TAINT = "ToBeDeletedByClusterAutoscaler";

export interface HealthReport {
  /** No change waits too long. Alone what /livez and healthCheckNodePort go by. */
  readonly isHealthy: boolean;
  /** The node is one that load balancers may still send to: for /healthz. */
  readonly isNodeEligible: boolean;
  /** When a plane last acknowledged something, ms since 1970; the current time while healthy, as upstream says it. */
  readonly lastUpdatedMs: number;
  readonly currentMs: number;
}

/**
 * Whether Services get programmed, by pkg/proxy/healthcheck of kube-proxy: healthy at the start
 * and as long as no change waits for more than PENDING_MAX_MS. That no change comes, the API
 * server being away for example, harms nobody's health.
 */
export class ProxyHealth {
  readonly #clock: Clock;
  readonly #pendingMaxMs: number;
  #lastUpdatedMs: number;
  #isNodeEligible = true;
  /** Monotonic times of the oldest change that waits, and of the oldest that is being programmed. */
  #queuedMs: number | undefined;
  #programmingMs: number | undefined;
  #round = 0;

  constructor(clock: Clock, options: { readonly pendingMaxMs?: number } = {}) {
    this.#clock = clock;
    this.#pendingMaxMs = options.pendingMaxMs ?? PENDING_MAX_MS;
    this.#lastUpdatedMs = clock.wallMs();
  }

  /** A source told of a change. */
  queued(): void {
    this.#queuedMs ??= this.#clock.monotonicMs();
  }

  /**
   * Everything queued so far goes to the plane now. Returns the function to call when the plane
   * acknowledged it, or when nothing of the plan changed. Where that is never called the changes
   * stay pending, and the next call covers them too; the older function then does nothing.
   */
  programming(): () => void {
    this.#programmingMs ??= this.#queuedMs;
    this.#queuedMs = undefined;
    this.#round += 1;
    const round = this.#round;
    return () => {
      if (round !== this.#round) return;
      this.#programmingMs = undefined;
      this.#lastUpdatedMs = this.#clock.wallMs();
    };
  }

  /** The own Node object as it is now. undefined: none is known, which makes nothing ineligible. */
  setNode(node: Node | undefined): void {
    this.#isNodeEligible = node === undefined || isNodeEligible(node);
  }

  report(): HealthReport {
    const pendingMs = this.#programmingMs ?? this.#queuedMs;
    const isHealthy =
      pendingMs === undefined || this.#clock.monotonicMs() - pendingMs <= this.#pendingMaxMs;
    const currentMs = this.#clock.wallMs();
    return {
      isHealthy,
      isNodeEligible: this.#isNodeEligible,
      lastUpdatedMs: isHealthy ? currentMs : this.#lastUpdatedMs,
      currentMs,
    };
  }
}

/** False for a node that goes away: load balancers shall send new connections elsewhere (KEP-3836). */
export function isNodeEligible(node: Node): boolean {
  if (node.metadata.deletionTimestamp !== undefined) return false;
  return !(node.spec?.taints ?? []).some((taint) => taint.key === DELETION_TAINT);
}
