import { closeSync, fdatasync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { formatAddress, parseAddress } from "../ip/address.ts";
import type { AttachmentId, AttachmentRecord } from "./core/attachment.ts";
import type { Store, StoreChange, StoredLease, StoredState } from "./core/ports.ts";
import { NO_WISHES } from "../plugin-sdk/network-plugin.ts";
import { PatchbayError } from "./errors.ts";

/**
 * A record of 1 to 2 KB stands in a page of 8 KB, and would overflow one of 4: a third fewer writes.
 * What a reboot destroys anyway must survive the death of the process: WAL with
 * synchronous=NORMAL leaves a commit in the page cache without an fsync. What must survive power
 * loss is synced by flush(), beside other work: SQLite reads the log up to its last whole frame.
 */
const PRAGMAS = `
  PRAGMA page_size = 8192;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA wal_autocheckpoint = 2000;
  PRAGMA cache_size = -2000;
`;

/** A version above this is of a newer host: refused, because going back could lose what it wrote. */
const SCHEMA_VERSION = 1;

const SCHEMA = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE networks (
    name TEXT PRIMARY KEY, config TEXT, cursor TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE attachments (
    id TEXT PRIMARY KEY, created_ms INTEGER NOT NULL, record TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE leases (
    network TEXT NOT NULL, address TEXT NOT NULL, prefix_length INTEGER NOT NULL, gateway TEXT,
    sequence INTEGER NOT NULL, attachment_id TEXT NOT NULL, container_id TEXT NOT NULL,
    ifname TEXT NOT NULL, pod_uid TEXT NOT NULL, released_ms INTEGER,
    PRIMARY KEY (network, address)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX leases_released ON leases (network, released_ms) WHERE released_ms IS NOT NULL;
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** The store on disk: one SQLite file, opened by one host at a time. */
export class SqliteStore implements Store {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #statements: Statements;
  readonly #logFd: number;
  #flushing: Promise<void> | undefined;
  #flushNext: Promise<void> | undefined;

  /** Throws PatchbayError IO_FAILURE: not writable, not a database, or in use by another host. */
  constructor(path: string) {
    this.#path = path;
    let database: DatabaseSync | undefined;
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      database = new DatabaseSync(path);
      // Before the first read: without it SQLite would keep the log's index in a file.
      database.exec("PRAGMA locking_mode = EXCLUSIVE");
      refuseNewer(database);
      database.exec(PRAGMAS);
      migrate(database);
      this.#database = database;
      this.#statements = prepare(database);
      // Made by the first write; ours stays open, so the number never changes.
      this.#logFd = openSync(`${path}-wal`, "r");
    } catch (cause) {
      database?.close();
      throw new PatchbayError("IO_FAILURE", `Cannot open the state database ${path}`, { cause });
    }
  }

  /** Throws PatchbayError IO_FAILURE: what is stored is damaged. */
  load(): StoredState {
    try {
      return this.#load();
    } catch (cause) {
      const remedy = "move it away, start the host and recreate the node's pods";
      throw new PatchbayError(
        "IO_FAILURE",
        `Cannot read the state database ${this.#path}: ${remedy}`,
        { cause },
      );
    }
  }

  #load(): StoredState {
    const rows = <T>(sql: string) => this.#database.prepare(sql).all() as T[];
    const networks = rows<{ name: string; config: string | null; cursor: string | null }>(
      "SELECT name, config, cursor FROM networks",
    );
    const boot = this.#database.prepare("SELECT value FROM meta WHERE key = 'boot_id'").get();
    return {
      bootId: (boot?.["value"] as string | undefined) ?? "",
      networks: networks.flatMap(({ name, config }) =>
        config === null ? [] : [{ name, configJson: config }],
      ),
      attachments: rows<{ record: string }>(
        "SELECT record FROM attachments ORDER BY created_ms",
      ).map(toAttachment),
      leases: rows<LeaseRow>("SELECT * FROM leases ORDER BY released_ms, sequence").map(toLease),
      cursors: networks.flatMap(({ name, cursor }) =>
        cursor === null ? [] : [{ network: name, cursor: JSON.parse(cursor) }],
      ),
    };
  }

  commit(changes: readonly StoreChange[]): void {
    try {
      this.#statements.begin.run();
      try {
        for (const change of changes) this.#write(change);
        this.#statements.commit.run();
      } catch (error) {
        // A full disk may have rolled back by itself.
        if (this.#database.isTransaction) this.#statements.rollback.run();
        throw error;
      }
    } catch (cause) {
      throw new PatchbayError("IO_FAILURE", "Cannot write the state database", { cause });
    }
  }

  /** Callers that arrive while a sync runs share the next one. */
  flush(): Promise<void> {
    if (!this.#flushing) {
      this.#flushing = this.#sync().finally(() => {
        this.#flushing = undefined;
      });
      return this.#flushing;
    }
    this.#flushNext ??= this.#flushing
      .catch(() => {})
      .then(() => {
        this.#flushNext = undefined;
        return this.flush();
      });
    return this.#flushNext;
  }

  async close(): Promise<void> {
    await this.#flushing?.catch(() => {});
    closeSync(this.#logFd);
    this.#database.close();
  }

  #sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fdatasync(this.#logFd, (error) => (error ? reject(error) : resolve()));
    });
  }

  #write(change: StoreChange): void {
    const statements = this.#statements;
    switch (change.kind) {
      case "set-boot":
        statements.setBoot.run(change.bootId);
        return;
      case "put-network":
        statements.putNetwork.run(change.name, change.configJson);
        return;
      case "delete-network":
        statements.deleteNetwork.run(change.name);
        statements.deleteLeases.run(change.name);
        return;
      case "put-cursor":
        statements.putCursor.run(change.network, JSON.stringify(change.cursor));
        return;
      case "put-attachment": {
        const { attachment } = change;
        const json = JSON.stringify(attachment);
        statements.putAttachment.run(attachment.id, attachment.createdWallMs, json);
        return;
      }
      case "delete-attachment":
        statements.deleteAttachment.run(change.id);
        return;
      case "put-lease":
        statements.putLease.run(...toLeaseRow(change.lease));
        return;
      case "forget-cooled":
        statements.forgetCooled.run(change.network, change.releasedBeforeWallMs);
        return;
    }
  }
}

