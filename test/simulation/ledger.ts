import { formatAddress, type IpAddress } from "../../src/ip/address.ts";
import type { StoreChange, StoredLease } from "../../src/plugin-host/core/ports.ts";
import { LIMITS } from "../../src/plugin-host/limits.ts";
import type { SimNode } from "./node.ts";
import type { Held, WorldListener } from "./world.ts";

interface Freed {
  readonly atMs: number;
  readonly attachmentId: string;
  readonly network: string;
  /** No flush failed on its way out. */
  readonly isFlushed: boolean;
  /** A DEL was answered for it: if flushed, it must survive power loss. */
  isAnswered: boolean;
}

/**
 * What must hold, checked where it could break: at every commit, at every link that appears or
 * goes, and as a whole every so often and once the node is quiet.
 */
export class Ledger implements WorldListener {
  readonly #node: SimNode;
  /** Link by "network address" as pods have it. */
  readonly #holders = new Map<string, string>();
  /** By "network address", as the store names leases. */
  readonly #freed = new Map<string, Freed>();
  readonly #sequences = new Map<string, number>();
  /** Flush failures so far when an attachment was marked, by id. */
  readonly #marked = new Map<string, number>();
  #failuresAtStart = 0;
  /** Until when records of before a jump of the wall clock may mislead a new host. */
  #jumpMattersUntilMs = 0;
  #uncertainUntilMs = 0;

  constructor(node: SimNode) {
    this.#node = node;
  }

  beforeCommit(changes: readonly StoreChange[]): void {
    for (const change of changes) {
      switch (change.kind) {
        case "put-attachment": {
          const { id, state } = change.attachment;
          if (state.kind === "detaching") this.#mustNotLive(id, "is being detached");
          this.#marked.set(id, this.#node.flushFailures);
          if (state.kind === "attaching" && !this.#node.runtime.isAdding(id)) {
            this.#node.fail("no ADD, no record", `${id} is recorded and nobody adds it`);
          }
          break;
        }
        case "delete-attachment":
          this.#mustNotLive(change.id, "lost its record");
          if (this.#node.world.held().has(change.id)) {
            this.#node.fail("nothing attached without a record", `${change.id} is forgotten`);
          }
          break;
        case "put-lease":
          this.#putLease(change.lease);
          break;
        case "delete-network":
        case "forget-cooled":
        case "put-cursor":
        case "put-network":
        case "set-boot":
          break;
      }
    }
  }

