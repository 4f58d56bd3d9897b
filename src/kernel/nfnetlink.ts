/**
 * nf_tables over nfnetlink (linux/netfilter/nf_tables.h): elements of sets and maps, read and
 * written without any `nft`. Tables, chains and rules come as text (nftables.ts). One worker thread
 * holds one permanent socket: closing one after deletions waits for the kernel, 16 ms.
 * Every failure is a KernelError. openNetfilter() makes the real one, FakeNfnetlink keeps sets in
 * memory; both pass nfnetlink-suite.ts.
 */
export interface Nfnetlink {
  /**
   * Commits runs in order as one transaction: all or nothing. Adding a key with the value that it
   * has is success; with another value EEXIST; deleting a missing key ENOENT. Delete and add of one
   * key in one commit replaces it. A deletion names a range exactly as it was added. Ranges must not
   * overlap: EEXIST, but the kernel does not see all of it ("single": one that ends where another
   * does; "concatenated": one around another). The error's object tells run and record, both from 0.
   * The caller gives the records away: a buffer that they fill is detached when it is large.
   */
  commit(runs: readonly ElementRun[]): Promise<void>;
  /** All elements, in the kernel's order; ranges of one field by first key. undefined: no such set or table. */
  elements(set: SetPlace): Promise<ElementDump | undefined>;
  /**
   * Values of these keys, in order; undefined where there is none, of a plain set's no bytes. In
   * ranges a key finds the one that it lies in. Throws ENOENT when there is no such set.
   */
  findElements(
    set: SetPlace,
    keys: readonly Uint8Array[],
  ): Promise<readonly (Uint8Array | undefined)[]>;
  /** Packets by counters that set elements carry. undefined: no such set. */
  counters(set: SetPlace): Promise<readonly ElementCounter[] | undefined>;
  /** undefined: no such table. */
  findTable(table: TablePlace): Promise<TableState | undefined>;
  /** Names of a table's chains. undefined: no such table. */
  chains(table: TablePlace): Promise<readonly string[] | undefined>;
  /** A hash of a table's flags, chains (hooks, priorities, policies) and rules, which is another when any of it was changed. undefined: no such table. */
  ruleDigest(table: TablePlace): Promise<string | undefined>;
  /**
   * Tells of changes that somebody else (another socket; `nft -f` of the own process too) made to
   * these tables, one event for each transaction and table, until the returned function is called.
   * Own commits tell nothing. After lost events "resync" comes, and when the worker ends.
   */
  monitor(
    tables: readonly TablePlace[],
    listener: (event: TamperEvent) => void,
  ): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

export interface TablePlace {
  readonly family: "ip" | "ip6";
  readonly table: string;
}

export interface SetPlace extends TablePlace {
  readonly set: string;
}

/** Elements of one set that are added or deleted. Packed: a cold start has hundreds of thousands. */
export interface ElementRun {
  readonly kind: "add" | "delete" | "flush";
  readonly set: SetPlace;
  /** Bytes of a key, each field padded to 4 bytes (registers), as the kernel holds it. 0 for flush. */
  readonly keyBytes: number;
  /** Bytes of a value; 0: a set, or a deletion. */
  readonly dataBytes: number;
  /**
   * Records one after another: key, value. With `interval` each is first key, last key (inclusive),
   * value. "single": a set with flag interval (rbtree); "concatenated": pipapo.
   */
  readonly records: Uint8Array;
  readonly interval?: "single" | "concatenated";
}

export interface ElementDump {
  readonly keyBytes: number;
  readonly dataBytes: number;
  /** key, value; interval sets: first key, last key (inclusive), value. */
  readonly records: Uint8Array;
}

export interface ElementCounter {
  readonly key: Uint8Array;
  readonly packets: bigint;
}

export interface TableState {
  readonly handle: bigint;
  /** NFT_TABLE_F_*: 1 is dormant. */
  readonly flags: number;
  /** Chains and sets in it. */
  readonly uses: number;
  /** Comment of the table, "" without. */
  readonly comment: string;
}

export type TamperEvent =
  | {
      readonly kind: "changed";
      readonly table: TablePlace;
      /** What went: the table itself, chains or rules, sets or elements; "added" when only additions were seen. */
      readonly what: "table" | "rules" | "elements" | "added";
      /** Process that did it, where the kernel says so (NFTA_GEN_PROC_NAME). */
      readonly processName: string;
      /** Its thread, as the first pid namespace numbers it. */
      readonly processId: number;
    }
  | { readonly kind: "resync" };
