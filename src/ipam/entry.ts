import type { IpAddress } from "../ip/address.ts";
import type { Place } from "./family-space.ts";
import type { LeaseOwner, LeaseSubnet } from "./lease.ts";

/** What the pool keeps of one address that is held or cooling. */
export interface Entry {
  readonly address: IpAddress;
  readonly sequence: number;
  owner: LeaseOwner;
  readonly subnet: LeaseSubnet;
  /** Where it lies in the ranges; undefined for a foreign one. */
  place: Place | undefined;
  isCooling: boolean;
  releasedAtMs: number;
  /** The cooling entry in whose stead this one came; cancel puts it back. */
  displaced: Entry | undefined;
  /** Links of the cooling queue. */
  previous: Entry | undefined;
  next: Entry | undefined;
}

/** A held entry that lies nowhere yet. */
export function entryOf(fields: Pick<Entry, "address" | "sequence" | "owner" | "subnet">): Entry {
  return {
    address: fields.address,
    sequence: fields.sequence,
    owner: fields.owner,
    subnet: fields.subnet,
    place: undefined,
    isCooling: false,
    releasedAtMs: 0,
    displaced: undefined,
    previous: undefined,
    next: undefined,
  };
}