  appeared(held: Held): void {
    if (this.#node.orphans.has(held.id)) return;
    if (!this.#node.disk.attachments.has(held.id)) {
      this.#node.fail("nothing attached without a record", `${held.id} appeared`);
    }
    for (const address of held.addresses) {
      const key = `${held.network} ${address.split("/")[0]}`;
      const holder = this.#holders.get(key);
      if (holder !== undefined && holder !== held.id) {
        this.#node.fail("no address with two owners", `${key} is in ${holder} and in ${held.id}`);
      }
      this.#holders.set(key, held.id);
    }
  }

  disappeared(held: Held): void {
    this.#mustNotLive(held.id, "lost its link");
    const sinceMs = this.#node.orphans.get(held.id) ?? Number.NEGATIVE_INFINITY;
    if (this.#node.clock.monotonicMs() - sinceMs < LIMITS.leakGraceMs) {
      this.#node.fail("nothing is freed on one witness", `orphan ${held.id} went too soon`);
    }
    for (const address of held.addresses) {
      const key = `${held.network} ${address.split("/")[0]}`;
      if (this.#holders.get(key) === held.id) this.#holders.delete(key);
    }
  }

  /** A DEL was answered: what it released must survive power loss from now on. */
  answeredDel(attachmentId: string): void {
    for (const freed of this.#freed.values()) {
      if (freed.attachmentId === attachmentId) freed.isAnswered = true;
    }
  }

  clockJumped(ms: number): void {
    const fromMs = Math.max(this.#jumpMattersUntilMs, this.#node.clock.monotonicMs());
    this.#jumpMattersUntilMs = fromMs + Math.abs(ms) + 2 * this.#longestCooldownMs();
  }

  /** Cooldowns are kept by wall time: after a jump, what a new process makes of them is anybody's guess. */
  hostStarts(): void {
    this.#failuresAtStart = this.#node.flushFailures;
    this.#doubtAfterJump();
  }

  #doubtAfterJump(): void {
    const nowMs = this.#node.clock.monotonicMs();
    if (nowMs > this.#jumpMattersUntilMs) return;
    this.#uncertainUntilMs = nowMs + 2 * this.#longestCooldownMs();
  }

  #longestCooldownMs(): number {
    const { networks, extras } = this.#node;
    return Math.max(...[...networks, ...extras].map((network) => network.cooldownMs));
  }

  /** The store went back to what was flushed. */
  lostPower(): void {
    this.#sequences.clear();
    this.#doubtAfterJump();
    const nowMs = this.#node.clock.monotonicMs();
    for (const [key, freed] of this.#freed) {
      const stored = this.#node.disk.leases.get(key);
      if (stored?.attachmentId === freed.attachmentId) continue;
      const isCooling = nowMs - freed.atMs < this.#cooldownMs(freed.network);
      if (freed.isFlushed && freed.isAnswered && isCooling && nowMs > this.#uncertainUntilMs) {
        this.#node.fail("a cooldown survives power loss", `${key} of ${freed.attachmentId}`);
      }
      this.#freed.delete(key);
    }
    this.#recallFreed();
  }

  /** Addresses that were given again after the last flush cool as they did at that time. */
  #recallFreed(): void {
    const { clock, disk } = this.#node;
    for (const [key, { network, attachmentId, releasedWallMs }] of disk.leases) {
      if (releasedWallMs === undefined || this.#freed.has(key)) continue;
      const atMs = clock.monotonicMs() - Math.max(0, clock.wallMs() - releasedWallMs);
      this.#freed.set(key, { atMs, attachmentId, network, isFlushed: false, isAnswered: false });
    }
  }

  /** Everything at once; costs as much as there are pods. */
  scan(): void {
    const { disk, world, runtime, orphans } = this.#node;
    for (const attachment of runtime.living()) {
      const { id, addresses } = attachment;
      const held = world.held().get(id);
      if (held?.addresses.join(" ") !== addresses.join(" ")) {
        const found = held ? held.addresses.join(" ") : "no link";
        this.#node.fail("a living pod keeps its link", `${id} has ${found}, not ${addresses}`);
      }
      if (disk.attachments.get(id)?.state.kind !== "attached") {
        this.#node.fail("a living pod keeps its record", id);
      }
    }
    for (const id of world.held().keys()) {
      if (!orphans.has(id) && !disk.attachments.has(id)) {
        this.#node.fail("nothing attached without a record", id);
      }
    }
    this.#scanLeases();
    this.#scanPools();
    this.#scanHostPorts();
  }

  /** A living pod's host ports are open, and those of nobody else. */
  #scanHostPorts(): void {
    const { life, disk, runtime } = this.#node;
    if (!life?.isReady) return;
    for (const { id } of runtime.living()) {
      if (disk.attachments.get(id)?.portMappings && !life.published.has(id)) {
        this.#node.fail("a living pod keeps its host ports", id);
      }
    }
    for (const id of life.published) {
      if (disk.attachments.get(id)?.portMappings === undefined) {
        this.#node.fail("no host port without a record", id);
      }
    }
  }

  #scanLeases(): void {
    const { disk } = this.#node;
    const holders = new Map<string, string[]>();
    for (const lease of disk.leases.values()) {
      if (lease.releasedWallMs !== undefined) continue;
      const address = formatAddress(lease.address);
      const own = holders.get(lease.attachmentId);
      if (own) own.push(address);
      else holders.set(lease.attachmentId, [address]);
      if (!disk.attachments.has(lease.attachmentId) && !isClaim(lease.attachmentId)) {
        this.#node.fail("no lease without a record", `${lease.network} ${address}`);
      }
    }
    for (const { id, request } of disk.attachments.values()) {
      const recorded = request.addresses.map((ip) => ip.address.split("/")[0] ?? "");
      const leased = new Set(holders.get(id));
      if (leased.size !== recorded.length || !recorded.every((text) => leased.has(text))) {
        this.#node.fail("no record without its leases", `${id}: ${recorded} but ${[...leased]}`);
      }
    }
  }

