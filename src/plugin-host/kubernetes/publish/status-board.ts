import { networkStatusAnnotation } from "../../../services/pod-networks.ts";
import type { AttachmentRecord } from "../../core/attachment.ts";
import type { EventSink } from "../../core/ports.ts";
import { LIMITS } from "../../limits.ts";
import type { KubernetesView, OwnPod } from "../view.ts";
import { type PodStatus, statusesOfPods } from "./pod-status.ts";
import { planWrite, rememberWrite, type WriteMemory } from "./rewrites.ts";
import type { Write, WriteOutcome } from "./write.ts";
import type { Board } from "./writer.ts";

interface Held {
  readonly memory: WriteMemory | undefined;
  /** Not before then, monotonic ms. */
  readonly dueMs: number;
  /** The next pause of this pod. */
  readonly pauseMs: number;
  /** The server refuses this text. */
  readonly refused: string | undefined;
  readonly isToldOf: boolean;
}

const NOTHING_HELD: Held = {
  memory: undefined,
  dueMs: 0,
  pauseMs: 0,
  refused: undefined,
  isToldOf: false,
};

/**
 * The annotation network-status of the pods that have attachments: written where it differs from what the
 * records say. After a start of the host all pods are looked at, so that nothing need be kept of what was written.
 */
export class StatusBoard implements Board {
  readonly kind = "network-status";
  readonly rights = "patch on pods/status";
  readonly #ports: {
    readonly view: Pick<KubernetesView, "pods">;
    readonly events: EventSink;
    readonly records: () => Iterable<AttachmentRecord>;
  };
  /** Uids, as the runtime says them, of pods to be looked at. */
  #marked = new Set<string>();
  #isAllMarked = true;
  /** Of pods that were looked at and differ, by uid. */
  readonly #pending = new Map<string, PodStatus>();
  readonly #held = new Map<string, Held>();
  readonly #underWay = new Map<string, string>();

  constructor(ports: {
    readonly view: Pick<KubernetesView, "pods">;
    readonly events: EventSink;
    readonly records: () => Iterable<AttachmentRecord>;
  }) {
    this.#ports = ports;
  }

  /** A pod's attachments, or its object, may have changed; undefined: everybody's. */
  mark(uid: string | undefined): void {
    if (uid === undefined || this.#marked.size >= LIMITS.attachmentsMax) this.#isAllMarked = true;
    else if (uid !== "") this.#marked.add(uid);
  }

  next(nowMs: number, busy: ReadonlySet<string>): Write | number | undefined {
    this.#look();
    let soonestMs = Number.POSITIVE_INFINITY;
    for (const [uid, status] of this.#pending) {
      if (busy.has(uid)) continue;
      const plan = this.#plan(uid, status, nowMs);
      if (typeof plan === "number") soonestMs = Math.min(soonestMs, plan);
      else if (plan === undefined) this.#pending.delete(uid);
      else {
        this.#underWay.set(uid, status.text);
        return plan;
      }
    }
    return Number.isFinite(soonestMs) ? soonestMs : undefined;
  }

  ended({ key: uid }: Write, outcome: WriteOutcome, nowMs: number): void {
    const text = this.#underWay.get(uid) ?? "";
    this.#underWay.delete(uid);
    const held = this.#held.get(uid) ?? NOTHING_HELD;
    switch (outcome) {
      case "written":
        this.#held.set(uid, {
          ...held,
          memory: rememberWrite(held.memory, text, nowMs),
          dueMs: 0,
          pauseMs: 0,
        });
        return;
      // The view will not have it soon, or has another one.
      case "gone":
      case "conflict": {
        const pauseMs = Math.min(
          Math.max(held.pauseMs * 2, LIMITS.publishRetryMinMs),
          LIMITS.publishRetryMaxMs,
        );
        this.#held.set(uid, { ...held, dueMs: nowMs + pauseMs, pauseMs });
        return;
      }
      case "refused":
        this.#held.set(uid, { ...held, refused: text });
        return;
      case "denied":
      case "away":
    }
  }

  /** Takes up what was marked. One walk over the records for all of them. */
  #look(): void {
    if (!this.#isAllMarked && this.#marked.size === 0) return;
    const marked = this.#marked;
    const isWanted = this.#isAllMarked ? () => true : (uid: string) => marked.has(uid);
    const statuses = statusesOfPods(this.#ports.records(), isWanted);
    const looked = this.#isAllMarked ? [...this.#held.keys(), ...this.#pending.keys()] : marked;
    for (const uid of looked) {
      if (statuses.has(uid)) continue;
      this.#held.delete(uid);
      this.#pending.delete(uid);
    }
    for (const [uid, status] of statuses) this.#pending.set(uid, status);
    this.#marked = new Set();
    this.#isAllMarked = false;
  }

  /** A write, a time to wait for, or undefined: nothing is to be done before it is marked again. */
  #plan(uid: string, status: PodStatus, nowMs: number): Write | number | undefined {
    const pod = findPod(this.#ports.view, status);
    // Not seen yet, or gone: the view tells. Nobody reads it of a pod that goes.
    if (!pod || pod.isLeaving) return undefined;
    const held = this.#held.get(uid) ?? NOTHING_HELD;
    if (held.refused === status.text) return undefined;
    if (nowMs < held.dueMs) return held.dueMs;
    const { memory } = held;
    // A watch that does not stand shows what was, which says nothing about a write.
    const isBlind = !this.#ports.view.pods.isCurrent && memory?.text === status.text;
    if (isBlind && pod.networkStatus !== status.text) return nowMs + LIMITS.publishSettleMs;
    const plan = planWrite({ wanted: status.text, observed: pod.networkStatus, memory, nowMs });
    switch (plan.kind) {
      case "settled":
        return undefined;
      case "wait":
        return plan.untilMs;
      case "fought":
        this.#tellOfFight(status, held);
        return plan.untilMs;
      case "write":
        return writeOf(uid, pod, status.text);
    }
  }

  #tellOfFight({ uid, namespace, name }: PodStatus, held: Held): void {
    if (held.isToldOf) return;
    this.#held.set(uid, { ...held, isToldOf: true });
    this.#ports.events.emit({
      kind: "kubernetes-publish-failed",
      subject: this.kind,
      message: `Somebody else changes annotation ${networkStatusAnnotation} of ${namespace}/${name} again and again: it is left so for a while`,
    });
  }
}

/** The object of a pod in the API; a static pod's is its mirror, which has a uid of its own. */
function findPod(
  { pods }: Pick<KubernetesView, "pods">,
  { namespace, name, uid }: PodStatus,
): OwnPod | undefined {
  const own = pods.get(uid);
  if (own) return own;
  const mirror = pods.find(namespace, name);
  return mirror?.staticUid === uid ? mirror : undefined;
}

/**
 * The uid makes it a write to this pod and none that has its name by now (422, or 409). kube-apiserver takes metadata
 * from a write to status; labels and annotations alone are merged.
 */
function writeOf(key: string, pod: OwnPod, text: string): Write {
  const { namespace, name, uid } = pod;
  return {
    key,
    subject: `${namespace}/${name}`,
    request: {
      method: "PATCH",
      path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}/status`,
      contentType: "application/merge-patch+json",
      // The answer is not read: the smallest there is.
      accept: PARTIAL_OBJECT,
      body: { metadata: { uid, annotations: { [networkStatusAnnotation]: text } } },
    },
  };
}

/** Metadata alone is answered, which is all that anybody needs to know that it was written. */
const PARTIAL_OBJECT = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
