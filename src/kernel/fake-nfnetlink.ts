import { errno, errnoCode } from "./errno.ts";
import { FakeSet, type FakeSetShape } from "./fake-set.ts";
import { KernelError } from "./kernel-error.ts";
import { checkPlace, checkRuns, isEmpty, runObject, setObject } from "./nf-runs.ts";
import type {
  ElementCounter,
  ElementDump,
  ElementRun,
  Nfnetlink,
  SetPlace,
  TablePlace,
  TableState,
  TamperEvent,
} from "./nfnetlink.ts";

export interface FakeNfnetlinkOptions {
  /** Asked before each call: an errno makes it fail so. For simulated faults. */
  readonly failCall?: (call: FakeNfnetlinkCall) => number | undefined;
}

export type FakeNfnetlinkCall =
  | { readonly method: "commit"; readonly runs: readonly ElementRun[] }
  | { readonly method: "elements" | "findElements" | "counters"; readonly set: SetPlace }
  | { readonly method: "findTable" | "chains" | "ruleDigest"; readonly table: TablePlace }
  | { readonly method: "monitor"; readonly tables: readonly TablePlace[] };

/** What somebody else does. */
export type TamperChange =
  | { readonly kind: "delete-table"; readonly table: TablePlace }
  /** Rules are text: only the event is there. */
  | { readonly kind: "flush-rules"; readonly table: TablePlace }
  | { readonly kind: "elements"; readonly runs: readonly ElementRun[] }
  | { readonly kind: "resync" };

interface FakeTable {
  readonly place: TablePlace;
  readonly comment: string;
  readonly chains: number;
  /** What stands for the rules, which are text elsewhere. */
  readonly rules: string;
  readonly handle: bigint;
  readonly sets: ReadonlyMap<string, FakeSet>;
}

/**
 * nf_tables in memory, at once and in the same order each time. Stricter than the kernel: every
 * overlap of ranges is EEXIST, a range is deleted only by its own two keys, and records that are
 * given away are always detached. Prints as sorted text.
 */
