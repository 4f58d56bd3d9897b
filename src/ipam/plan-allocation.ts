import { type Family, formatAddress, type IpAddress } from "../ip/address.ts";
import type { FamilyPolicy, IpamConfig } from "./config.ts";
import type { Entry } from "./entry.ts";
import type { FamilySpace, FamilySpaces, Place } from "./family-space.ts";
import { IpamError } from "./ipam-error.ts";
import type { LeaseOwner } from "./lease.ts";
import { findExclusion } from "./range.ts";

/** What an attachment asks of a pool. */
export interface AllocateRequest {
  readonly owner: LeaseOwner;
  /** At most one address of each family. */
  readonly requested?: readonly IpAddress[];
  /** Instead of the config's policy. */
  readonly policy?: FamilyPolicy;
  /** Monotonic time in milliseconds; a pool never goes back. */
  readonly nowMs: number;
}

/** The network that an allocation is planned in. */
export interface PlanContext {
  readonly network: string;
  readonly config: IpamConfig;
}

/** An address that can be given. */
export interface PlannedAddress {
  readonly space: FamilySpace;
  readonly place: Place;
  readonly isRequested: boolean;
}

/**
 * The addresses that an attachment without any gets, one of each family that the policy asks for.
 * Throws IpamError. Changes nothing, so that an allocation over two families is all or nothing.
 */
export function planAllocation(
  request: AllocateRequest,
  context: PlanContext,
  spaces: FamilySpaces,
): PlannedAddress[] {
  const requested = planRequested(request.requested ?? [], context, spaces);
  const policy = request.policy ?? context.config.policy;
  const families = familiesFor(policy, requested, context);
  const planned: PlannedAddress[] = [];
  const full: Family[] = [];
  for (const family of families) {
    const own = requested.find(({ space }) => space.family === family);
    const place = own?.place ?? spaces[family].findNext();
    if (place === undefined) full.push(family);
    else planned.push({ space: spaces[family], place, isRequested: own !== undefined });
  }
  if (planned.length === 0 || (full.length > 0 && policy !== "PreferDual")) {
    const names = full.map((family) => `IPv${family}`).join(" and ");
    throw refusal("pool-empty", `no ${names} address is free or cooling`, context);
  }
  return planned;
}

/** The refusal of an address that is held. */
export function takenError({ address, owner }: Entry, network: string): IpamError {
  const holder = `container ${owner.containerId}, interface ${owner.ifname}`;
  return refusal("address-taken", `${formatAddress(address)} is held by ${holder}`, { network });
}

function planRequested(
  addresses: readonly IpAddress[],
  context: PlanContext,
  spaces: FamilySpaces,
): PlannedAddress[] {
  const planned: PlannedAddress[] = [];
  for (const address of addresses) {
    const space = spaces[address.family];
    if (planned.some((other) => other.space === space)) {
      const reason = `more than one IPv${address.family} address is requested`;
      throw refusal("request-invalid", reason, context);
    }
    const place = space.findPlace(address.value);
    if (place === undefined) throw notGivenOut(address, context);
    const entry = place.part.segment.get(place);
    if (entry !== undefined && !entry.isCooling) throw takenError(entry, context.network);
    planned.push({ space, place, isRequested: true });
  }
  return planned;
}

function familiesFor(
  policy: FamilyPolicy,
  requested: readonly PlannedAddress[],
  context: PlanContext,
): readonly Family[] {
  const { families } = context.config;
  switch (policy) {
    case "PreferDual":
      return families;
    case "RequireDual":
      if (families.length === 2) return families;
      throw refusal(
        "family-missing",
        `both families are required, and only IPv${families[0]} has ranges`,
        context,
      );
    case "Single":
      if (requested.length === 0) return families.slice(0, 1);
      if (requested.length === 1) return [requested[0]!.space.family];
      throw refusal(
        "request-invalid",
        "addresses of both families are requested under the policy Single",
        context,
      );
  }
}

function notGivenOut(address: IpAddress, context: PlanContext): IpamError {
  const text = formatAddress(address);
  const { families, ranges } = context.config;
  if (!families.includes(address.family)) {
    const reason = `${text} is requested, and IPv${address.family} has no ranges`;
    return refusal("family-missing", reason, context);
  }
  const why = findExclusion(ranges, address);
  if (why !== undefined) return refusal("address-reserved", `${text} ${why}`, context);
  return refusal("address-outside", `${text} lies in none of the ranges`, context);
}

function refusal(
  code: IpamError["code"],
  reason: string,
  { network }: Pick<PlanContext, "network">,
): IpamError {
  return new IpamError(code, { network, reason });
}
