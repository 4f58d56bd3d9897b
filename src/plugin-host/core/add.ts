import type { NetnsPath } from "../../kernel/kernel.ts";
import { can } from "../../plugin-sdk/network-plugin.ts";
import { checkMtu, checkPluginConfig, requireNodeRanges } from "../cni/network-config.ts";
import type { CniRequest } from "../cni/request.ts";
import { toCniResult } from "../cni/result.ts";
import { formatErrorChain, PatchbayError } from "../errors.ts";
import { aboutPod } from "./about.ts";
import { type AttachedRecord, attachByPlugin, attachRecords, publish } from "./attach.ts";
import { type AttachmentRecord, attachmentIdOf } from "./attachment.ts";
import { type HostContext, requirePlugin } from "./context.ts";
import { describePod, detachRecords } from "./detach.ts";
import { identifyNetns } from "./netns.ts";
import type { NetworkWish } from "./network-wish.ts";
import { planPod } from "./pod-plan.ts";
import type { CallTrace, StoreChange } from "./ports.ts";
import { recordWishes } from "./record.ts";

type AddRequest = Extract<CniRequest, { verb: "ADD" }>;

/**
 * CNI ADD of a pod with all its networks: check, plan and allocate, record, attach, record the outcome,
 * answer with the default network's result. The caller holds the container's lock. A failure of one
 * network leaves none.
 */
export async function add(
  context: HostContext,
  request: AddRequest,
  trace: CallTrace,
): Promise<object> {
  const plan = await tellOfRefusal(context, request, () => prepare(context, request, trace));
  const answer = (primary: AttachedRecord): object =>
    toCniResult(primary.state.response, plan.dns, request.config.cniVersion);
  if (plan.standing) return answer(plan.standing);
  const hooks = {
    onJoined: () => trace.reached("add.joined"),
    onAttached: () => trace.reached("add.attached"),
    onPublished: () => trace.reached("add.published"),
    onConfirmed: () => trace.reached("add.confirmed"),
  };
  const [primary] = await attachRecords(context, plan.records, { trace, hooks });
  if (!primary) throw new Error("a pod without a default network");
  return answer(primary);
}

/** All that comes before the first Attach: what stands already, or what is recorded now. */
async function prepare(
  context: HostContext,
  request: AddRequest,
  trace: CallTrace,
): Promise<{
  readonly dns: NetworkWish["config"]["dns"] | undefined;
  readonly standing?: AttachedRecord;
  readonly records: readonly AttachmentRecord[];
}> {
  const { config } = request;
  if (config.prevResult !== undefined) {
    throw new PatchbayError(
      "INVALID_NETWORK_CONFIG",
      "prevResult is given, expected nothing: patchbay must be the first plugin of its list",
    );
  }
  const wishes = planPod(request, {
    definitions: context.ports.definitions,
    policy: context.policy,
  });
  for (const wish of wishes) checkWish(context, wish);
  const identity = await requireNetns(context, request.netns);

  const id = attachmentIdOf({ network: config.name, ...request });
  const existing = context.state.attachments.get(id);
  const dns = wishes[0]?.config.dns;
  if (isAttached(existing) && existing.netnsIdentity === identity) {
    await attachAgain(context, existing);
    return { dns, standing: existing, records: [] };
  }
  requireNodeRanges(config);
  // Half made, half removed, or of a namespace that is gone: away with it before the new one.
  const old = context.state.recordsOfPod(id);
  if (old.length > 0) await detachRecords(context, old, trace);

  const pod = { ...request, netnsIdentity: identity, cniNetwork: config.name };
  const records = recordWishes(
    context,
    { ...pod, primaryId: undefined, standing: [] },
    { wishes, onPlanned: () => trace.reached("add.planned") },
  );
  trace.reached("add.recorded");
  return { dns, records };
}

