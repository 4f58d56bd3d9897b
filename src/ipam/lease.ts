import type { IpAddress } from "../ip/address.ts";

/** Who holds an address. */
export interface LeaseOwner {
  /** Stable key of the attachment: network, container and interface. */
  readonly attachmentId: string;
  readonly containerId: string;
  readonly ifname: string;
  /** Empty when unknown. */
  readonly podUid: string;
}

/** An address that an attachment holds. */
export interface Lease {
  readonly network: string;
  readonly address: IpAddress;
  /** Of the subnet that the address lies in; 32 or 128 for an adopted address outside of all. */
  readonly prefixLength: number;
  readonly gateway: IpAddress | undefined;
  /** Number of this allocation: no other allocation of the pool ever has it. */
  readonly sequence: number;
  readonly owner: LeaseOwner;
}

/** A released address that is not given out again yet. */
export interface CoolingAddress {
  readonly address: IpAddress;
  /** Of the lease that was released. */
  readonly sequence: number;
  readonly lastOwner: LeaseOwner;
  readonly releasedAtMs: number;
  readonly untilMs: number;
}

/** Where a pool goes on after a restart, as plain JSON. */
export interface PoolCursor {
  readonly nextSequence: number;
  /** The IPv4 address given last. Absent: none yet. */
  readonly last4?: string;
  /** The IPv6 address given last. Absent: none yet. */
  readonly last6?: string;
}

/** What a lease says besides its address; shared by all leases of a range. */
export interface LeaseSubnet {
  readonly prefixLength: number;
  readonly gateway: IpAddress | undefined;
}
