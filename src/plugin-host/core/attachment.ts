import { createHash } from "node:crypto";
import type { NetnsPath } from "../../kernel/kernel.ts";
import type { PortMapping } from "../cni/network-config.ts";
import type { AttachRequest, AttachResponse } from "../../plugin-sdk/network-plugin.ts";

/** 32 hex digits, the same for the same (network, container id, ifname) for ever. */
export type AttachmentId = string & { readonly __brand: "AttachmentId" };

/** "claim:namespace/name": owner of the addresses of an IPAMClaim while no attachment has them. */
export type ClaimId = AttachmentId & { readonly __claim: "ClaimId" };

/** What makes an attachment the same one: CNI 1.1, "Attachment". */
export interface AttachmentKey {
  readonly network: string;
  readonly containerId: string;
  readonly ifname: string;
}

/** What the host remembers of an attachment; replaced, never changed. */
export interface AttachmentRecord extends AttachmentKey {
  readonly id: AttachmentId;
  readonly netns: NetnsPath;
  /** "device:inode" of the namespace at ADD. */
  readonly netnsIdentity: string;
  readonly plugin: string;
  /** Network of the CNI call that the pod came with: the conflist's name. Equal for all of a pod. */
  readonly cniNetwork: string;
  /**
   * The pod's first attachment, which the CNI calls name: its own id for itself. All attachments
   * with the same one come and go together.
   */
  readonly primaryId: AttachmentId;
  /** Attachments of the pod that are made before this one, and taken away after it. */
  readonly after: readonly AttachmentId[];
  /** The IPAM claim that its addresses belong to: they outlive the attachment. Absent: none. */
  readonly claim?: ClaimId;
  /** As sent to the plugin: enough to repeat Attach, and to Detach with no memory. */
  readonly request: AttachRequest;
  /** Ports of the node that lead here. Absent: none. */
  readonly portMappings?: readonly PortMapping[];
  readonly state: AttachmentState;
  /** Wall time of the ADD that was answered last, ms: what was asked of this pod before is settled. */
  readonly createdWallMs: number;
}

export type AttachmentState =
  /** Recorded; the plugin may or may not have made it. After a crash: undone. */
  | { readonly kind: "attaching" }
  | { readonly kind: "attached"; readonly response: AttachResponse }
  /** Made by another CNI plugin and taken over with its addresses (host-local import). */
  | { readonly kind: "adopted" }
  /** On its way out; the plugin may or may not have removed it. After a crash: finished. */
  | { readonly kind: "detaching" };

/** Owner of the addresses of an IPAMClaim. */
export function claimIdOf(namespace: string, name: string): ClaimId {
  return `claim:${namespace}/${name}` as ClaimId;
}

/** The id of a key. The parts cannot contain a zero byte, so the joint is unambiguous. */
export function attachmentIdOf(key: AttachmentKey): AttachmentId {
  const text = `${key.network}\0${key.containerId}\0${key.ifname}`;
  return createHash("sha256").update(text).digest("hex").slice(0, 32) as AttachmentId;
}
