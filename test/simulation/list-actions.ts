import type { SimNode } from "./node.ts";
import type { SimPodLists } from "./pod-lists.ts";
import type { Pod } from "./runtime.ts";

/** Pods are lost, and who says which pods there are errs. True when something happened. */
export function actLists(node: SimNode, mayBeDoubted: (pod: Pod) => boolean): boolean {
  const { lists, rng, profile, clock } = node;
  if (!lists || !rng.chance(profile.lists)) return false;
  const nowMs = clock.monotonicMs();
  switch (rng.below(7)) {
    case 0:
    case 1:
      return losePod(node);
    case 2: {
      const untilMs = nowMs + rng.between(1_000, 40_000);
      // A second time within the grace, with nobody to contradict it, would be right to condemn.
      const pods = liars(node, mayBeDoubted).filter((pod) => !pod.isLeftOut);
      for (const pod of pods) pod.isLeftOut = true;
      return lie(node, { lies: lists.sandboxLies, pods, untilMs, who: "the runtime" });
    }
    case 3: {
      const untilMs = nowMs + rng.between(1_000, 40_000);
      const pods = liars(node, mayBeDoubted);
      return lie(node, { lies: lists.podLies, pods, untilMs, who: "the cluster" });
    }
    case 4:
      return forceDelete(node, mayBeDoubted);
    case 5:
      return beAway(node, lists);
    default:
      lists.unsettledUntilMs = nowMs + rng.between(1_000, 300_000);
      node.note(() => "the runtime is started anew and lists what it likes for a while");
      return true;
  }
}

/** Nobody uses it any more, its namespace stands, no DEL will come: containerd was killed, its state deleted. */
function losePod({ rng, runtime }: SimNode): boolean {
  const pod = rng.pick(
    runtime.pods.filter(
      (other) =>
        other.fate === "run" &&
        other.hasNetns &&
        !runtime.isBusy(other) &&
        other.attachments.some(({ phase }) => phase === "up"),
    ),
  );
  if (!pod) return false;
  runtime.losePod(pod);
  return true;
}

function lie(
  node: SimNode,
  what: { lies: Map<string, number>; pods: readonly Pod[]; untilMs: number; who: string },
): boolean {
  const { lies, pods, untilMs, who } = what;
  if (pods.length === 0) return false;
  for (const pod of pods) {
    lies.set(pod.containerId, untilMs);
    doubt(pod, node.clock.monotonicMs());
  }
  node.note(() => `${who} leaves out ${pods.map(({ containerId }) => containerId).join(" ")}`);
  return true;
}

/** Gone from the API server for good while its containers run. */
function forceDelete(node: SimNode, mayBeDoubted: (pod: Pod) => boolean): boolean {
  const pod = node.rng.pick(liars(node, mayBeDoubted));
  if (!pod) return false;
  pod.isForceDeleted = true;
  // Whoever errs about it as well would condemn it.
  doubt(pod, Number.POSITIVE_INFINITY);
  node.note(() => `${pod.containerId} is deleted by force`);
  return true;
}

function beAway(node: SimNode, lists: SimPodLists): boolean {
  const untilMs = node.clock.monotonicMs() + node.rng.between(1_000, 200_000);
  const isRuntime = node.rng.chance(0.5);
  if (isRuntime) lists.sandboxesAwayUntilMs = untilMs;
  else lists.podsAwayUntilMs = untilMs;
  node.note(() => `${isRuntime ? "the runtime" : "the cluster"} cannot be asked for a while`);
  return true;
}

/** All, or some, of those about whom nobody else errs now. */
function liars({ rng, runtime }: SimNode, mayBeDoubted: (pod: Pod) => boolean): readonly Pod[] {
  const share = rng.oneOf(0.2, 1);
  return runtime.pods.filter((pod) => mayBeDoubted(pod) && rng.chance(share));
}

function doubt(pod: Pod, atMs: number): void {
  for (const attachment of pod.attachments) attachment.doubtedMs = atMs;
}
