import {
  type AttachRequest,
  detachRequestOfId,
  type ListedAttachment,
  type NetworkPlugin,
  type RepairNetworkRequest,
} from "../../plugin-sdk/network-plugin.ts";
import { parseCniRequest } from "../cni/request.ts";
import { formatErrorChain } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { forEachAtOnce } from "./at-once.ts";
import { type AttachmentId, type AttachmentRecord, attachmentIdOf } from "./attachment.ts";
import { describeFinding } from "./check.ts";
import { judgeClaims } from "./claims.ts";
import { type HostContext, isInTrouble } from "./context.ts";
import { withDeadline } from "./deadline.ts";
import { del } from "./del.ts";
import { describePod, rollBackRecords } from "./detach.ts";
import { lookForDrift } from "./drift.ts";
import { isHead, judge, witnessesOf } from "./gc.ts";
import { planMasquerade } from "./plan.ts";
import { askPodLists } from "./pod-lists.ts";
import type { CallTrace, DelJournalEntry } from "./ports.ts";
import type { Network } from "./state.ts";

/** One round of everything that brings record and world together without being asked. */
export async function reconcile(context: HostContext): Promise<void> {
  await finishUnfinished(context);
  await replayJournal(context);
  await context.chores.run("judge-attachments", () => judgeAttachments(context));
  await repairNetworks(context);
  await context.chores.run("drift", () => lookForDrift(context));
  const suspects = new Set([...(await judgeOrphans(context)), ...judgeClaims(context)]);
  context.leaks.retain((id) => isKnown(context, id) || suspects.has(id));
  context.state.forgetCooled();
}

/**
 * Undoes ADDs and finishes DELs that a crash or a failure left in the middle. Their callers never
 * had an answer, or one that said so.
 */
export function finishUnfinished(context: HostContext): Promise<void> {
  return context.chores.run("finish-unfinished", () => finishAll(context));
}

async function finishAll(context: HostContext): Promise<void> {
  const { attachments } = context.state;
  const unfinished = [...attachments.values()].filter(isUnfinished);
  const pods = Map.groupBy(unfinished, ({ primaryId }) => primaryId);
  await forEachAtOnce([...pods.values()], async (found) => {
    const [{ containerId, primaryId }] = found as [AttachmentRecord];
    // Nothing could be done; the round after their plugins' return comes at once.
    if (found.every(({ plugin }) => isInTrouble(context, plugin))) return;
    // Somebody works on it: not unfinished but under way.
    if (context.locks.isHeld(containerId)) return;
    // Each pod by itself: one whose plugin hangs takes the place of no other.
    await context.chores.run(`finish ${primaryId}`, () =>
      context.locks.run(containerId, () => finishPod(context, primaryId)),
    );
  });
}

async function finishPod(context: HostContext, primaryId: AttachmentId): Promise<void> {
  const records = context.state.recordsOfPod(primaryId).filter(isUnfinished);
  const [first] = records;
  if (!first) return;
  await underTrace(context, "ROLLBACK", (trace) =>
    rollBackRecords(context, records, { trace }),
  ).catch((error: unknown) =>
    context.troubles.emit({
      kind: "detach-failed",
      subject: first.id,
      message: `${first.ifname} of ${describePod(first)}: ${formatErrorChain(error)}`,
    }),
  );
}

function isUnfinished({ state }: AttachmentRecord): boolean {
  return state.kind === "attaching" || state.kind === "detaching";
}

/** Replays the DELs that the shim wrote down while the host was away. */
export function replayJournal(context: HostContext): Promise<void> {
  return context.chores.run("replay-journal", () => replayAll(context));
}

async function replayAll(context: HostContext): Promise<void> {
  await forEachAtOnce(await readJournal(context), async (entry) => {
    try {
      await context.chores.run(`replay ${entry.name}`, () => replayEntry(context, entry));
    } catch (error) {
      const message = `DEL ${entry.name} of the journal: ${formatErrorChain(error)}`;
      context.troubles.emit({ kind: "detach-failed", subject: entry.name, message });
    }
  });
}

/** A journal that cannot be read now is read later: pods that start need not wait for it. */
async function readJournal(context: HostContext): Promise<readonly DelJournalEntry[]> {
  try {
    return await withDeadline(context.ports.journal.read(), {
      clock: context.ports.clock,
      limitMs: LIMITS.journalMs,
      what: "Reading it",
    });
  } catch (error) {
    const message = `Cannot read the DEL journal: ${formatErrorChain(error)}`;
    context.troubles.emit({ kind: "reconcile-failed", subject: "journal", message });
    return [];
  }
}

