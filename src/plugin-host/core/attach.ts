import {
  type AttachResponse,
  type NetworkPlugin,
  PluginError,
} from "../../plugin-sdk/network-plugin.ts";
import { type ErrorCode, formatErrorChain, PatchbayError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { aboutPod } from "./about.ts";
import type { AttachmentId, AttachmentRecord } from "./attachment.ts";
import { type HostContext, requirePlugin } from "./context.ts";
import { describePod, rollBackRecords } from "./detach.ts";
import { runForward } from "./order.ts";
import { planMasquerade } from "./plan.ts";
import type { CallTrace, StoreChange } from "./ports.ts";

/** A record that stands. */
export type AttachedRecord = AttachmentRecord & {
  readonly state: { readonly kind: "attached"; readonly response: AttachResponse };
};

export interface AttachHooks {
  /** A network is attached, the record does not say so yet. */
  readonly onJoined?: () => void;
  readonly onAttached: () => void;
  readonly onPublished: () => void;
  readonly onConfirmed: () => void;
}

/**
 * Attaches what is recorded, each after what it comes after, and records the outcome of all in one
 * transaction. Throws the first failure and leaves nothing then: what was done is undone, and what
 * cannot be undone now stands as "detaching" and is finished by reconciliation.
 */
export async function attachRecords(
  context: HostContext,
  records: readonly AttachmentRecord[],
  { trace, hooks }: { readonly trace: CallTrace; readonly hooks: AttachHooks },
): Promise<AttachedRecord[]> {
  const begun = new Set<AttachmentId>();
  try {
    const { done, failed } = await runForward(records, async (record) => {
      begun.add(record.id);
      const response = await attachIfCalled(context, record, () => begun.delete(record.id));
      hooks.onJoined?.();
      return response;
    });
    throwFailures([...failed.values()]);
    hooks.onAttached();
    const attached = records.flatMap((record): AttachedRecord[] => {
      const response = done.get(record.id);
      return response ? [{ ...record, state: { kind: "attached", response } }] : [];
    });
    await publish(context, attached);
    hooks.onPublished();
    context.state.commit(
      attached.map((attachment): StoreChange => ({ kind: "put-attachment", attachment })),
    );
    hooks.onConfirmed();
    for (const attachment of attached) {
      context.ports.events.emit({
        kind: "attached",
        subject: attachment.id,
        attachment,
        message: `${attachment.ifname} of ${describePod(attachment)} joined network ${attachment.network}`,
      });
    }
    return attached;
  } catch (error) {
    const [first] = records;
    const who = first ? describePod(first) : "a pod";
    context.ports.events.emit({
      kind: "attach-failed",
      subject: first?.id ?? "",
      message: `${records.map(({ ifname }) => ifname).join(", ")} of ${who}: ${formatErrorChain(error)}`,
      ...aboutPod(first?.request.pod, error),
    });
    await rollBack(context, records, { trace, begun });
    throw error;
  }
}

/** A plugin that cannot be called was not: nothing need be undone there, which it could not do now either. */
async function attachIfCalled(
  context: HostContext,
  record: AttachmentRecord,
  onNotCalled: () => void,
): Promise<AttachResponse> {
  try {
    const plugin = requirePlugin(context, record.plugin);
    return await attachByPlugin(context, plugin, record);
  } catch (error) {
    if (error instanceof PatchbayError && error.code === "PLUGIN_UNAVAILABLE") onNotCalled();
    throw error;
  }
}

/** The first is the one that stopped the others; more fail only where they ran beside it. */
function throwFailures(failures: readonly unknown[]): void {
  const [first, ...others] = failures;
  if (failures.length === 0) return;
  if (others.length === 0 || !(first instanceof PatchbayError)) throw first;
  const causes = [first.cause === undefined ? [] : formatErrorChain(first.cause)].flat();
  throw new PatchbayError(first.code, first.message, {
    cause: [...causes, ...others.map(formatErrorChain)].join("; "),
  });
}

/** One Attach. Throws PatchbayError. */
export async function attachByPlugin(
  context: HostContext,
  plugin: NetworkPlugin,
  record: AttachmentRecord,
): Promise<AttachResponse> {
  const what = `Attach of ${record.ifname} of ${describePod(record)} to ${record.network} by ${record.plugin}`;
  const options = { limitMs: LIMITS.attachMs, what };
  try {
    return await context.pluginCalls.run(record.id, options, () =>
      plugin.attach(withWishInForce(context, record)),
    );
  } catch (cause) {
    if (cause instanceof PatchbayError) throw cause;
    throw new PatchbayError(codeOfPluginFailure(cause), `${what} failed`, { cause });
  }
}

/** Masquerade is the network's: an older pod must not bring back what was wished when it came. */
function withWishInForce({ state }: HostContext, { network, request }: AttachmentRecord) {
  const known = state.networks.get(network);
  return known ? { ...request, masquerade: planMasquerade(known) } : request;
}

function codeOfPluginFailure(cause: unknown): ErrorCode {
  if (!(cause instanceof PluginError)) return "ATTACH_FAILED";
  switch (cause.kind) {
    case "invalid-config":
      return "INVALID_NETWORK_CONFIG";
    case "interface-exists":
      return "INTERFACE_EXISTS";
    case "transient":
      return "ATTACH_FAILED";
  }
}

/** Whoever is told that the pod runs may dial it by its host ports, and it may dial Services. */
export async function publish(
  context: HostContext,
  attachments: readonly AttachmentRecord[],
): Promise<void> {
  const { services } = context.ports;
  for (const attachment of attachments) {
    try {
      if (attachment.portMappings) await services.publish(attachment);
    } catch (cause) {
      if (cause instanceof PatchbayError) throw cause;
      const what = `Cannot open the host ports of ${describePod(attachment)}`;
      throw new PatchbayError("NOT_PROGRAMMED", what, { cause });
    }
  }
  await Promise.all(attachments.flatMap((attachment) => services.settle(attachment) ?? []));
}

/** The caller is told of the failure already: what cannot be undone now is undone by reconciliation. */
async function rollBack(
  context: HostContext,
  records: readonly AttachmentRecord[],
  { trace, begun }: { readonly trace: CallTrace; readonly begun: ReadonlySet<AttachmentId> },
): Promise<void> {
  try {
    await rollBackRecords(context, records, { trace, isMade: ({ id }) => begun.has(id) });
  } catch (error) {
    context.ports.events.emit({
      kind: "detach-failed",
      subject: records[0]?.id ?? "",
      message: `Undoing a failed attach goes on in the background: ${formatErrorChain(error)}`,
    });
  }
}
