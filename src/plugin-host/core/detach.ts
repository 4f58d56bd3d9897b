import { detachRequestOf } from "../../plugin-sdk/network-plugin.ts";
import { PatchbayError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { AttachmentRecord } from "./attachment.ts";
import { type HostContext, requirePlugin } from "./context.ts";
import { withDeadline } from "./deadline.ts";
import type { CallTrace } from "./ports.ts";
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
 * Takes an attachment away: mark it, let the plugin remove it, forget it and let its addresses cool.
 * Killed anywhere in between, the record stands as "detaching" and reconciliation finishes it.
 * The caller holds the container's lock. Throws PatchbayError; the record then stays.
 */
export function detachRecord(
  context: HostContext,
  record: AttachmentRecord,
  trace: CallTrace,
): Promise<void> {
  return takeAway(context, record, trace, DEL_STEPS);
}

/** The same for an ADD that failed. */
export function rollBackRecord(
  context: HostContext,
  record: AttachmentRecord,
  trace: CallTrace,
): Promise<void> {
  return takeAway(context, record, trace, ROLLBACK_STEPS);
}

async function takeAway(
  context: HostContext,
  record: AttachmentRecord,
  trace: CallTrace,
  steps: DetachSteps,
): Promise<void> {
  if (record.state.kind !== "detaching") {
    context.state.commit([
      { kind: "put-attachment", attachment: { ...record, state: { kind: "detaching" } } },
    ]);
  }
  if (steps.marked) trace.reached(steps.marked);
  context.ports.services.withdraw(record.id);
  // Runs beside the kernel's 20-40 ms: the lease on disk becomes a cooldown after a power loss.
  const flushed = flush(context);
  await detachByPlugin(context, record);
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
