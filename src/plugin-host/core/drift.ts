import type { Finding } from "../../plugin-sdk/network-plugin.ts";
import { formatErrorChain } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { forEachAtOnce } from "./at-once.ts";
import type { AttachmentId, AttachmentRecord } from "./attachment.ts";
import { checkRecord, describeFinding } from "./check.ts";
import { type HostContext, isInTrouble } from "./context.ts";
import { describePod } from "./detach.ts";

interface Seen {
  readonly checkedMs: number;
  /** Differences of the last comparison that were left, in words. */
  readonly left: string;
  /** How often each was mended, by what should be: what is found instead may differ each time. */
  readonly repairs: ReadonlyMap<string, number>;
}

/** What comparisons found, by attachment, so that each difference is told and mended a bounded number of times. */
export class DriftMemory {
  readonly #seen = new Map<AttachmentId, Seen>();

  get(id: AttachmentId): Seen | undefined {
    return this.#seen.get(id);
  }

  set(id: AttachmentId, seen: Seen): void {
    this.#seen.set(id, seen);
  }

  retain(isKnown: (id: AttachmentId) => boolean): void {
    for (const id of this.#seen.keys()) if (!isKnown(id)) this.#seen.delete(id);
  }
}

/**
 * Compares some attachments with what the kernel holds, those first that were not looked at for longest,
 * and mends what differs. What comes back after LIMITS.driftRepairsMax repairs is somebody's wish, of a
 * pod with NET_ADMIN for example: it is told of and left alone.
 */
export async function lookForDrift(context: HostContext): Promise<void> {
  const { state, drift, ports } = context;
  drift.retain((id) => state.attachments.has(id));
  const dueMs = ports.clock.monotonicMs() - LIMITS.driftMs;
  const lastMs = ({ id }: AttachmentRecord) => drift.get(id)?.checkedMs ?? Number.NEGATIVE_INFINITY;
  const due = [...state.attachments.values()]
    .filter(
      (record) =>
        record.state.kind === "attached" &&
        isDue(context, record, dueMs) &&
        // Told of already, and nothing could be said.
        !isInTrouble(context, record.plugin),
    )
    .sort((left, right) => lastMs(left) - lastMs(right))
    .slice(0, LIMITS.driftBatchMax);
  await forEachAtOnce(due, async (record) => {
    if (!context.locks.isHeld(record.containerId)) await lookAt(context, record);
  });
}

/** One that was just made has time. */
function isDue(context: HostContext, record: AttachmentRecord, dueMs: number): boolean {
  const seen = context.drift.get(record.id);
  if (seen) return seen.checkedMs <= dueMs;
  const checkedMs = context.ports.clock.monotonicMs();
  context.drift.set(record.id, { checkedMs, left: "", repairs: new Map() });
  return false;
}

/** Somebody works on the pod, or has: what was found may be of the middle of it. */
function isOvertaken(context: HostContext, record: AttachmentRecord): boolean {
  const current = context.state.attachments.get(record.id);
  return current !== record || context.locks.isHeld(record.containerId);
}

function mend(context: HostContext, record: AttachmentRecord): Promise<Finding[]> {
  return context.locks.run(record.containerId, async () => {
    const current = context.state.attachments.get(record.id);
    return current?.state.kind === "attached"
      ? checkRecord(context, current, { repair: true })
      : [];
  });
}

/** Who makes always other differences wants them as well. */
function mayMend(found: readonly Finding[], repairs: ReadonlyMap<string, number>): boolean {
  return (
    repairs.size < LIMITS.driftRepairedMax &&
    found.every((item) => (repairs.get(keyOf(item)) ?? 0) < LIMITS.driftRepairsMax)
  );
}

function keyOf({ kind, object, expected }: Finding): string {
  return `${kind} ${object} ${expected}`;
}

async function lookAt(context: HostContext, record: AttachmentRecord): Promise<void> {
  const { events, clock } = context.ports;
  const before = context.drift.get(record.id);
  const repairs = new Map(before?.repairs);
  const who = `${record.ifname} of ${describePod(record)} (network ${record.network})`;
  let left = "";
  try {
    // Without the lock: who only looks must not keep a DEL waiting.
    const found = await checkRecord(context, record);
    if (isOvertaken(context, record)) return;
    const isMended = context.repairsDrift && found.length > 0 && mayMend(found, repairs);
    const after = isMended ? await mend(context, record) : found;
    const repaired = after.filter((item) => item.repaired);
    const mended = repaired.map(describeFinding);
    left = after
      .filter(({ repaired }) => !repaired)
      .map(describeFinding)
      .join("; ");
    for (const key of repaired.map(keyOf)) {
      const count = repairs.get(key) ?? 0;
      if (count > 0 || repairs.size < LIMITS.driftRepairedMax) repairs.set(key, count + 1);
    }
    if (mended.length > 0) {
      const message = `${who} was not as recorded and was mended: ${mended.join("; ")}`;
      events.emit({ kind: "drift-repaired", subject: record.id, message });
    }
  } catch (error) {
    left = formatErrorChain(error);
  }
  if (left !== "" && left !== before?.left) {
    const message = `${who} is not as recorded: ${left}`;
    events.emit({ kind: "drift-found", subject: record.id, message });
  }
  context.drift.set(record.id, { checkedMs: clock.monotonicMs(), left, repairs });
}
