import type { CniRequest } from "../cni/request.ts";
import { formatErrorChain, PatchbayError } from "../errors.ts";
import { forEachAtOnce } from "./at-once.ts";
import type { AttachmentRecord } from "./attachment.ts";
import type { HostContext } from "./context.ts";
import { describePod, detachRecords } from "./detach.ts";
import { identifyNetns } from "./netns.ts";
import type { CallTrace } from "./ports.ts";
import type { Witness } from "./leak-watch.ts";

type GcRequest = Extract<CniRequest, { verb: "GC" }>;

/**
 * CNI GC: the runtime's list is one witness. What it leaves out goes when its namespace is gone
 * too, or when a later list leaves it out again. Goes on after failures and reports them all.
 */
export async function gc(
  context: HostContext,
  request: GcRequest,
  trace: CallTrace,
): Promise<void> {
  const { validAttachments, name } = request.config;
  if (validAttachments === undefined) {
    throw new PatchbayError("INVALID_NETWORK_CONFIG", "cni.dev/valid-attachments is missing");
  }
  const valid = new Set(validAttachments.map((entry) => `${entry.containerId}\0${entry.ifname}`));
  const failures: string[] = [];
  await forEachAtOnce([...context.state.attachments.values()], async (record) => {
    if (record.cniNetwork !== name || !isHead(context, record)) return;
    if (valid.has(`${record.containerId}\0${record.ifname}`)) {
      context.leaks.clear(record.id, "not-in-gc-list");
      return;
    }
    try {
      await judge(
        context,
        record,
        ["not-in-gc-list", ...(await witnessesOf(context, record))],
        trace,
      );
    } catch (error) {
      failures.push(`${record.ifname} of ${describePod(record)}: ${formatErrorChain(error)}`);
    }
  });
  if (failures.length > 0) {
    throw new PatchbayError("DETACH_FAILED", `Cannot remove ${failures.length} attachments`, {
      cause: failures.join("; "),
    });
  }
}

/**
 * True for the attachment by which its pod is judged: the runtime names, and its list has, only the pod's
 * first one. Others whose first one is lost speak for themselves.
 */
export function isHead(context: HostContext, record: AttachmentRecord): boolean {
  return record.id === record.primaryId || !context.state.attachments.has(record.primaryId);
}

/** What the node itself says against an attachment now. */
export async function witnessesOf(
  context: HostContext,
  record: AttachmentRecord,
): Promise<Witness[]> {
  // An adopted attachment has no known namespace: nothing to say.
  if (record.state.kind === "adopted") return [];
  const identity = await identifyNetns(context, record.netns, "CHECK_FAILED");
  if (identity === record.netnsIdentity) {
    context.leaks.clear(record.id, "netns-gone");
    return [];
  }
  return ["netns-gone"];
}

/** Applies the two-observations rule and removes what is leaked, with all that its pod has. */
export async function judge(
  context: HostContext,
  record: AttachmentRecord,
  witnesses: readonly Witness[],
  trace: CallTrace,
): Promise<void> {
  const { clock, events } = context.ports;
  for (const witness of witnesses) {
    const verdict = context.leaks.observe(record.id, witness, clock.monotonicMs());
    const subject = record.id;
    const who = `${record.ifname} of ${describePod(record)}`;
    if (verdict === "new") {
      events.emit({ kind: "leak-candidate", subject, message: `${who} may be leaked: ${witness}` });
    }
    if (verdict !== "leaked") continue;
    await context.locks.run(record.containerId, async () => {
      // The world may have changed while we waited for the lock.
      const current = context.state.attachments.get(record.id);
      if (!current || !isSameWish(current, record)) return;
      const isPod = current.id === current.primaryId;
      const records = isPod ? context.state.recordsOfPod(current.id) : [current];
      await detachRecords(context, records, trace);
      events.emit({ kind: "leak-freed", subject, message: `${who} was leaked: ${witness}` });
    });
    return;
  }
}

/** False when the pod was asked for again since. Wall time alone may repeat itself. */
function isSameWish(current: AttachmentRecord, before: AttachmentRecord): boolean {
  return (
    current.createdWallMs === before.createdWallMs && current.netnsIdentity === before.netnsIdentity
  );
}
