import type { LeaseOwner } from "../../ipam/lease.ts";
import type { ClaimId } from "./attachment.ts";

const CLAIM_PREFIX = "claim:";

/** An IPAMClaim as the owner of addresses that no attachment has at the moment. */
export function claimOwner(claim: ClaimId): LeaseOwner {
  return { attachmentId: claim, containerId: claimNameOf(claim), ifname: "", podUid: "" };
}

/** True for the owner of a lease that a claim holds. */
export function isClaimOwner({ attachmentId }: Pick<LeaseOwner, "attachmentId">): boolean {
  return attachmentId.startsWith(CLAIM_PREFIX);
}

/** "namespace/name". */
export function claimNameOf(claim: string): string {
  return claim.slice(CLAIM_PREFIX.length);
}
