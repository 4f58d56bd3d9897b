import type { Clock } from "../../core/ports.ts";
import { LIMITS } from "../../limits.ts";
import type { KubernetesView } from "../view.ts";
import { planWrite, rememberWrite, type WriteMemory } from "./rewrites.ts";
import type { Write, WriteOutcome } from "./write.ts";
import type { Board } from "./writer.ts";

/**
 * The own Node's condition NetworkUnavailable: False once this host serves pods, and again whenever it is seen to
 * be anything else; never on a timer. It is not set to True when the host stops or is not ready for long: running
 * pods keep their network, and a True would taint the node and send Services' load balancers elsewhere. That no new
 * pods come is what the node's Ready says, which the kubelet takes from the runtime and that from CNI STATUS.
 */
export class ConditionBoard implements Board {
  readonly kind = "node-condition";
  readonly rights = "patch on nodes/status";
  readonly #ports: {
    readonly view: Pick<KubernetesView, "node">;
    readonly clock: Clock;
    readonly isReady: () => boolean;
  };
  #memory: WriteMemory | undefined;
  #dueMs = 0;

  constructor(ports: {
    readonly view: Pick<KubernetesView, "node">;
    readonly clock: Clock;
    readonly isReady: () => boolean;
  }) {
    this.#ports = ports;
  }

  next(nowMs: number, busy: ReadonlySet<string>): Write | number | undefined {
    const { node } = this.#ports.view;
    if (!node || busy.size > 0) return undefined;
    const observed = node.networkUnavailable?.status;
    if (observed === "False") return undefined;
    if (!this.#ports.isReady()) return nowMs + LIMITS.publishReadyMs;
    if (nowMs < this.#dueMs) return this.#dueMs;
    const wanted = `${node.uid} False`;
    const plan = planWrite({ wanted, observed, memory: this.#memory, nowMs });
    if (plan.kind === "settled") return undefined;
    if (plan.kind === "wait" || plan.kind === "fought") return plan.untilMs;
    return this.#write(node);
  }

  ended(write: Write, outcome: WriteOutcome, nowMs: number): void {
    if (outcome === "written")
      this.#memory = rememberWrite(this.#memory, `${write.key} False`, nowMs);
    else if (outcome !== "away" && outcome !== "denied")
      this.#dueMs = nowMs + LIMITS.publishRetryMaxMs;
  }

  #write({ name, uid }: { readonly name: string; readonly uid: string }): Write {
    const time = timestampOf(this.#ports.clock.wallMs());
    const condition = {
      type: "NetworkUnavailable",
      status: "False",
      reason: "PatchbayIsReady",
      message: "Patchbay serves the pods of this node",
      lastHeartbeatTime: time,
      lastTransitionTime: time,
    };
    return {
      key: uid,
      subject: name,
      request: {
        method: "PATCH",
        path: `/api/v1/nodes/${encodeURIComponent(name)}/status`,
        contentType: "application/strategic-merge-patch+json",
        // Conditions are merged by type: the kubelet's stay.
        body: { metadata: { uid }, status: { conditions: [condition] } },
      },
    };
  }
}

/** metav1.Time: RFC 3339, seconds. */
export function timestampOf(wallMs: number): string {
  return `${new Date(wallMs).toISOString().slice(0, 19)}Z`;
}
