import {
  addressBits,
  type Family,
  formatAddress,
  type IpAddress,
  parseAddress,
} from "../ip/address.ts";
import type { IpamConfig } from "./config.ts";
import { type Entry, entryOf } from "./entry.ts";
import { type FamilySpaces, familySpacesOf } from "./family-space.ts";
import { Holders } from "./holders.ts";
import type { CoolingAddress, Lease, LeaseOwner, LeaseSubnet, PoolCursor } from "./lease.ts";
import { type AllocateRequest, planAllocation, takenError } from "./plan-allocation.ts";
import { findSubnetOf } from "./range.ts";

/** Addresses of one family. capacity = used + cooling + free. */
export interface PoolCounts {
  /** Addresses that the ranges give out: without gateways, reserved and excluded ones. */
  readonly capacity: bigint;
  readonly used: bigint;
  readonly cooling: bigint;
  readonly free: bigint;
}

/** The state of a pool as the host recorded it. */
export interface PoolState {
  readonly leases: Iterable<Omit<Lease, "network">>;
  readonly cooling: Iterable<{
    readonly address: IpAddress;
    readonly sequence: number;
    readonly owner: LeaseOwner;
    readonly remainingMs: number;
  }>;
  /** Absent: a pool without a past. */
  readonly cursor?: PoolCursor | undefined;
  readonly nowMs: number;
}

/**
 * The addresses of one network on one node, both families. In memory only: the host records what
 * it returns, and hands it back after a restart.
 *
 * Addresses are given round-robin. A released one cools, and is given again early only when no
 * other is free: then the one that has cooled longest. Each allocation has a sequence number, and
 * a release with another number changes nothing, so that a late one cannot free a new holder.
 */
export class Pool {
  readonly network: string;
  #config: IpamConfig;
  #spaces: FamilySpaces;
  #holders = new Holders();
  #nextSequence = 1;
  #nowMs = Number.NEGATIVE_INFINITY;

  constructor(network: string, config: IpamConfig) {
    this.network = network;
    this.#config = config;
    this.#spaces = familySpacesOf(config);
  }

  get config(): IpamConfig {
    return this.#config;
  }

  /**
   * Gives the attachment its addresses, all or none. One that holds addresses gets the same
   * again, whatever it requests. Throws IpamError.
   */
  allocate(request: AllocateRequest): Lease[] {
    const held = this.#holders.get(request.owner.attachmentId);
    if (held.length > 0) return held.map((entry) => this.#leaseOf(entry));
    this.#tick(request.nowMs);
    return planAllocation(request, this, this.#spaces).map(({ space, place, isRequested }) => {
      const address = space.addressAt(place);
      if (!isRequested) space.moveCursor(place, address);
      const entry = this.#newEntry(address, request.owner, place.part.subnet);
      entry.displaced = space.put(entry, place);
      return this.#leaseOf(entry);
    });
  }

  /**
   * Takes an address back and lets it cool. False, and no change, when this very lease is not held:
   * released before, or given to another since.
   */
  release(lease: Pick<Lease, "address" | "sequence">, nowMs: number): boolean {
    this.#tick(nowMs);
    const entry = this.#findHeld(lease);
    if (entry === undefined) return false;
    this.#holders.remove(entry);
    const space = this.#spaces[entry.address.family];
    if (this.#config.cooldownMs === 0) space.free(entry);
    else space.cool(entry, this.#nowMs);
    return true;
  }

  /** Undoes an allocation that nobody has seen: as if it had never been, but for its number. */
  cancel(leases: Iterable<Pick<Lease, "address" | "sequence">>): void {
    for (const lease of leases) {
      const entry = this.#findHeld(lease);
      if (entry === undefined) continue;
      this.#holders.remove(entry);
      const space = this.#spaces[entry.address.family];
      space.free(entry);
      if (entry.displaced !== undefined) space.putAnywhere(entry.displaced);
    }
  }

  /**
   * Takes over an address that is in use already, wherever it lies: one that may not be given out
   * is held like any other and never given again. Repeated by its holder it returns the same lease.
   * Throws IpamError when another attachment holds it.
   */
  adopt(address: IpAddress, owner: LeaseOwner, nowMs: number): Lease {
    this.#tick(nowMs);
    const space = this.#spaces[address.family];
    const before = space.find(address.value);
    if (before !== undefined && !before.isCooling) {
      if (before.owner.attachmentId === owner.attachmentId) return this.#leaseOf(before);
      throw takenError(before, this.network);
    }
    const entry = this.#newEntry(address, owner, this.#subnetOf(address));
    entry.displaced = space.putAnywhere(entry);
    return this.#leaseOf(entry);
  }

  /** Moves all that one owner holds to another, who holds nothing yet. The leases stay the same ones, by their numbers. */
  transfer(fromId: string, owner: LeaseOwner): Lease[] {
    return this.#holders.get(fromId).map((entry) => {
      this.#holders.remove(entry);
      entry.owner = owner;
      this.#holders.add(entry);
      return this.#leaseOf(entry);
    });
  }

  /** What the attachment holds: nothing, or an address of each family that it got. */
  leasesOf(attachmentId: string): Lease[] {
    return this.#holders.get(attachmentId).map((entry) => this.#leaseOf(entry));
  }

