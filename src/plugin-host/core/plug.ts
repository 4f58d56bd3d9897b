import { dependenciesOf } from "../cni/network-config.ts";
import { PatchbayError } from "../errors.ts";
import { parseNetworkSelections } from "../networks/parse-selections.ts";
import { checkWish, repeatAttach } from "./add.ts";
import { type AttachedRecord, attachRecords, publish } from "./attach.ts";
import type { AttachmentId, AttachmentRecord } from "./attachment.ts";
import type { HostContext } from "./context.ts";
import { describePod, detachRecords } from "./detach.ts";
import { takenError } from "./ifnames.ts";
import { identifyNetns } from "./netns.ts";
import type { NetworkWish } from "./network-wish.ts";
import { freeIfname, planExtra } from "./pod-plan.ts";
import type { CallTrace } from "./ports.ts";
import { recordWishes } from "./record.ts";

/** The default network's attachment of a pod, by "namespace/name" or the beginning of its container id. */
export function findPod(context: HostContext, pod: string): AttachmentRecord {
  const heads = [...context.state.attachments.values()].filter(
    (record) =>
      record.id === record.primaryId &&
      (pod.includes("/") ? describePod(record) === pod : record.containerId.startsWith(pod)),
  );
  // A pod that is made again while the old one goes: the one that is not on its way out.
  const standing = heads.filter(({ state }) => state.kind !== "detaching");
  // A runtime may have several networks of its own: the first of them is the pod's.
  const candidates = (standing.length > 0 ? standing : heads).sort(byIfname);
  const [found] = candidates;
  if (pod === "" || !found) {
    const how = pod.includes("/") ? "" : ": name it NAMESPACE/POD, or by its container id";
    throw new PatchbayError("NOT_ATTACHED", `No pod ${JSON.stringify(pod)} is attached${how}`);
  }
  const containers = new Set(candidates.map(({ containerId }) => containerId));
  if (containers.size === 1) return found;
  const ids = [...containers].map((id) => id.slice(0, 13)).join(", ");
  throw new PatchbayError(
    "INVALID_SELECTION",
    `${JSON.stringify(pod)} means more than one attachment (containers ${ids}): name a container`,
  );
}

function byIfname(left: AttachmentRecord, right: AttachmentRecord): number {
  return left.ifname.localeCompare(right.ifname, "en", { numeric: true });
}

/**
 * Attaches a running pod to one more network: the same steps as ADD, for one. The caller holds the
 * container's lock, of `pod` as findPod() found it. Throws PatchbayError; then the pod is as before.
 */
export async function plug(
  context: HostContext,
  order: { readonly pod: AttachmentRecord; readonly selection: string },
  trace: CallTrace,
): Promise<AttachedRecord> {
  const primary = context.state.attachments.get(order.pod.id);
  if (primary?.state.kind !== "attached") {
    throw new PatchbayError("NOT_ATTACHED", `${describePod(order.pod)} is not attached any more`);
  }
  const identity = await identifyNetns(context, primary.netns, "ATTACH_FAILED");
  if (identity !== primary.netnsIdentity) {
    const message = `The network namespace of ${describePod(primary)} is gone`;
    throw new PatchbayError("NOT_ATTACHED", message);
  }
  const standing = context.state.recordsOfPod(primary.id);
  const wish = planSelection(context, { primary, standing, selection: order.selection });
  const existing = findSame(standing, wish);
  if (existing) {
    await repeatAttach(context, existing);
    await publish(context, [existing]);
    return existing;
  }
  const holder = context.state
    .recordsOfContainer(primary.containerId)
    .find(({ ifname }) => ifname === wish.ifname);
  if (holder) throw takenError(holder);
  checkWish(context, wish);
  const pod = primary.request.pod;
  const records = recordWishes(
    context,
    {
      ...primary,
      primaryId: primary.id,
      standing,
      args: {
        podNamespace: pod?.namespace ?? "",
        podName: pod?.name ?? "",
        podUid: pod?.uid ?? "",
      },
    },
    { wishes: [wish], onPlanned: () => trace.reached("plug.planned") },
  );
  trace.reached("plug.recorded");
  const hooks = {
    onAttached: () => trace.reached("plug.attached"),
    onPublished: () => trace.reached("plug.published"),
    onConfirmed: () => trace.reached("plug.confirmed"),
  };
  const [attached] = await attachRecords(context, records, { trace, hooks });
  if (!attached) throw new Error("nothing was attached");
  return attached;
}

