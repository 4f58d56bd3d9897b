import { LIMITS } from "../../src/plugin-host/limits.ts";
import type { SimNode } from "./node.ts";
import { LOST_MS } from "./pod-lists.ts";

/** Two observations, and rounds before, between and after. */
const REST_MS = LIMITS.leakGraceMs + 6 * LIMITS.reconcileMs;
const STEPS_MAX = 60_000;

/**
 * Everything is mended, everybody finishes what was begun, and time passes: then record and world
 * must be the same. Returns the number of steps.
 */
export async function comeToRest(node: SimNode, options: { empty: boolean }): Promise<number> {
  node.note(() => "everything is mended");
  mend(node);
  nobodyProves(node);
  const isLost = node.runtime.pods.some(({ fate }) => fate === "lost");
  const restMs = isLost ? LOST_MS : REST_MS;
  if (options.empty) for (const pod of node.runtime.pods) pod.fate = "teardown";
  let steps = 0;
  let restFromMs: number | undefined;
  while (node.failure === undefined) {
    if (++steps > STEPS_MAX) {
      node.fail("the node comes to rest", `not after ${STEPS_MAX} steps`);
      break;
    }
    node.startHost();
    const call = node.calls.list[0];
    if (call) {
      if (!call.isDone) await call.work();
      call.answer();
      await node.settle();
      continue;
    }
    if (await finishPods(node)) {
      restFromMs = undefined;
      await node.settle();
      continue;
    }
    const nowMs = node.clock.monotonicMs();
    if (node.runtime.calls.size === 0) restFromMs ??= nowMs;
    if (restFromMs !== undefined && nowMs - restFromMs > restMs) break;
    await node.pass(Math.max(1, (node.clock.nextTimerMs() ?? nowMs + 100) - nowMs));
  }
  if (node.failure === undefined) checkRest(node);
  await buryLost(node);
  return steps;
}

/** What no list can be held against, because it has nobody else of this node's, goes with its namespace. */
function nobodyProves({ lists, runtime }: SimNode): void {
  if (!lists || lists.provesItself) return;
  for (const pod of runtime.pods) if (pod.fate === "lost") pod.fate = "abandoned";
}

/** It was found: of no use any more. */
async function buryLost({ runtime }: SimNode): Promise<void> {
  for (const pod of [...runtime.pods]) {
    if (pod.fate !== "lost") continue;
    await runtime.removeNetns(pod);
    runtime.bury(pod);
  }
}

function mend(node: SimNode): void {
  const { faults } = node;
  faults.isDiskFull = false;
  faults.isDiskUnsyncable = false;
  faults.isJournalFull = false;
  faults.flaps.clear();
  faults.pluginsGone.clear();
  node.lists?.mend();
  node.ranges?.mend();
  node.armCrash(0);
  node.armCommitFailure(0);
  for (const call of node.calls.list) call.notBeforeMs = 0;
}

/** True when a pod took a step. */
async function finishPods(node: SimNode): Promise<boolean> {
  const { runtime } = node;
  if (node.life?.isReady !== true || node.life.stoppingMs !== undefined) return false;
  for (const pod of runtime.pods) {
    if (pod.fate === "run" || pod.fate === "lost" || runtime.isBusy(pod)) continue;
    if (pod.fate === "abandoned") {
      await runtime.removeNetns(pod);
      runtime.bury(pod);
      return true;
    }
    const left = pod.attachments.findLast(({ phase }) => phase !== "deleted" && phase !== "idle");
    if (left) {
      runtime.del(left, pod.hasNetns ? pod.netns : "");
      return true;
    }
    if (pod.hasNetns) await runtime.removeNetns(pod);
    runtime.bury(pod);
    return true;
  }
  return false;
}

/** Once quiet: no record without its attachment, no attachment without a record, nothing of the dead. */
function checkRest(node: SimNode): void {
  const { disk, world, runtime, life, journal } = node;
  node.ledger.scan();
  const living = new Set([...runtime.living()].map(({ id }) => id));
  for (const [id, { state }] of disk.attachments) {
    const isPlugged = isUnsureButStanding(node, id);
    if (!living.has(id) && !isPlugged) {
      node.fail("every DEL frees in the end", `${id} is still recorded`);
    }
    if (state.kind !== "attached") node.fail("nothing stays half done", `${id} is ${state.kind}`);
    if (!world.held().has(id)) node.fail("no record without its attachment", id);
  }
  for (const id of world.held().keys()) {
    if (!disk.attachments.has(id)) node.fail("no attachment without a record", id);
  }
  for (const { network, attachmentId, releasedWallMs } of disk.leases.values()) {
    const claim = attachmentId.startsWith("claim:") ? attachmentId.slice("claim:".length) : "";
    if (claim === "" || releasedWallMs !== undefined || node.definitions.claims.has(claim))
      continue;
    node.fail("addresses of claims that are gone cool", `${network} of ${claim}`);
  }
  if (journal.size > 0) node.fail("the DEL journal is worked off", String(journal));
  const { admission } = life?.host ?? {};
  if (admission && admission.running + admission.waiting > 0) {
    node.fail("no call is forgotten", `${admission.running} run, ${admission.waiting} wait`);
  }
  node.orphans.clear();
}

/** A hot-plug whose answer nobody had stands or not, as long as its pod lives. */
function isUnsureButStanding({ runtime }: SimNode, id: string): boolean {
  const attachment = runtime.find(id);
  return attachment?.isUnsure === true && attachment.primary?.isLiving === true;
}
