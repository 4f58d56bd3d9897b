import { PatchbayError } from "../errors.ts";
import type { AttachmentId, AttachmentRecord } from "./attachment.ts";
import { describePod } from "./detach.ts";

/** What is to come into a pod. */
export interface WantedIfnames {
  readonly netnsIdentity: string;
  readonly attachments: readonly { readonly ifname: string; readonly id: AttachmentId }[];
}

/**
 * Throws PatchbayError INTERFACE_EXISTS where the container has the attachment, or in this namespace the
 * interface, already: by another CNI call of the runtime for example, with the same annotation.
 */
export function requireFreeIfnames(
  records: readonly AttachmentRecord[],
  { netnsIdentity, attachments }: WantedIfnames,
): void {
  for (const record of records) {
    const isStanding = record.state.kind === "attached" || record.state.kind === "attaching";
    const isThere = isStanding && record.netnsIdentity === netnsIdentity;
    const same = attachments.find(
      ({ id, ifname }) => id === record.id || (isThere && ifname === record.ifname),
    );
    if (same) throw takenError(record);
  }
}

/** Says who has the interface. */
export function takenError(record: AttachmentRecord): PatchbayError {
  const { ifname, network, state } = record;
  return new PatchbayError(
    "INTERFACE_EXISTS",
    `${ifname} of ${describePod(record)} is ${state.kind} ${state.kind === "detaching" ? "from" : "to"} network ${network}`,
  );
}
