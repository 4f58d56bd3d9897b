import { type NetworkStatus, networkStatusOf } from "../../networks/network-status.ts";
import type { AttachmentRecord } from "../../core/attachment.ts";

/** What a pod's annotation is to say. */
export interface PodStatus {
  readonly namespace: string;
  readonly name: string;
  /** As the runtime told it: of a static pod not that of its object in the API. */
  readonly uid: string;
  readonly elements: readonly NetworkStatus[];
  /** They as JSON. */
  readonly text: string;
}

/**
 * What the annotations of pods are to say, by uid; only pods that `isWanted` and that have something to say.
 * A pod without uid is not told of: by its name alone it may be another one.
 */
export function statusesOfPods(
  records: Iterable<AttachmentRecord>,
  isWanted: (uid: string) => boolean,
): Map<string, PodStatus> {
  const byUid = new Map<string, AttachmentRecord[]>();
  for (const record of records) {
    const uid = record.request.pod?.uid ?? "";
    if (uid === "" || !isStanding(record) || !isWanted(uid)) continue;
    const known = byUid.get(uid);
    if (known) known.push(record);
    else byUid.set(uid, [record]);
  }
  const statuses = new Map<string, PodStatus>();
  for (const [uid, own] of byUid) {
    const status = statusOf(uid, own);
    if (status) statuses.set(uid, status);
  }
  return statuses;
}

/** What is on its way says nothing: the annotation of a pod that goes stays as it is. */
function isStanding({ state }: AttachmentRecord): boolean {
  return state.kind === "attached" || state.kind === "adopted";
}

function statusOf(uid: string, standing: readonly AttachmentRecord[]): PodStatus | undefined {
  const [newest] = standing.toSorted((left, right) => right.createdWallMs - left.createdWallMs);
  const pod = newest?.request.pod;
  if (!newest || !pod) return undefined;
  // A sandbox made anew: what is left of the old one is not the pod's any more.
  const records = standing
    .filter(({ containerId }) => containerId === newest.containerId)
    // The store knows no order: after a restart the text is to be the same.
    .sort(byIfname);
  // A runtime with several networks of its own: the first of them is the default one.
  const groups = [...Map.groupBy(records, ({ primaryId }) => primaryId).values()];
  const [first = [], ...others] = groups.map((group) => networkStatusOf(group));
  const elements = [...first, ...others.flat().map(withoutDefault)];
  if (elements.length === 0) return undefined;
  const { namespace, name } = pod;
  return { namespace, name, uid, elements, text: JSON.stringify(elements) };
}

/** Exactly one element of a pod is the default one. */
function withoutDefault({ default: _default, ...status }: NetworkStatus): NetworkStatus {
  return status;
}

function byIfname(left: AttachmentRecord, right: AttachmentRecord): number {
  return left.ifname.localeCompare(right.ifname, "en", { numeric: true });
}