async function replayEntry(context: HostContext, entry: DelJournalEntry): Promise<void> {
  const { journal, events } = context.ports;
  const request = parseEntry(entry);
  if (!request) {
    await journal.setAside(entry.name);
    const message = `Entry ${entry.name} of the DEL journal cannot be read and was put aside`;
    events.emit({ kind: "journal-set-aside", subject: entry.name, message });
    return;
  }
  await context.locks.run(request.containerId, async () => {
    const id = attachmentIdOf({ network: request.config.name, ...request });
    const record = context.state.attachments.get(id);
    // A late DEL must not hit an attachment that was made after it.
    if (record && record.createdWallMs > entry.writtenWallMs) return;
    await underTrace(context, "DEL", (trace) => del(context, request, trace));
  });
  await journal.remove(entry.name);
  const message = `DEL of ${request.ifname} of container ${request.containerId} came late, by the journal`;
  events.emit({ kind: "journal-replayed", subject: entry.name, message });
}

function parseEntry(entry: DelJournalEntry) {
  if (!entry.request) return undefined;
  try {
    const request = parseCniRequest(entry.request);
    return request.verb === "DEL" ? request : undefined;
  } catch {
    return undefined;
  }
}

/** Looks for attachments whose pods are gone although no DEL came. */
async function judgeAttachments(context: HostContext): Promise<void> {
  const heads = [...context.state.attachments.values()].filter(
    (record) => hasArrived(record) && isHead(context, record),
  );
  const words = await askPodLists(context, heads);
  await forEachAtOnce(heads, async (record) => {
    if (context.locks.isHeld(record.containerId)) return;
    await underTrace(context, "GC", async (trace) => {
      const witnesses = await witnessesOf(context, record);
      // Asked for again, or taken away, while we looked.
      if (context.state.attachments.get(record.id) !== record) return;
      await judge(context, record, [...witnesses, ...(words.get(record) ?? [])], trace);
    }).catch((error: unknown) =>
      context.troubles.emit({
        kind: "reconcile-failed",
        subject: record.id,
        message: `${record.ifname} of ${describePod(record)}: ${formatErrorChain(error)}`,
      }),
    );
  });
}

/** Adopted ones have no known namespace, but lists of pods may have them. */
function hasArrived({ state }: AttachmentRecord): boolean {
  return state.kind === "attached" || state.kind === "adopted";
}

/**
 * `nft flush ruleset` and its like must not cut pods off until the next ADD. Networks without a pod
 * are looked after as well: what was prepared for them once is not prepared again.
 */
export async function repairNetworks(context: HostContext): Promise<void> {
  const { ports, state } = context;
  const attached = [...state.attachments.values()]
    .filter((record) => record.state.kind === "attached")
    .sort((left, right) => right.createdWallMs - left.createdWallMs);
  // One network may have pods of two plugins, when its configuration was changed.
  const known = new Map<string, { name: string; plugin: string; requests: AttachRequest[] }>();
  const entryOf = (name: string, plugin: string) => {
    const key = `${plugin} ${name}`;
    const entry = known.get(key) ?? { name, plugin, requests: [] };
    known.set(key, entry);
    return entry;
  };
  for (const { name, plugin } of state.networks.values()) entryOf(name, plugin);
  for (const { network, plugin, request } of attached) {
    entryOf(network, plugin).requests.push(request);
  }
  await forEachAtOnce([...known.values()], async ({ name, plugin: pluginName, requests }) => {
    const plugin = ports.plugins.find(pluginName);
    if (!plugin?.repairNetwork || isInTrouble(context, pluginName)) return;
    const told = requests.slice(0, LIMITS.repairAttachmentsMax);
    const attachments = [...inForce(state.networks.get(name), told)];
    const configJson = state.networks.get(name)?.configJson ?? "";
    await context.chores.run(`repair-network ${pluginName} ${name}`, () =>
      repairNetwork(context, plugin, { network: name, configJson, attachments }),
    );
  });
}

