import type { Lease, LeaseOwner } from "../../ipam/lease.ts";
import { PatchbayError } from "../errors.ts";
import type { ClaimId } from "./attachment.ts";
import { claimNameOf, claimOwner, isClaimOwner } from "./claim-owner.ts";
import type { HostContext } from "./context.ts";
import { describePod } from "./detach.ts";
import type { NetworkWish } from "./network-wish.ts";
import type { Network } from "./state.ts";

/** Throws PatchbayError INVALID_NETWORK_CONFIG where two attachments of a pod ask for a claim on one network. */
export function requireClaimsOnce(wishes: readonly NetworkWish[]): void {
  const fields = new Map<string, string>();
  for (const { claim, config, field } of wishes) {
    if (claim === undefined) continue;
    const key = `${claim} ${config.name}`;
    const before = fields.get(key);
    if (before !== undefined) {
      const message = `${field}.ipam-claim-reference names IPAMClaim ${claimNameOf(claim)}, which ${before} has on network ${config.name}`;
      throw new PatchbayError("INVALID_NETWORK_CONFIG", message);
    }
    fields.set(key, field);
  }
}

/**
 * Moves the addresses that a claim holds to an attachment; undefined where it holds none yet: the next
 * allocation is the claim's. Throws PatchbayError ADDRESS_TAKEN while another attachment has them.
 */
export function takeClaimed(
  context: HostContext,
  wanted: { readonly network: Network; readonly claim: ClaimId; readonly owner: LeaseOwner },
): { readonly leases: readonly Lease[]; readonly undo: () => void } | undefined {
  const { network, claim, owner } = wanted;
  const { pool } = network;
  const user = [...context.state.attachments.values()].find(
    (record) => record.claim === claim && record.network === network.name,
  );
  if (user && user.id !== owner.attachmentId) {
    const message = `The addresses of IPAMClaim ${claimNameOf(claim)} on network ${network.name} are with ${user.ifname} of ${describePod(user)}`;
    throw new PatchbayError("ADDRESS_TAKEN", message);
  }
  const leases = pool.transfer(claim, owner);
  if (leases.length === 0) return undefined;
  return { leases, undo: () => void pool.transfer(owner.attachmentId, claimOwner(claim)) };
}

/**
 * Lets the addresses of claims that are gone cool, by the two-observations rule. A claim that an
 * attachment uses is released with it.
 */
export function judgeClaims(context: HostContext): Set<string> {
  const { state, ports } = context;
  const gone = new Set<string>();
  if (!ports.definitions.isComplete) return gone;
  for (const network of state.networks.values()) {
    const byClaim = Map.groupBy(
      [...network.pool.leases()].filter(({ owner }) => isClaimOwner(owner)),
      ({ owner }) => owner.attachmentId,
    );
    for (const [claim, leases] of byClaim) {
      const [namespace = "", name = ""] = claimNameOf(claim).split("/");
      const key = `${claim} ${network.name}`;
      if (ports.definitions.hasClaim(namespace, name)) {
        context.leaks.clear(key);
        continue;
      }
      gone.add(key);
      const verdict = context.leaks.observe(key, "claim-gone", ports.clock.monotonicMs());
      if (verdict !== "leaked") continue;
      state.releaseLeases(network, leases);
      context.leaks.clear(key);
      const message = `IPAMClaim ${namespace}/${name} is gone, its addresses on network ${network.name} cool down`;
      ports.events.emit({ kind: "claim-released", subject: claim, message });
    }
  }
  return gone;
}
