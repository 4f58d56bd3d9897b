import { mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { KEPT_FORMAT } from "./objects/kept-format.ts";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS versions (
    resource TEXT PRIMARY KEY, version TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS objects (
    resource TEXT NOT NULL, key TEXT NOT NULL, json TEXT NOT NULL, PRIMARY KEY (resource, key)
  ) STRICT, WITHOUT ROWID;
`;

const PRAGMAS = `
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA page_size = 8192;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA cache_size = -1000;
`;

/** The objects of one resource as of one version. */
export interface JournaledResource {
  readonly version: string;
  /** Wall time of the last write of any resource, ms since 1970; 0: none is known. */
  readonly writtenMs: number;
  readonly objects: readonly { readonly key: string; readonly value: unknown }[];
}

/** One step of a resource from a version to a later one. */
export interface JournalChanges {
  readonly resource: string;
  /** undefined: it is under way; what is there counts for nothing until a version comes. */
  readonly version: string | undefined;
  /** Undefined value: it is gone. */
  readonly objects: Iterable<readonly [key: string, value: unknown]>;
  /** First of all, everything of the resource goes. */
  readonly isNew?: boolean;
  /** Now, ms since 1970. */
  readonly wallMs: number;
}

/** What a writer needs of it. */
export type Journal = Pick<ObjectJournal, "read" | "write" | "forget">;

/**
 * The last state heard of the API server, on disk: what Services the node has is known before the
 * server answers, and watches go on from where they stood. It is a copy; whatever is wrong with it, it is
 * thrown away and made anew.
 */
export class ObjectJournal {
  readonly #database: DatabaseSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  readonly #clear: StatementSync;
  readonly #setVersion: StatementSync;
  readonly #unsetVersion: StatementSync;
  readonly #setMeta: StatementSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
    this.#put = database.prepare("INSERT OR REPLACE INTO objects VALUES (?, ?, ?)");
    this.#delete = database.prepare("DELETE FROM objects WHERE resource = ? AND key = ?");
    this.#clear = database.prepare("DELETE FROM objects WHERE resource = ?");
    this.#setVersion = database.prepare("INSERT OR REPLACE INTO versions VALUES (?, ?)");
    this.#unsetVersion = database.prepare("DELETE FROM versions WHERE resource = ?");
    this.#setMeta = database.prepare("INSERT OR REPLACE INTO meta VALUES (?, ?)");
  }

  /**
   * Opens the journal of a node. What another node, another cluster address or another format wrote is
   * removed, and so is what cannot be read. Throws where the folder cannot be written.
   */
  static open(path: string, owner: { readonly nodeName: string }): ObjectJournal {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const mark = JSON.stringify({ format: KEPT_FORMAT, ...owner });
    try {
      return new ObjectJournal(openDatabase(path, mark));
    } catch {
      for (const suffix of ["", "-wal", "-shm"]) rmSync(path + suffix, { force: true });
      return new ObjectJournal(openDatabase(path, mark));
    }
  }

  /** What stood of a resource; undefined: nothing that is complete. */
  read(resource: string): JournaledResource | undefined {
    try {
      const row = this.#database
        .prepare("SELECT version FROM versions WHERE resource = ?")
        .get(resource) as { version: string } | undefined;
      if (row === undefined) return undefined;
      const rows = this.#database
        .prepare("SELECT key, json FROM objects WHERE resource = ?")
        .all(resource) as { key: string; json: string }[];
      const objects = rows.map(({ key, json }) => ({ key, value: JSON.parse(json) as unknown }));
      return { version: row.version, objects, writtenMs: this.#writtenMs() };
    } catch {
      return undefined;
    }
  }

  /** One transaction. Throws what SQLite throws; then nothing changed. */
  write(changes: JournalChanges): void {
    const { resource, version } = changes;
    this.#database.exec("BEGIN");
    try {
      if (changes.isNew) this.#clear.run(resource);
      for (const [key, value] of changes.objects) {
        if (value === undefined) this.#delete.run(resource, key);
        else this.#put.run(resource, key, JSON.stringify(value));
      }
      if (version === undefined) this.#unsetVersion.run(resource);
      else this.#setVersion.run(resource, version);
      this.#setMeta.run("written", String(changes.wallMs));
      this.#database.exec("COMMIT");
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  /** Everything goes, at once: it is of another cluster. */
  forget(): void {
    this.#database.exec("BEGIN; DELETE FROM objects; DELETE FROM versions; COMMIT");
  }

  close(): void {
    this.#database.close();
  }

  #writtenMs(): number {
    const row = this.#database.prepare("SELECT value FROM meta WHERE key = 'written'").get();
    return Number(row?.["value"] ?? 0);
  }
}

function openDatabase(path: string, mark: string): DatabaseSync {
  const database = new DatabaseSync(path);
  try {
    database.exec(PRAGMAS);
    database.exec(SCHEMA);
    const { quick_check: health } = database.prepare("PRAGMA quick_check(1)").get() ?? {};
    if (health !== "ok") throw new Error(`It is damaged: ${String(health)}`);
    const row = database.prepare("SELECT value FROM meta WHERE key = 'mark'").get();
    if (row?.["value"] !== mark) {
      database.exec("BEGIN; DELETE FROM objects; DELETE FROM versions;");
      database.prepare("INSERT OR REPLACE INTO meta VALUES ('mark', ?)").run(mark);
      database.exec("COMMIT");
    }
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