/** Those of the configuration in force first, and all with its wish: masquerade is the network's. */
function inForce(
  network: Network | undefined,
  requests: readonly AttachRequest[],
): readonly AttachRequest[] {
  if (!network) return requests;
  const masquerade = planMasquerade(network);
  const isNew = ({ configJson }: AttachRequest) => configJson === network.configJson;
  const ordered = [...requests.filter(isNew), ...requests.filter((request) => !isNew(request))];
  return ordered.map((request) => ({ ...request, masquerade }));
}

async function repairNetwork(
  { ports: { clock, events }, troubles }: HostContext,
  plugin: NetworkPlugin,
  request: RepairNetworkRequest,
): Promise<void> {
  const { network } = request;
  const what = `Looking after network ${network}`;
  try {
    const repairing = Promise.try(async () => plugin.repairNetwork?.(request));
    const missing =
      (await withDeadline(repairing, { clock, limitMs: LIMITS.attachMs, what })) ?? [];
    if (missing.length === 0) return;
    const names = new Set(missing.map(describeFinding));
    const message = `Made again for network ${network}: ${[...names].join("; ")}`;
    events.emit({ kind: "network-repaired", subject: network, message });
  } catch (error) {
    const message = `What network ${network} needs of the node: ${formatErrorChain(error)}`;
    troubles.emit({ kind: "reconcile-failed", subject: network, message });
  }
}

/**
 * Looks for what plugins hold without a record, as after the loss of the store; returns their ids. A plugin
 * that does not answer in time has no suspects in this round.
 */
async function judgeOrphans(context: HostContext): Promise<Set<string>> {
  const { plugins } = context.ports;
  const orphans = new Set<string>();
  await Promise.all(
    plugins.names().flatMap((name) => {
      const plugin = plugins.find(name);
      if (!plugin || isInTrouble(context, name)) return [];
      return context.chores.run(`list ${name}`, () =>
        judgeOrphansOf(context, plugin, (id, isOrphan) => {
          if (isOrphan) orphans.add(id);
          else orphans.delete(id);
        }),
      );
    }),
  );
  return orphans;
}

async function judgeOrphansOf(
  context: HostContext,
  plugin: NetworkPlugin,
  mark: (id: string, isOrphan: boolean) => void,
): Promise<void> {
  const { clock, events } = context.ports;
  const { name } = plugin.info;
  const failures: string[] = [];
  const remove = async ({ attachmentId, object }: ListedAttachment) => {
    // Somebody may have asked for it since.
    if (isKnown(context, attachmentId)) return;
    const detach = { limitMs: LIMITS.detachMs, what: `Detach of ${object}` };
    try {
      await context.pluginCalls.run(attachmentId, detach, () =>
        plugin.detach(detachRequestOfId(attachmentId)),
      );
    } catch (error) {
      failures.push(`${object}: ${formatErrorChain(error)}`);
      return;
    }
    mark(attachmentId, false);
    const message = `${object} was held by ${name} without a record`;
    events.emit({ kind: "orphan-removed", subject: attachmentId, message });
  };
  try {
    const what = `List of ${name}`;
    const listing = plugin.list({ network: "" });
    const held = await withDeadline(listing, { clock, limitMs: LIMITS.listMs, what });
    const leaked: ListedAttachment[] = [];
    for (const { attachmentId, object } of held) {
      if (isKnown(context, attachmentId)) continue;
      mark(attachmentId, true);
      const verdict = context.leaks.observe(attachmentId, "no-record", clock.monotonicMs());
      if (verdict === "leaked") leaked.push({ attachmentId, object });
    }
    await forEachAtOnce(leaked, remove);
  } catch (error) {
    failures.push(formatErrorChain(error));
  }
  const [first] = failures;
  if (first === undefined) return;
  const more = failures.length > 1 ? ` (and ${failures.length - 1} more)` : "";
  const message = `Reconciling ${name}: ${first}${more}`;
  context.troubles.emit({ kind: "detach-failed", subject: name, message });
}

function isKnown(context: HostContext, id: string): boolean {
  return context.state.attachments.has(id as AttachmentId);
}

async function underTrace<T>(
  context: HostContext,
  verb: string,
  work: (trace: CallTrace) => Promise<T>,
): Promise<T> {
  const trace = context.ports.trace.begin(verb);
  try {
    const result = await work(trace);
    trace.end("ok");
    return result;
  } catch (error) {
    trace.end("error");
    throw error;
  }
}
