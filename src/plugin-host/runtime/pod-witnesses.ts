import { stat } from "node:fs/promises";
import type { Clock, EventSink, PodTestimony, PodWitnesses } from "../core/ports.ts";
import type { OwnPods } from "../kubernetes/view.ts";
import { LIMITS } from "../limits.ts";
import { parseRuntimeEndpoint } from "./runtime-endpoint.ts";
import { type SandboxList, SandboxLists } from "./sandbox-lists.ts";

export interface PodWitnessesOptions {
  /** Path of the container runtime's socket, or unix:// and it; undefined: it is not asked. */
  readonly runtimeEndpoint: string | undefined;
  /** The node's pods as the API server has them; undefined: it is not asked. */
  readonly pods: OwnPods | undefined;
  readonly clock: Clock;
  readonly events: EventSink;
}

/**
 * Who knows which pods there are. Connects when it is first asked, and takes what it needs for it into
 * memory then. Throws PatchbayError where the endpoint is none.
 */
export function openPodWitnesses(options: PodWitnessesOptions): PodWitnesses & Disposable {
  const { runtimeEndpoint, pods } = options;
  const lists =
    runtimeEndpoint === undefined
      ? undefined
      : openLists(parseRuntimeEndpoint(runtimeEndpoint), options);
  return {
    async ask() {
      const list = await lists?.ask();
      // After the wait: the watch goes on meanwhile.
      return [
        ...(list ? [testifySandboxes(list)] : []),
        ...(pods?.isCurrent ? [testifyPods(pods)] : []),
      ];
    },
    [Symbol.dispose]: () => lists?.close(),
  };
}

function openLists(path: string, { clock, events }: PodWitnessesOptions): SandboxLists {
  return new SandboxLists({
    clock,
    events,
    name: path,
    async identify() {
      // Runtimes remove their old socket and make it anew when they start.
      const { dev, ino, ctimeNs } = await stat(path, { bigint: true });
      return `${dev}:${ino}:${ctimeNs}`;
    },
    async connect() {
      const { connectCri } = await import("../../rpc/cri-client.ts");
      return connectCri(path, {
        timeoutMs: LIMITS.runtimeCallMs,
        answerBytesMax: LIMITS.runtimeAnswerBytesMax,
      });
    },
  });
}

/** The runtime's word: container ids are ids of sandboxes, in whatever state. */
function testifySandboxes({ ids, isSettled, life }: SandboxList): PodTestimony {
  return {
    witness: "not-in-sandbox-list",
    isSettled,
    life,
    has: ({ containerId }) => ids.has(containerId),
  };
}

/** The cluster's word, as of now: the answer must not change while it is looked at. */
export function testifyPods(pods: OwnPods): PodTestimony {
  const uids = new Set<string>();
  for (const { uid, staticUid } of pods) {
    uids.add(uid);
    // By this one kubelet knows a static pod, and CNI_ARGS with it.
    if (staticUid !== "") uids.add(staticUid);
  }
  return {
    witness: "not-in-pod-list",
    isSettled: true,
    life: "",
    has: ({ request }) => uids.has(request.pod?.uid ?? ""),
  };
}