export class FakeNfnetlink implements Nfnetlink {
  readonly #options: FakeNfnetlinkOptions;
  readonly #tables = new Map<string, FakeTable>();
  readonly #watches = new Set<{
    readonly keys: ReadonlySet<string>;
    readonly listener: (event: TamperEvent) => void;
  }>();
  #nextHandle = 1n;
  #isClosed = false;

  constructor(options: FakeNfnetlinkOptions = {}) {
    this.#options = options;
  }

  /** As loading text does that replaces the table; tells nobody. */
  createTable(
    table: TablePlace,
    sets: readonly FakeSetShape[],
    options: { readonly comment?: string; readonly chains?: number } = {},
  ): void {
    const { comment = "", chains = 0 } = options;
    this.#tables.set(tableKey(table), {
      place: { family: table.family, table: table.table },
      comment,
      chains,
      rules: "",
      handle: this.#nextHandle++,
      sets: new Map(sets.map((shape) => [shape.name, new FakeSet(shape)])),
    });
  }

  /** As text does that loads other rules; tells nobody. */
  setRules(table: TablePlace, rules: string): void {
    const found = this.#tables.get(tableKey(table));
    if (found === undefined) throw failure(errno.ENOENT, "set-rules", tableKey(table));
    this.#tables.set(tableKey(table), { ...found, rules });
  }

  /** As text does that deletes the table; tells nobody. */
  deleteTable(table: TablePlace): void {
    this.#tables.delete(tableKey(table));
  }

  /** A change of another process; tells those who monitor() its tables. Throws where that process would fail. */
  tamper(
    change: TamperChange,
    process: { name: string; id: number } = { name: "nft", id: 7 },
  ): void {
    switch (change.kind) {
      case "resync":
        for (const { listener } of [...this.#watches]) listener({ kind: "resync" });
        return;
      case "delete-table":
        if (!this.#tables.delete(tableKey(change.table))) {
          throw failure(errno.ENOENT, "tamper", tableKey(change.table));
        }
        this.#tell(change.table, "table", process);
        return;
      case "flush-rules":
        this.setRules(change.table, "flushed");
        this.#tell(change.table, "rules", process);
        return;
      case "elements": {
        this.#apply(change.runs);
        const tables = new Map(change.runs.map(({ set }) => [tableKey(set), set]));
        for (const [key, { family, table }] of tables) {
          const own = change.runs.filter(({ set }) => tableKey(set) === key);
          const what = own.some(({ kind }) => kind !== "add") ? "elements" : "added";
          this.#tell({ family, table }, what, process);
        }
      }
    }
  }

  /** As packets do that an element's counter counts. The set's shape has `counter`. */
  countPackets(set: SetPlace, key: Uint8Array, packets: bigint): void {
    this.#requireSet(set, "count-packets").count(key, packets);
  }

  async commit(runs: readonly ElementRun[]): Promise<void> {
    checkRuns(runs);
    try {
      this.#enter({ method: "commit", runs }, "commit-elements", `${runs.length} runs`);
      this.#apply(runs);
    } finally {
      detachRecords(runs);
    }
  }

  async elements(set: SetPlace): Promise<ElementDump | undefined> {
    checkPlace(set, set.set);
    this.#enter({ method: "elements", set }, "list-elements", setObject(set));
    return this.#set(set)?.dump();
  }

  async findElements(
    set: SetPlace,
    keys: readonly Uint8Array[],
  ): Promise<readonly (Uint8Array | undefined)[]> {
    checkPlace(set, set.set);
    this.#enter({ method: "findElements", set }, "find-elements", setObject(set));
    const found = this.#requireSet(set, "find-elements");
    return keys.map((key) => found.find(key));
  }

  async counters(set: SetPlace): Promise<readonly ElementCounter[] | undefined> {
    checkPlace(set, set.set);
    this.#enter({ method: "counters", set }, "list-counters", setObject(set));
    return this.#set(set)?.counters();
  }

  async findTable(table: TablePlace): Promise<TableState | undefined> {
    checkPlace(table);
    this.#enter({ method: "findTable", table }, "find-table", tableKey(table));
    const found = this.#tables.get(tableKey(table));
    if (found === undefined) return undefined;
    const { handle, comment, chains, sets } = found;
    return { handle, comment, flags: 0, uses: chains + sets.size };
  }

  /** Chains have no names here. */
  async chains(table: TablePlace): Promise<readonly string[] | undefined> {
    checkPlace(table);
    this.#enter({ method: "chains", table }, "list-chains", tableKey(table));
    return this.#tables.has(tableKey(table)) ? [] : undefined;
  }

  async ruleDigest(table: TablePlace): Promise<string | undefined> {
    checkPlace(table);
    this.#enter({ method: "ruleDigest", table }, "hash-rules", tableKey(table));
    const found = this.#tables.get(tableKey(table));
    return found && `rules: ${found.rules}`;
  }

  async monitor(
    tables: readonly TablePlace[],
    listener: (event: TamperEvent) => void,
  ): Promise<() => Promise<void>> {
    for (const table of tables) checkPlace(table);
    this.#enter({ method: "monitor", tables }, "monitor", "nf_tables");
    const watch = { keys: new Set(tables.map((table) => tableKey(table))), listener };
    this.#watches.add(watch);
    return async () => {
      this.#watches.delete(watch);
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#watches.clear();
  }

  /** Tables, sets and elements, sorted; bytes in hexadecimal, in words of 4. */
  toString(): string {
    const lines: string[] = [];
    for (const [key, { comment, sets }] of [...this.#tables].toSorted(byKey)) {
      lines.push(comment === "" ? `table ${key}` : `table ${key} "${comment}"`);
      for (const [name, set] of [...sets].toSorted(byKey)) {
        lines.push(`  ${name}`, ...set.lines().map((line) => `    ${line}`));
      }
    }
    return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
  }

  #apply(runs: readonly ElementRun[]): void {
    const undo: (() => void)[] = [];
    try {
      for (const [index, run] of runs.entries()) {
        if (isEmpty(run)) continue;
        const set = this.#set(run.set);
        const fail = (value: number, element?: number): KernelError =>
          failure(value, "commit-elements", runObject(run, index, element));
        if (set === undefined) throw fail(errno.ENOENT);
        set.apply(run, { undo, fail });
      }
    } catch (error) {
      for (const step of undo.reverse()) step();
      throw error;
    }
  }

  #tell(
    table: TablePlace,
    what: "table" | "rules" | "elements" | "added",
    process: { readonly name: string; readonly id: number },
  ): void {
    for (const { keys, listener } of [...this.#watches]) {
      if (!keys.has(tableKey(table))) continue;
      listener({ kind: "changed", table, what, processName: process.name, processId: process.id });
    }
  }

  #enter(call: FakeNfnetlinkCall, operation: string, object: string): void {
    if (this.#isClosed) {
      throw new KernelError({ errno: 0, code: "WORKER_GONE", operation, object });
    }
    const value = this.#options.failCall?.(call);
    if (value !== undefined) throw failure(value, operation, object);
  }

  #set(set: SetPlace): FakeSet | undefined {
    return this.#tables.get(tableKey(set))?.sets.get(set.set);
  }

  #requireSet(set: SetPlace, operation: string): FakeSet {
    const found = this.#set(set);
    if (found === undefined) throw failure(errno.ENOENT, operation, setObject(set));
    return found;
  }
}

function tableKey(table: TablePlace): string {
  return `${table.family} ${table.table}`;
}

function byKey(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : 1;
}

function failure(value: number, operation: string, object: string): KernelError {
  return new KernelError({ errno: value, code: errnoCode(value), operation, object });
}

/** Whoever uses records after giving them away is found out here, whatever their size. */
function detachRecords(runs: readonly ElementRun[]): void {
  for (const { records } of runs) {
    const { buffer, byteLength } = records;
    if (buffer instanceof ArrayBuffer && byteLength > 0 && byteLength === buffer.byteLength) {
      buffer.transfer();
    }
  }
}
