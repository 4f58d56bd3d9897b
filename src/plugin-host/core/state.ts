import type { IpAddress } from "../../ip/address.ts";
import { type IpamConfig, parseIpamConfig } from "../../ipam/config.ts";
import type { Lease } from "../../ipam/lease.ts";
import { Pool } from "../../ipam/pool.ts";
import { type NetworkConfig, parseNetworkConfig } from "../cni/network-config.ts";
import { CNI_VERSION_NEWEST } from "../cni/versions.ts";
import { PatchbayError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { AttachmentId, AttachmentRecord, ClaimId } from "./attachment.ts";
import { claimOwner, isClaimOwner } from "./claim-owner.ts";
import type { Clock, Store, StoreChange, StoredLease, StoredState } from "./ports.ts";

/** A network that a request named, with the addresses given out on it. */
export interface Network {
  readonly name: string;
  readonly plugin: string;
  readonly mtu: number;
  readonly ipMasq: boolean;
  readonly ipam: IpamConfig;
  readonly configJson: string;
  readonly pool: Pool;
}

/**
 * What the host knows, in memory and in the store alike: every change goes through commit(), which
 * writes first and remembers after, so that memory is never ahead of what survives a crash.
 */
export class HostState {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #attachments = new Map<AttachmentId, AttachmentRecord>();
  /** Ids by that of their pod's first attachment. */
  readonly #pods = new Map<AttachmentId, Set<AttachmentId>>();
  /** Ids by container id. */
  readonly #containers = new Map<string, Set<AttachmentId>>();
  readonly #networks = new Map<string, Network>();
  /** Configuration as the store has it, by network. */
  readonly #storedConfigs = new Map<string, string>();
  #bootId = "";
  /** False after a write that failed. */
  #isWritable = true;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  get attachments(): ReadonlyMap<AttachmentId, AttachmentRecord> {
    return this.#attachments;
  }

  /** All attachments of a pod by the id of its first one, which need not be there any more. */
  recordsOfPod(primaryId: AttachmentId): AttachmentRecord[] {
    const ids = [...(this.#pods.get(primaryId) ?? [])];
    return ids.flatMap((id) => this.#attachments.get(id) ?? []);
  }

  /** All attachments of a container: a runtime with several networks of its own makes several pods of one. */
  recordsOfContainer(containerId: string): AttachmentRecord[] {
    const ids = [...(this.#containers.get(containerId) ?? [])];
    return ids.flatMap((id) => this.#attachments.get(id) ?? []);
  }

  get networks(): ReadonlyMap<string, Network> {
    return this.#networks;
  }

  /**
   * Reads the store. After a reboot the attachments are gone with their namespaces, and the
   * addresses that they held start to cool: a peer may still remember them.
   */
  load(bootId: string): { rebooted: boolean } {
    const stored = this.#store.load();
    this.#bootId = bootId;
    const rebooted = stored.bootId !== "" && stored.bootId !== bootId;
    const changes: StoreChange[] = [];
    if (stored.bootId !== bootId) changes.push({ kind: "set-boot", bootId });
    let leases = stored.leases;
    if (rebooted) {
      const releasedWallMs = this.#clock.wallMs();
      const claims = new Map(stored.attachments.map(({ id, claim }) => [id, claim]));
      leases = leases.map((lease) => {
        const claim = claims.get(lease.attachmentId);
        if (claim !== undefined) return { ...lease, ...claimOwner(claim), attachmentId: claim };
        if (isClaimOwner(lease)) return lease;
        return { ...lease, releasedWallMs: lease.releasedWallMs ?? releasedWallMs };
      });
      for (const lease of leases) changes.push({ kind: "put-lease", lease });
      for (const { id } of stored.attachments) changes.push({ kind: "delete-attachment", id });
    } else {
      for (const record of stored.attachments) this.#remember(record);
    }
    this.#restoreNetworks(stored, leases);
    if (changes.length > 0) this.#store.commit(changes);
    return { rebooted };
  }

  /** Throws PatchbayError IO_FAILURE when the last write failed and one more does. */
  requireWritable(): void {
    if (this.#isWritable) return;
    this.#write([{ kind: "set-boot", bootId: this.#bootId }]);
  }

  /** Writes, then remembers. Throws PatchbayError IO_FAILURE and then nothing changed. */
  commit(changes: readonly StoreChange[]): void {
    this.#write(changes);
    for (const change of changes) {
      if (change.kind === "put-attachment") {
        this.#remember(change.attachment);
      } else if (change.kind === "delete-attachment") {
        this.#forget(change.id);
      } else if (change.kind === "put-network") {
        this.#storedConfigs.set(change.name, change.configJson);
      } else if (change.kind === "delete-network") {
        this.#storedConfigs.delete(change.name);
      }
    }
  }

  /** The network of a configuration, made or changed to it. Throws QUEUE_FULL above LIMITS.networksMax. */
  ensureNetwork(config: NetworkConfig): Network {
    const known = this.#networks.get(config.name);
    if (known?.configJson === config.configJson) return known;
    if (!known && this.#networks.size >= LIMITS.networksMax) this.#forgetUnusedNetworks();
    if (!known && this.#networks.size >= LIMITS.networksMax) {
      throw new PatchbayError(
        "QUEUE_FULL",
        `Cannot serve more than ${LIMITS.networksMax} networks`,
      );
    }
    if (known) known.pool.reconfigure(config.ipam);
    const pool = known?.pool ?? new Pool(config.name, config.ipam);
    const network = toNetwork(config, pool);
    this.#networks.set(config.name, network);
    return network;
  }

  /** The network's pool as this configuration would make it: a change of it changes nothing else. */
  copyPool(config: NetworkConfig, nowMs: number): Pool {
    const pool = new Pool(config.name, config.ipam);
    const known = this.#networks.get(config.name)?.pool;
    if (known) pool.restore({ leases: [...known.leases()], cooling: [], nowMs });
    return pool;
  }

  /** Throws QUEUE_FULL when so many new attachments would be above LIMITS.attachmentsMax. */
  requireRoomFor(count: number): void {
    if (this.#attachments.size + count <= LIMITS.attachmentsMax) return;
    throw new PatchbayError(
      "QUEUE_FULL",
      `Cannot hold more than ${LIMITS.attachmentsMax} attachments`,
    );
  }

  /** Changes that record a network's leases: the network itself where it is new, leases, cursor. */
  leaseChanges(network: Network, leases: readonly Lease[]): StoreChange[] {
    const changes: StoreChange[] = leases.map((lease) => ({
      kind: "put-lease",
      lease: toStoredLease(lease, undefined),
    }));
    changes.push({ kind: "put-cursor", network: network.name, cursor: network.pool.cursor() });
    if (this.#storedConfigs.get(network.name) !== network.configJson) {
      const { name, configJson } = network;
      changes.push({ kind: "put-network", name, configJson });
    }
    return changes;
  }

  /**
   * Forgets an attachment and lets its addresses cool, or gives them back to their claim, in one
   * transaction. Returns the addresses.
   */
  release(record: AttachmentRecord): IpAddress[] {
    const forget: StoreChange = { kind: "delete-attachment", id: record.id };
    const network = this.#networks.get(record.network);
    const leases = network?.pool.leasesOf(record.id) ?? [];
    if (!network) this.commit([forget]);
    else if (record.claim === undefined) this.releaseLeases(network, leases, [forget]);
    else this.#returnToClaim({ network, leases, forget, claim: record.claim });
    return leases.map((lease) => lease.address);
  }

  /** Lets addresses cool. */
  releaseLeases(network: Network, leases: readonly Lease[], others: StoreChange[] = []): void {
    const releasedWallMs = this.#clock.wallMs();
    const cooling = leases.map(
      (lease): StoreChange => ({ kind: "put-lease", lease: toStoredLease(lease, releasedWallMs) }),
    );
    this.commit([...others, ...cooling]);
    const nowMs = this.#clock.monotonicMs();
    for (const lease of leases) network.pool.release(lease, nowMs);
  }

  #returnToClaim(given: {
    readonly network: Network;
    readonly leases: readonly Lease[];
    readonly forget: StoreChange;
    readonly claim: ClaimId;
  }): void {
    const { network, leases, forget, claim } = given;
    const owner = claimOwner(claim);
    const kept = leases.map(
      (lease): StoreChange => ({
        kind: "put-lease",
        lease: toStoredLease({ ...lease, owner }, undefined),
      }),
    );
    this.commit([forget, ...kept]);
    for (const { owner: holder } of leases) network.pool.transfer(holder.attachmentId, owner);
  }

  #remember(record: AttachmentRecord): void {
    this.#attachments.set(record.id, record);
    addTo(this.#pods, record.primaryId, record.id);
    addTo(this.#containers, record.containerId, record.id);
  }

  #forget(id: AttachmentId): void {
    const record = this.#attachments.get(id);
    if (!record) return;
    this.#attachments.delete(id);
    removeFrom(this.#pods, record.primaryId, id);
    removeFrom(this.#containers, record.containerId, id);
  }

  /** Drops what has cooled down from the store. */
  forgetCooled(): void {
    const nowMs = this.#clock.wallMs();
    const changes = [...this.#networks.values()].map(
      (network): StoreChange => ({
        kind: "forget-cooled",
        network: network.name,
        releasedBeforeWallMs: nowMs - network.ipam.cooldownMs,
      }),
    );
    if (changes.length > 0) this.#store.commit(changes);
  }

  /** Names come and go with conflists: what no pod and no claim has and no address cools on makes room. */
  #forgetUnusedNetworks(): void {
    const used = new Set([...this.#attachments.values()].map((record) => record.network));
    const nowMs = this.#clock.monotonicMs();
    const isHeld = ({ pool }: Network) => pool.leases().next().done !== true;
    const isCooling = ({ ipam, pool }: Network) =>
      ipam.families.some((family) => pool.counts(family, nowMs).cooling > 0n);
    const unused = [...this.#networks.values()].filter(
      (network) => !used.has(network.name) && !isHeld(network) && !isCooling(network),
    );
    this.commit(unused.map(({ name }): StoreChange => ({ kind: "delete-network", name })));
    for (const { name } of unused) this.#networks.delete(name);
  }

  #restoreNetworks(stored: StoredState, leases: readonly StoredLease[]): void {
    const byNetwork = Map.groupBy(leases, (lease) => lease.network);
    const cursors = new Map(stored.cursors.map(({ network, cursor }) => [network, cursor]));
    for (const { name, configJson } of stored.networks) {
      const config = readStoredConfig(name, configJson);
      const pool = new Pool(name, config.ipam);
      const cooldownMs = config.ipam.cooldownMs;
      const own = byNetwork.get(name) ?? [];
      const cursor = cursors.get(name);
      pool.restore({
        leases: own
          .filter((lease) => lease.releasedWallMs === undefined)
          .map((lease) => ({
            address: lease.address,
            prefixLength: lease.prefixLength,
            gateway: lease.gateway,
            sequence: lease.sequence,
            owner: toOwner(lease),
          })),
        cooling: own
          .filter((lease) => lease.releasedWallMs !== undefined)
          .map((lease) => ({
            address: lease.address,
            sequence: lease.sequence,
            owner: toOwner(lease),
            remainingMs: this.#remainingCooldownMs(lease.releasedWallMs ?? 0, cooldownMs),
          })),
        ...(cursor ? { cursor } : {}),
        nowMs: this.#clock.monotonicMs(),
      });
      this.#networks.set(name, toNetwork(config, pool));
      this.#storedConfigs.set(name, configJson);
    }
  }

  #write(changes: readonly StoreChange[]): void {
    this.#isWritable = false;
    this.#store.commit(changes);
    this.#isWritable = true;
  }

  /** Wall time may have jumped either way: never longer than the cooldown, never negative. */
  #remainingCooldownMs(releasedWallMs: number, cooldownMs: number): number {
    const remaining = releasedWallMs + cooldownMs - this.#clock.wallMs();
    return Math.max(0, Math.min(cooldownMs, remaining));
  }
}

function addTo<K, V>(sets: Map<K, Set<V>>, key: K, value: V): void {
  const set = sets.get(key) ?? new Set();
  sets.set(key, set.add(value));
}

function removeFrom<K, V>(sets: Map<K, Set<V>>, key: K, value: V): void {
  const set = sets.get(key);
  set?.delete(value);
  if (set?.size === 0) sets.delete(key);
}

function toNetwork(config: NetworkConfig, pool: Pool): Network {
  const { name, plugin, mtu, ipMasq, ipam, configJson } = config;
  return { name, plugin, mtu, ipMasq, ipam, configJson, pool };
}

/**
 * A configuration that an older version accepted and this one refuses must not keep the host from
 * starting: its leases are held until released, the next ADD brings a configuration of its own.
 */
function readStoredConfig(name: string, configJson: string): NetworkConfig {
  try {
    const isExtra = name.includes("/");
    return { ...parseNetworkConfig(JSON.parse(configJson), CNI_VERSION_NEWEST, { isExtra }), name };
  } catch {
    return {
      // Not even the name need be one that is accepted today.
      ...parseNetworkConfig({ name: "unreadable" }, CNI_VERSION_NEWEST),
      name,
      ipam: parseIpamConfig({}, "ipam"),
      configJson,
    };
  }
}

function toOwner(lease: StoredLease): Lease["owner"] {
  const { attachmentId, containerId, ifname, podUid } = lease;
  return { attachmentId, containerId, ifname, podUid };
}

function toStoredLease(lease: Lease, releasedWallMs: number | undefined): StoredLease {
  const { network, address, prefixLength, gateway, sequence, owner } = lease;
  return {
    network,
    address,
    prefixLength,
    gateway,
    sequence,
    attachmentId: owner.attachmentId as AttachmentId,
    containerId: owner.containerId,
    ifname: owner.ifname,
    podUid: owner.podUid,
    releasedWallMs,
  };
}