  /** The pool in memory and the leases in the store are the same. */
  #scanPools(): void {
    const { life, disk } = this.#node;
    if (!life?.isReady) return;
    const counts = new Map<string, number>();
    for (const lease of disk.leases.values()) {
      if (lease.releasedWallMs !== undefined) continue;
      counts.set(lease.network, (counts.get(lease.network) ?? 0) + 1);
    }
    for (const network of life.host.context.state.networks.values()) {
      let count = 0;
      for (const lease of network.pool.leases()) {
        count++;
        const stored = disk.leases.get(`${lease.network} ${formatAddress(lease.address)}`);
        if (stored?.sequence !== lease.sequence || stored.releasedWallMs !== undefined) {
          this.#node.fail(
            "pool and store agree",
            `${network.name} ${formatAddress(lease.address)}`,
          );
        }
      }
      const stored = counts.get(network.name) ?? 0;
      if (stored !== count) {
        this.#node.fail("pool and store agree", `${network.name}: ${count} held, ${stored} stored`);
      }
    }
  }

  #putLease(lease: StoredLease): void {
    const key = `${lease.network} ${formatAddress(lease.address)}`;
    const before = this.#node.disk.leases.get(key);
    if (lease.releasedWallMs !== undefined) {
      this.#mustNotLive(lease.attachmentId, "lost its address");
      if (before?.releasedWallMs === undefined) this.#free(key, lease);
      return;
    }
    if (before && before.releasedWallMs === undefined) {
      if (before.attachmentId === lease.attachmentId) return;
      if (this.#isMoved(before, lease)) return;
      this.#node.fail(
        "no address with two owners",
        `${key} is given to ${lease.attachmentId} and held by ${before.attachmentId}`,
      );
    }
    const last = this.#sequences.get(lease.network) ?? 0;
    if (lease.sequence <= last) {
      this.#node.fail("sequence numbers grow", `${key} has ${lease.sequence} after ${last}`);
    }
    this.#sequences.set(lease.network, lease.sequence);
    this.#checkCooldown(key, lease);
    this.#freed.delete(key);
  }

  /** Between an attachment and the claim that it names, with the number that it had. */
  #isMoved(before: StoredLease, now: StoredLease): boolean {
    const [claim, id] = isClaim(now.attachmentId)
      ? [now.attachmentId, before.attachmentId]
      : [before.attachmentId, now.attachmentId];
    const named = this.#node.runtime.find(id)?.claim;
    return claim === `claim:${named}` && before.sequence === now.sequence;
  }

  #free(key: string, { network, attachmentId }: StoredLease): void {
    const atMs = this.#node.clock.monotonicMs();
    const before = Math.max(this.#marked.get(attachmentId) ?? 0, this.#failuresAtStart);
    const isFlushed = before === this.#node.flushFailures;
    this.#freed.set(key, { atMs, attachmentId, network, isFlushed, isAnswered: false });
  }

  #checkCooldown(key: string, lease: StoredLease): void {
    const freed = this.#freed.get(key);
    const nowMs = this.#node.clock.monotonicMs();
    const cooldownMs = this.#cooldownMs(lease.network);
    if (!freed || nowMs - freed.atMs >= cooldownMs || nowMs <= this.#uncertainUntilMs) return;
    if (this.#node.runtime.find(lease.attachmentId)?.requested !== undefined) return;
    const other = this.#findFree(lease, nowMs, cooldownMs);
    if (other === undefined) return;
    const age = `freed ${nowMs - freed.atMs} ms ago`;
    this.#node.fail("a cooling address waits", `${key}, ${age}, is given while ${other} is free`);
  }

  /** An address of the same family that nobody holds and that does not cool. */
  #findFree(lease: StoredLease, nowMs: number, cooldownMs: number): string | undefined {
    const ipam = this.#node.life?.host.context.state.networks.get(lease.network)?.ipam;
    for (const range of ipam?.ranges ?? []) {
      if (range.family !== lease.address.family) continue;
      const last = range.last > range.first + 4096n ? range.first + 4096n : range.last;
      for (let value = range.first; value <= last; value++) {
        if (range.gateway?.value === value) continue;
        const address: IpAddress = { family: range.family, value };
        const key = `${lease.network} ${formatAddress(address)}`;
        const stored = this.#node.disk.leases.get(key);
        if (stored && stored.releasedWallMs === undefined) continue;
        const freed = this.#freed.get(key);
        if (freed && nowMs - freed.atMs < cooldownMs) continue;
        return key;
      }
    }
    return undefined;
  }

  #cooldownMs(name: string): number {
    const { networks, extras } = this.#node;
    return [...networks, ...extras].find((network) => network.name === name)?.cooldownMs ?? 0;
  }

  #mustNotLive(id: string, what: string): void {
    if (this.#node.runtime.find(id)?.isLiving) {
      this.#node.fail("a living pod is never freed", `${id} lives and ${what}`);
    }
  }
}

/** Owner of a lease that an IPAM claim keeps. */
function isClaim(attachmentId: string): boolean {
  return attachmentId.startsWith("claim:");
}
