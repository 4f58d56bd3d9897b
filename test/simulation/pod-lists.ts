import type { PodTestimony } from "../../src/plugin-host/core/ports.ts";
import { LIMITS } from "../../src/plugin-host/limits.ts";
import type { SimNode } from "./node.ts";
import type { Pod } from "./runtime.ts";

export interface ListBugs {
  /** What a runtime that has just come back leaves out counts. */
  readonly believesUnsettled?: boolean;
}

/** Kubelet's deadline of RunPodSandbox: a sandbox is listed by then, or goes. */
const SANDBOX_MS = 240_000;

/**
 * Who says which pods there are: the container runtime and the cluster. Both tell the truth of the moment at which
 * they are asked, except for what is left out by mistake, and may be away.
 */
export class SimPodLists {
  readonly #node: SimNode;
  /** Containers that are left out although they live: until when. */
  readonly sandboxLies = new Map<string, number>();
  readonly podLies = new Map<string, number>();
  sandboxesAwayUntilMs = 0;
  podsAwayUntilMs = 0;
  /** The runtime was started anew: it may list anything until then, and says so. */
  unsettledUntilMs = 0;

  constructor(node: SimNode) {
    this.#node = node;
  }

  /** When the sandbox of a pod whose first ADD was answered now appears in the runtime's list. */
  drawListed(beganMs: number): number {
    const { rng, clock } = this.#node;
    const tookMs = rng.between(0, rng.oneOf(100, 20_000, 120_000, SANDBOX_MS));
    return Math.max(clock.monotonicMs(), beganMs + tookMs);
  }

  mend(): void {
    this.sandboxLies.clear();
    this.podLies.clear();
    this.sandboxesAwayUntilMs = 0;
    this.podsAwayUntilMs = 0;
    this.unsettledUntilMs = 0;
  }

  testify(): readonly PodTestimony[] {
    const nowMs = this.#node.clock.monotonicMs();
    const isAway = (untilMs: number) => untilMs > nowMs;
    return [
      ...(isAway(this.sandboxesAwayUntilMs) ? [] : [this.#sandboxes(nowMs)]),
      ...(isAway(this.podsAwayUntilMs) ? [] : [this.#pods(nowMs)]),
    ];
  }

  #sandboxes(nowMs: number): PodTestimony {
    const { rng, options } = this.#node;
    const isSettled = nowMs >= this.unsettledUntilMs;
    const listed = this.#known()
      .filter((pod) => this.isListed(pod) && !isLie(this.sandboxLies, pod, nowMs))
      .filter(() => isSettled || rng.chance(0.5));
    const ids = new Set(listed.map(({ containerId }) => containerId));
    return {
      witness: "not-in-sandbox-list",
      isSettled: isSettled || options.bugs?.believesUnsettled === true,
      life: String(this.unsettledUntilMs),
      has: ({ containerId }) => ids.has(containerId),
    };
  }

  #pods(nowMs: number): PodTestimony {
    const there = this.#known().filter(
      (pod) => !pod.isForceDeleted && !isLie(this.podLies, pod, nowMs),
    );
    const uids = new Set(there.map(({ containerId }) => `u-${containerId}`));
    return {
      witness: "not-in-pod-list",
      isSettled: true,
      life: "",
      has: ({ request }) => uids.has(request.pod?.uid ?? ""),
    };
  }

  isListed({ listedMs }: Pod): boolean {
    return this.#node.clock.monotonicMs() >= listedMs;
  }

  /** Those that the runtime has not forgotten. */
  #known(): readonly Pod[] {
    return this.#node.runtime.pods.filter(({ fate }) => fate === "run" || fate === "teardown");
  }

  /** True when the list is known to be this node's: it has somebody who stays. */
  get provesItself(): boolean {
    return this.#known().some(
      (pod) =>
        pod.fate === "run" &&
        pod.attachments.some(({ isLiving }) => isLiving) &&
        this.isListed(pod),
    );
  }
}

/** Until what was lost is found at the latest, once everything is well. */
export const LOST_MS: number =
  LIMITS.podListedMs + LIMITS.leakGraceMs + 6 * LIMITS.reconcileMs + SANDBOX_MS;

function isLie(lies: ReadonlyMap<string, number>, pod: Pod, nowMs: number): boolean {
  return (lies.get(pod.containerId) ?? 0) > nowMs;
}
