import { formatAddress } from "../ip/address.ts";
import type { PoolCursor } from "../ipam/lease.ts";
import type { AttachmentRecord } from "./core/attachment.ts";
import type { Store, StoreChange, StoredLease, StoredState } from "./core/ports.ts";

interface Tables {
  readonly bootId: string;
  readonly networks: Map<string, string>;
  readonly cursors: Map<string, PoolCursor>;
  readonly attachments: Map<string, AttachmentRecord>;
  readonly leases: Map<string, StoredLease>;
}

/**
 * A store in memory. It outlives the Host that uses it as the page cache outlives a process;
 * losePower() goes back to the last flush, as the disk does.
 */
export class FakeStore implements Store {
  #tables: Tables = emptyTables();
  #changesSinceFlush: (readonly StoreChange[])[] = [];
  #flushedCommits = 0;
  #durable: Tables = emptyTables();

  load(): StoredState {
    const { bootId, networks, cursors, attachments, leases } = this.#tables;
    return {
      bootId,
      networks: [...networks].map(([name, configJson]) => ({ name, configJson })),
      attachments: [...attachments.values()].sort(
        (left, right) => left.createdWallMs - right.createdWallMs,
      ),
      leases: [...leases.values()].sort(
        (left, right) =>
          (left.releasedWallMs ?? 0) - (right.releasedWallMs ?? 0) ||
          left.sequence - right.sequence,
      ),
      cursors: [...cursors].map(([network, cursor]) => ({ network, cursor })),
    };
  }

  commit(changes: readonly StoreChange[]): void {
    this.#tables = applyChanges(this.#tables, changes);
    this.#changesSinceFlush.push(changes);
  }

  async flush(): Promise<void> {
    this.flushUntil(this.mark());
  }

  /** The commits so far, as a flush that starts now would promise to keep them. */
  mark(): number {
    return this.#flushedCommits + this.#changesSinceFlush.length;
  }

  /** Makes the commits before the mark durable, and no later ones: all that a flush promises. */
  flushUntil(mark: number): void {
    const count = Math.max(0, mark - this.#flushedCommits);
    for (const changes of this.#changesSinceFlush.splice(0, count)) {
      this.#durable = applyChanges(this.#durable, changes);
      this.#flushedCommits++;
    }
  }

  /** Forgets what was committed after the last flush, but for some commits that the disk wrote unasked. */
  losePower(writtenUnasked = 0): void {
    this.flushUntil(this.#flushedCommits + writtenUnasked);
    this.#flushedCommits += this.#changesSinceFlush.length;
    this.#changesSinceFlush = [];
    this.#tables = copyTables(this.#durable);
  }

  get attachments(): ReadonlyMap<string, AttachmentRecord> {
    return this.#tables.attachments;
  }

  /** By "network address". */
  get leases(): ReadonlyMap<string, StoredLease> {
    return this.#tables.leases;
  }

  toString(): string {
    const lines = [
      ...[...this.#tables.attachments.values()].map(
        (record) => `attachment ${record.id} ${record.state.kind} ${record.netns}`,
      ),
      ...[...this.#tables.leases].map(
        ([key, lease]) =>
          `lease ${key} #${lease.sequence} ${lease.releasedWallMs === undefined ? "held" : "cooling"}`,
      ),
      ...[...this.#tables.networks.keys()].map((name) => `network ${name}`),
    ];
    return lines.sort().join("\n");
  }
}

function emptyTables(): Tables {
  return {
    bootId: "",
    networks: new Map(),
    cursors: new Map(),
    attachments: new Map(),
    leases: new Map(),
  };
}

function copyTables(tables: Tables): Tables {
  return {
    bootId: tables.bootId,
    networks: new Map(tables.networks),
    cursors: new Map(tables.cursors),
    attachments: new Map(tables.attachments),
    leases: new Map(tables.leases),
  };
}

/** Changes the maps in place: a commit of the fake cannot fail half-way. */
function applyChanges(tables: Tables, changes: readonly StoreChange[]): Tables {
  let { bootId } = tables;
  for (const change of changes) {
    switch (change.kind) {
      case "set-boot":
        bootId = change.bootId;
        break;
      case "put-network":
        tables.networks.set(change.name, change.configJson);
        break;
      case "delete-network":
        tables.networks.delete(change.name);
        tables.cursors.delete(change.name);
        for (const [key, { network }] of tables.leases) {
          if (network === change.name) tables.leases.delete(key);
        }
        break;
      case "put-cursor":
        tables.cursors.set(change.network, change.cursor);
        break;
      case "put-attachment":
        tables.attachments.set(change.attachment.id, change.attachment);
        break;
      case "delete-attachment":
        tables.attachments.delete(change.id);
        break;
      case "put-lease":
        tables.leases.set(leaseKey(change.lease), change.lease);
        break;
      case "forget-cooled":
        forgetCooled(tables.leases, change);
        break;
    }
  }
  return { ...tables, bootId };
}

function forgetCooled(
  leases: Map<string, StoredLease>,
  change: Extract<StoreChange, { kind: "forget-cooled" }>,
): void {
  for (const [key, lease] of leases) {
    if (lease.network !== change.network || lease.releasedWallMs === undefined) continue;
    if (lease.releasedWallMs < change.releasedBeforeWallMs) leases.delete(key);
  }
}

function leaseKey(lease: StoredLease): string {
  return `${lease.network} ${formatAddress(lease.address)}`;
}
