import { detachRequestOf } from "../../plugin-sdk/network-plugin.ts";
import { formatErrorChain, PatchbayError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { AttachmentRecord } from "./attachment.ts";
import { type HostContext, requirePlugin } from "./context.ts";
import { withDeadline } from "./deadline.ts";
import { runBackward } from "./order.ts";
import type { CallTrace, StoreChange } from "./ports.ts";
import type { StepName } from "./steps.ts";

interface DetachSteps {
  readonly marked?: StepName;
  readonly detached: StepName;
  readonly released: StepName;
}

const DEL_STEPS: DetachSteps = {
  marked: "del.marked",
  detached: "del.detached",
  released: "del.released",
};

const ROLLBACK_STEPS: DetachSteps = {
  detached: "rollback.detached",
  released: "rollback.released",
};

/**
 * Takes attachments of a pod away, those made last first: mark all, let the plugins remove them, forget each
 * and let its addresses cool. Goes on past failures and reports them all (multi-network standard 1.3, 7.2).
 * Killed anywhere in between, the records stand as "detaching" and reconciliation finishes them.
 * The caller holds the container's lock. Throws PatchbayError; the records concerned then stay.
 */
export function detachRecords(
  context: HostContext,
  records: readonly AttachmentRecord[],
  trace: CallTrace,
): Promise<void> {
  return takeAway(context, records, { trace, steps: DEL_STEPS });
}

/** The same for what was never answered as attached. What was not even begun, no plugin need undo. */
export function rollBackRecords(
  context: HostContext,
  records: readonly AttachmentRecord[],
  how: { readonly trace: CallTrace; readonly isMade?: (record: AttachmentRecord) => boolean },
): Promise<void> {
  return takeAway(context, records, { ...how, steps: ROLLBACK_STEPS });
}

async function takeAway(
  context: HostContext,
  records: readonly AttachmentRecord[],
  how: {
    readonly trace: CallTrace;
    readonly steps: DetachSteps;
    readonly isMade?: (record: AttachmentRecord) => boolean;
  },
): Promise<void> {
  const { trace, steps, isMade = () => true } = how;
  const unmarked = records.filter(({ state }) => state.kind !== "detaching");
  if (unmarked.length > 0) {
    context.state.commit(
      unmarked.map((record): StoreChange => {
        const attachment: AttachmentRecord = { ...record, state: { kind: "detaching" } };
        return { kind: "put-attachment", attachment };
      }),
    );
  }
  if (steps.marked) trace.reached(steps.marked);
  for (const { id } of records) context.ports.services.withdraw(id);
  // Runs beside the kernel's 20-40 ms: the lease on disk becomes a cooldown after a power loss.
  const flushed = flush(context);
  const failures = await runBackward(records, async (record) => {
    if (isMade(record)) await detachByPlugin(context, record);
    trace.reached(steps.detached);
    await flushed;
    context.state.release(record);
    context.leaks.clear(record.id);
    trace.reached(steps.released);
    context.ports.events.emit({
      kind: "detached",
      subject: record.id,
      attachment: record,
      message: `${record.ifname} of ${describePod(record)} left network ${record.network}`,
    });
  });
  await flushed;
  throwFailures([...failures.values()], records.length);
}

function throwFailures(failures: readonly unknown[], count: number): void {
  if (failures.length === 0) return;
  if (failures.length === 1) throw failures[0];
  throw new PatchbayError("DETACH_FAILED", `${failures.length} of ${count} networks remain`, {
    cause: failures.map(formatErrorChain).join("; "),
  });
}

async function detachByPlugin(context: HostContext, record: AttachmentRecord): Promise<void> {
  const what = `Detach of ${record.ifname} of ${describePod(record)} by ${record.plugin}`;
  const plugin = requirePlugin(context, record.plugin);
  try {
    await context.pluginCalls.run(record.id, { limitMs: LIMITS.detachMs, what }, () =>
      plugin.detach(detachRequestOf(record.request)),
    );
  } catch (cause) {
    if (cause instanceof PatchbayError) throw cause;
    throw new PatchbayError("DETACH_FAILED", `${what} failed`, { cause });
  }
}

/** A disk that cannot sync costs the cooldown of a power loss, not the DEL. */
async function flush(context: HostContext): Promise<void> {
  try {
    await withDeadline(context.ports.store.flush(), {
      clock: context.ports.clock,
      limitMs: LIMITS.flushMs,
      what: "Syncing the state database",
    });
  } catch (error) {
    context.ports.events.emit({
      kind: "flush-failed",
      subject: "store",
      message: `Cooldowns may not survive a power loss: ${String(error)}`,
    });
  }
}

/** "default/web-0", or the container id where the runtime told no pod. */
export function describePod(record: AttachmentRecord): string {
  const pod = record.request.pod;
  return pod?.name ? `${pod.namespace}/${pod.name}` : `container ${record.containerId}`;
}