/**
 * Detaches a running pod from what was attached beside its default network. What is not there is success.
 * The caller holds the container's lock. Throws PatchbayError.
 */
export async function unplug(
  context: HostContext,
  order: { readonly pod: AttachmentRecord; readonly target: string },
  trace: CallTrace,
): Promise<readonly AttachmentRecord[]> {
  const { pod, target } = order;
  const records = context.state.recordsOfContainer(pod.containerId);
  const namespace = pod.request.pod?.namespace ?? "";
  const byIfname = records.filter(({ ifname }) => ifname === target);
  const byNetwork = records.filter(
    ({ network }) => network === target || network === `${namespace}/${target}`,
  );
  // An interface and another's network may have the same name; a network has a longer one as well.
  const meant = byIfname.length > 0 ? byIfname : byNetwork;
  if (meant.some(({ id, primaryId }) => id === primaryId)) {
    throw new PatchbayError(
      "INVALID_SELECTION",
      `${target} is the default network of ${describePod(pod)}, which the container runtime alone detaches`,
    );
  }
  if (meant.length > 1) {
    const names = meant.map(({ ifname }) => ifname).join(", ");
    const message = `${describePod(pod)} has ${target} more than once (${names}): name the interface`;
    throw new PatchbayError("INVALID_SELECTION", message);
  }
  requireNoDependants(records, meant);
  if (meant.length > 0) await detachRecords(context, meant, trace);
  return meant;
}

function planSelection(
  context: HostContext,
  given: {
    readonly primary: AttachmentRecord;
    readonly standing: readonly AttachmentRecord[];
    readonly selection: string;
  },
): NetworkWish {
  const { primary, standing } = given;
  const text = given.selection.trim();
  const podNamespace = primary.request.pod?.namespace ?? "";
  const selections = parseNetworkSelections(text.startsWith("{") ? `[${text}]` : text, {
    podNamespace,
    taken: primary.ifname,
  });
  const [selection] = selections;
  if (!selection || selections.length > 1) {
    const message = `${JSON.stringify(text)} names ${selections.length} networks, expected one`;
    throw new PatchbayError("INVALID_SELECTION", message);
  }
  const { definitions } = context.ports;
  const network = `${selection.namespace}/${selection.name}`;
  // Who names no interface means the one that the network has.
  const same = standing.filter((record) => record.network === network);
  const only = same.length === 1 ? same[0]?.ifname : undefined;
  const inContainer = context.state.recordsOfContainer(primary.containerId);
  const taken = new Set(inContainer.map(({ ifname }) => ifname));
  const ifname = selection.ifname ?? only ?? freeIfname(taken, 1);
  return planExtra(selection, { definitions, policy: context.policy, podNamespace, ifname });
}

function findSame(
  standing: readonly AttachmentRecord[],
  wish: NetworkWish,
): AttachedRecord | undefined {
  return standing.find(
    (record): record is AttachedRecord =>
      record.network === wish.config.name &&
      record.ifname === wish.ifname &&
      record.state.kind === "attached",
  );
}

/** A VLAN must not lose the link it lies on. The default network is before all, and stays. */
function requireNoDependants(
  records: readonly AttachmentRecord[],
  meant: readonly AttachmentRecord[],
): void {
  const going = new Set<AttachmentId>(meant.map(({ id }) => id));
  const dependants = meant.flatMap((record) => {
    const names = new Set([record.ifname, record.network]);
    return records.filter(
      ({ id, request }) =>
        !going.has(id) &&
        dependenciesOf(JSON.parse(request.configJson)).some((name) => names.has(name)),
    );
  });
  if (dependants.length === 0) return;
  const names = dependants.map(({ ifname }) => ifname).join(", ");
  throw new PatchbayError("INVALID_SELECTION", `${names} depends on it: detach that first`);
}