  /** All leases, those of an attachment next to each other. */
  *leases(): Generator<Lease> {
    for (const entry of this.#holders) yield this.#leaseOf(entry);
  }

  /** The addresses that cool as of the last call that named a time, IPv4 first, the longest cooled first. */
  *cooling(): Generator<CoolingAddress> {
    for (const space of [this.#spaces[4], this.#spaces[6]]) {
      for (const { address, sequence, owner, releasedAtMs } of space.cooling()) {
        const untilMs = releasedAtMs + this.#config.cooldownMs;
        yield { address, sequence, lastOwner: owner, releasedAtMs, untilMs };
      }
    }
  }

  /** Addresses of the ranges of a family; leases outside of them are not counted. */
  counts(family: Family, nowMs: number): PoolCounts {
    this.#tick(nowMs);
    const { capacity, heldCount, coolingCount } = this.#spaces[family];
    const used = BigInt(heldCount);
    const cooling = BigInt(coolingCount);
    return { capacity, used, cooling, free: capacity - used - cooling };
  }

  /** To be recorded together with the leases of an allocation. */
  cursor(): PoolCursor {
    const last4 = this.#spaces[4].lastGiven;
    const last6 = this.#spaces[6].lastGiven;
    return {
      nextSequence: this.#nextSequence,
      ...(last4 !== undefined && { last4: formatAddress(last4) }),
      ...(last6 !== undefined && { last6: formatAddress(last6) }),
    };
  }

  /**
   * Replaces all that the pool holds by a recorded state. Leases outside of today's ranges stay
   * held. The sequence goes on after the highest number seen.
   */
  restore(state: PoolState): void {
    this.#spaces = familySpacesOf(this.#config);
    this.#holders = new Holders();
    this.#nowMs = state.nowMs;
    this.#nextSequence = state.cursor?.nextSequence ?? 1;
    for (const lease of state.leases) this.#restoreLease(lease);
    for (const { address, sequence, owner, remainingMs } of state.cooling) {
      this.#nextSequence = Math.max(this.#nextSequence, sequence + 1);
      const space = this.#spaces[address.family];
      if (remainingMs <= 0 || space.find(address.value) !== undefined) continue;
      const entry = entryOf({ address, sequence, owner, subnet: this.#subnetOf(address) });
      entry.isCooling = true;
      // A cooldown that was made shorter since holds for what cools already, too.
      entry.releasedAtMs =
        state.nowMs + Math.min(remainingMs, this.#config.cooldownMs) - this.#config.cooldownMs;
      space.putAnywhere(entry);
    }
    const { last4, last6 } = state.cursor ?? {};
    if (last4 !== undefined) this.#spaces[4].moveCursorTo(parseAddress(last4));
    if (last6 !== undefined) this.#spaces[6].moveCursorTo(parseAddress(last6));
    this.#tick(state.nowMs);
  }

  /** Changes the ranges, policy or cooldown. What is held or cools stays so, with its gateway as it was. */
  reconfigure(config: IpamConfig): void {
    const before = this.#spaces;
    this.#config = config;
    this.#spaces = familySpacesOf(config);
    for (const family of [4, 6] as const) {
      const { lastGiven } = before[family];
      if (lastGiven !== undefined) this.#spaces[family].moveCursorTo(lastGiven);
      for (const entry of [...before[family].cooling()]) {
        entry.previous = undefined;
        entry.next = undefined;
        this.#spaces[family].putAnywhere(entry);
      }
    }
    for (const entry of this.#holders) this.#spaces[entry.address.family].putAnywhere(entry);
    this.#tick(this.#nowMs);
  }

  #newEntry(address: IpAddress, owner: LeaseOwner, subnet: LeaseSubnet): Entry {
    const sequence = this.#nextSequence++;
    const entry = entryOf({ address, sequence, owner, subnet });
    this.#holders.add(entry);
    return entry;
  }

  #restoreLease({ address, sequence, owner, prefixLength, gateway }: Omit<Lease, "network">): void {
    const space = this.#spaces[address.family];
    if (space.find(address.value) !== undefined) {
      throw new Error(`Bug: two leases of ${formatAddress(address)} in network ${this.network}`);
    }
    const today = this.#subnetOf(address);
    const isSame = today.prefixLength === prefixLength && today.gateway?.value === gateway?.value;
    const subnet = isSame ? today : { prefixLength, gateway };
    const entry = entryOf({ address, sequence, owner, subnet });
    this.#nextSequence = Math.max(this.#nextSequence, sequence + 1);
    this.#holders.add(entry);
    space.putAnywhere(entry);
  }

  #findHeld({ address, sequence }: Pick<Lease, "address" | "sequence">): Entry | undefined {
    const entry = this.#spaces[address.family].find(address.value);
    return entry?.sequence === sequence && !entry.isCooling ? entry : undefined;
  }

  #leaseOf({ address, sequence, owner, subnet }: Entry): Lease {
    const { prefixLength, gateway } = subnet;
    return { network: this.network, address, prefixLength, gateway, sequence, owner };
  }

  /** What a lease of this address carries. */
  #subnetOf(address: IpAddress): LeaseSubnet {
    const place = this.#spaces[address.family].findPlace(address.value);
    if (place !== undefined) return place.part.subnet;
    return findSubnetOf(this.#config.ranges, address) ?? hostSubnetOf(address);
  }

  /** Ends the cooldowns that are over. */
  #tick(nowMs: number): void {
    if (nowMs > this.#nowMs) this.#nowMs = nowMs;
    const releasedAtMs = this.#nowMs - this.#config.cooldownMs;
    this.#spaces[4].expire(releasedAtMs);
    this.#spaces[6].expire(releasedAtMs);
  }
}

/** An address in no subnet of the network has a subnet of its own. */
function hostSubnetOf({ family }: IpAddress): LeaseSubnet {
  return { prefixLength: addressBits(family), gateway: undefined };
}