interface Statements {
  readonly begin: StatementSync;
  readonly commit: StatementSync;
  readonly rollback: StatementSync;
  readonly setBoot: StatementSync;
  readonly putNetwork: StatementSync;
  readonly deleteNetwork: StatementSync;
  readonly deleteLeases: StatementSync;
  readonly putCursor: StatementSync;
  readonly putAttachment: StatementSync;
  readonly deleteAttachment: StatementSync;
  readonly putLease: StatementSync;
  readonly forgetCooled: StatementSync;
}

function prepare(database: DatabaseSync): Statements {
  return {
    begin: database.prepare("BEGIN IMMEDIATE"),
    commit: database.prepare("COMMIT"),
    rollback: database.prepare("ROLLBACK"),
    setBoot: database.prepare("INSERT OR REPLACE INTO meta VALUES ('boot_id', ?)"),
    putNetwork: database.prepare(
      "INSERT INTO networks (name, config) VALUES (?, ?) ON CONFLICT DO UPDATE SET config = excluded.config",
    ),
    deleteNetwork: database.prepare("DELETE FROM networks WHERE name = ?"),
    deleteLeases: database.prepare("DELETE FROM leases WHERE network = ?"),
    putCursor: database.prepare(
      "INSERT INTO networks (name, cursor) VALUES (?, ?) ON CONFLICT DO UPDATE SET cursor = excluded.cursor",
    ),
    putAttachment: database.prepare("INSERT OR REPLACE INTO attachments VALUES (?, ?, ?)"),
    deleteAttachment: database.prepare("DELETE FROM attachments WHERE id = ?"),
    putLease: database.prepare(
      "INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    ),
    forgetCooled: database.prepare("DELETE FROM leases WHERE network = ? AND released_ms < ?"),
  };
}

/** Before anything is written: a newer host must find its database as it left it. */
function refuseNewer(database: DatabaseSync): void {
  const version = schemaVersionOf(database);
  if (version <= SCHEMA_VERSION) return;
  throw new Error(`Written by a newer host (schema ${version}, this one knows ${SCHEMA_VERSION})`);
}

function schemaVersionOf(database: DatabaseSync): number {
  return database.prepare("PRAGMA user_version").get()?.["user_version"] as number;
}

function migrate(database: DatabaseSync): void {
  if (schemaVersionOf(database) === SCHEMA_VERSION) {
    // The exclusive lock is taken by the first write: find out now that nobody else holds it.
    database.exec("BEGIN IMMEDIATE; INSERT OR REPLACE INTO meta VALUES ('opened', '1'); COMMIT");
    return;
  }
  database.exec(`BEGIN IMMEDIATE; ${SCHEMA} COMMIT`);
}

/** A record of another shape would fail long after the start, in the middle of a call. */
function toAttachment({ record }: { record: string }): AttachmentRecord {
  const attachment = JSON.parse(record) as AttachmentRecord | null;
  if (attachment?.id && attachment.state?.kind && attachment.request) {
    return attachment.primaryId === undefined ? upgrade(attachment) : attachment;
  }
  throw new Error(`No attachment: ${record.slice(0, 80)}`);
}

/** What a host of 0.1 wrote: a pod had one network. */
function upgrade(attachment: AttachmentRecord): AttachmentRecord {
  const { id, network, request } = attachment;
  const added = { cniNetwork: network, primaryId: id, after: [] };
  return { ...attachment, ...added, request: { ...request, ...NO_WISHES } };
}

interface LeaseRow {
  readonly network: string;
  readonly address: string;
  readonly prefix_length: number;
  readonly gateway: string | null;
  readonly sequence: number;
  readonly attachment_id: string;
  readonly container_id: string;
  readonly ifname: string;
  readonly pod_uid: string;
  readonly released_ms: number | null;
}

function toLeaseRow(lease: StoredLease): (string | number | null)[] {
  return [
    lease.network,
    formatAddress(lease.address),
    lease.prefixLength,
    lease.gateway ? formatAddress(lease.gateway) : null,
    lease.sequence,
    lease.attachmentId,
    lease.containerId,
    lease.ifname,
    lease.podUid,
    lease.releasedWallMs ?? null,
  ];
}

function toLease(row: LeaseRow): StoredLease {
  return {
    network: row.network,
    address: parseAddress(row.address),
    prefixLength: row.prefix_length,
    gateway: row.gateway === null ? undefined : parseAddress(row.gateway),
    sequence: row.sequence,
    attachmentId: row.attachment_id as AttachmentId,
    containerId: row.container_id,
    ifname: row.ifname,
    podUid: row.pod_uid,
    releasedWallMs: row.released_ms ?? undefined,
  };
}