/** What attachRecords() does not tell of, having not been called. */
async function tellOfRefusal<T>(
  context: HostContext,
  { args, containerId, ifname, config }: AddRequest,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const pod = { namespace: args.podNamespace, name: args.podName, uid: args.podUid };
    const who = pod.name === "" ? `container ${containerId}` : `${pod.namespace}/${pod.name}`;
    context.ports.events.emit({
      kind: "attach-failed",
      subject: attachmentIdOf({ network: config.name, containerId, ifname }),
      message: `${ifname} of ${who} is refused: ${formatErrorChain(error)}`,
      ...aboutPod(pod, error),
    });
    throw error;
  }
}

/** Checks of one network that need its plugin. Throws PatchbayError that names network and field. */
export function checkWish(context: HostContext, wish: NetworkWish): void {
  const { config, field } = wish;
  const plugin = requirePlugin(context, config.plugin);
  try {
    checkMtu(config);
    checkPluginConfig(config.configJson, plugin.info.configSchemaJson);
    if (wish.infinibandGuid !== "" && !can(plugin, "CAPABILITY_INFINIBAND_GUID")) {
      throw new PatchbayError(
        "INVALID_NETWORK_CONFIG",
        `infiniband-guid is asked for, which plugin ${config.plugin} cannot set`,
      );
    }
  } catch (error) {
    if (field === "" || !(error instanceof PatchbayError)) throw error;
    throw new PatchbayError(error.code, `Network ${config.name}: ${error.message}`, {
      cause: error.cause,
    });
  }
}

function isAttached(record: AttachmentRecord | undefined): record is AttachedRecord {
  return record?.state.kind === "attached";
}

/**
 * ADD of what is attached: the same answer, whatever the configuration and the annotation name by now.
 * From here on it is a new wish: a DEL that the journal still holds came before it and must not hit it,
 * and whoever doubted it was wrong.
 */
async function attachAgain(context: HostContext, primary: AttachedRecord): Promise<void> {
  const records = context.state.recordsOfPod(primary.primaryId).filter(isAttached);
  for (const record of records) await repeatAttach(context, record);
  await publish(context, records);
  const createdWallMs = context.ports.clock.wallMs();
  context.state.commit(
    records.map((record): StoreChange => {
      return { kind: "put-attachment", attachment: { ...record, createdWallMs } };
    }),
  );
  for (const { id } of records) context.leaks.clear(id);
}

/** By the plugin that made it. One that changes its mind is told of: the record is what the pod was promised. */
export async function repeatAttach(context: HostContext, record: AttachedRecord): Promise<void> {
  const plugin = requirePlugin(context, record.plugin);
  const again = await attachByPlugin(context, plugin, record);
  const before = identityOf(record.state.response, record.ifname);
  const now = identityOf(again, record.ifname);
  if (before === now) return;
  context.ports.events.emit({
    kind: "plugin-misbehaved",
    subject: record.plugin,
    message: `Attach of ${record.ifname} of ${describePod(record)} was answered with ${now}, before with ${before}`,
  });
}

/** What a pod knows itself by. */
function identityOf(response: AttachedRecord["state"]["response"], ifname: string): string {
  const addresses = response.addresses.map(({ address }) => address);
  const link = response.interfaces.find(({ name, sandbox }) => sandbox !== "" && name === ifname);
  return [link?.mac ?? "", ...addresses].join(" ");
}

/** Identity of the pod's namespace; refuses what is none, and the node's own. */
async function requireNetns(context: HostContext, path: NetnsPath): Promise<string> {
  const identity = await identifyNetns(context, path, "ATTACH_FAILED");
  if (identity === undefined) {
    throw new PatchbayError("INVALID_ENVIRONMENT", `CNI_NETNS ${path} is no network namespace`);
  }
  if (identity === context.ownNetns) {
    throw new PatchbayError("OWN_NETNS", `CNI_NETNS ${path} is the node's own network namespace`);
  }
  return identity;
}
