import { checkPlace, checkRuns, isEmpty, runObject, setObject } from "./nf-runs.ts";
import type { CounterRecords, Transaction } from "./nf-protocol.ts";
import { callError } from "./kernel-worker.ts";
import type { NfWorkerClient } from "./nf-worker-client.ts";
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

/** Above, records change hands without a copy; below, a copy is quicker. */
const LEAST_TRANSFER_BYTES = 16_384;

interface Watch {
  readonly tables: readonly TablePlace[];
  readonly listener: (event: TamperEvent) => void;
}

/** nf_tables of the namespace of this process; see Nfnetlink. Made by openNetfilter(). */
export class KernelNfnetlink implements Nfnetlink {
  readonly #client: NfWorkerClient;
  readonly #monitorReceiveBufferBytes: number;
  readonly #watches = new Set<Watch>();
  #monitorChange: Promise<unknown> = Promise.resolve();

  constructor(client: NfWorkerClient, monitorReceiveBufferBytes: number) {
    this.#client = client;
    this.#monitorReceiveBufferBytes = monitorReceiveBufferBytes;
    client.onMonitor((what) => this.#tell(what));
  }

  async commit(runs: readonly ElementRun[]): Promise<void> {
    checkRuns(runs);
    const full = runs.filter((run) => !isEmpty(run));
    if (full.length === 0) return;
    const transfer = new Set<ArrayBuffer>();
    const given = full.map((run) => ({ ...run, records: giveRecords(run.records, transfer) }));
    const where = { operation: "commit-elements", object: `${full.length} runs` };
    await this.#client.call(
      { method: "commit", runs: given },
      {
        where,
        transfer: [...transfer],
        errorOf: (failure) => {
          const run = failure.run === undefined ? undefined : full[failure.run];
          if (run === undefined) return undefined;
          const object = runObject(run, runs.indexOf(run), failure.element);
          return callError({ ...where, object }, failure);
        },
      },
    );
  }

  async elements(set: SetPlace): Promise<ElementDump | undefined> {
    checkPlace(set, set.set);
    const where = { operation: "list-elements", object: setObject(set) };
    return this.#client.call({ method: "elements", set }, { where });
  }

  async findElements(
    set: SetPlace,
    keys: readonly Uint8Array[],
  ): Promise<readonly (Uint8Array | undefined)[]> {
    checkPlace(set, set.set);
    const where = { operation: "find-elements", object: setObject(set) };
    // Copies: of a view, the whole buffer would go over.
    return this.#client.call(
      { method: "find-elements", set, keys: keys.map((key) => new Uint8Array(key)) },
      { where },
    );
  }

  async counters(set: SetPlace): Promise<readonly ElementCounter[] | undefined> {
    checkPlace(set, set.set);
    const where = { operation: "list-counters", object: setObject(set) };
    const packed = await this.#client.call<CounterRecords | undefined>(
      { method: "counters", set },
      { where },
    );
    return packed && unpackCounters(packed);
  }

  async findTable(table: TablePlace): Promise<TableState | undefined> {
    checkPlace(table);
    const where = { operation: "find-table", object: `${table.family} ${table.table}` };
    return this.#client.call({ method: "find-table", table }, { where });
  }

  async chains(table: TablePlace): Promise<readonly string[] | undefined> {
    checkPlace(table);
    const where = { operation: "list-chains", object: `${table.family} ${table.table}` };
    return this.#client.call({ method: "chains", table }, { where });
  }

  async ruleDigest(table: TablePlace): Promise<string | undefined> {
    checkPlace(table);
    const where = { operation: "hash-rules", object: `${table.family} ${table.table}` };
    return this.#client.call({ method: "rule-digest", table }, { where });
  }

  async monitor(
    tables: readonly TablePlace[],
    listener: (event: TamperEvent) => void,
  ): Promise<() => Promise<void>> {
    for (const table of tables) checkPlace(table);
    const watch = { tables: [...tables], listener };
    this.#watches.add(watch);
    try {
      await this.#updateMonitor();
    } catch (error) {
      this.#watches.delete(watch);
      throw error;
    }
    return async () => {
      if (!this.#watches.delete(watch)) return;
      await this.#updateMonitor().catch((error: unknown) => {
        // Without a worker nothing is told any more.
        if (this.#client.isOpen) throw error;
      });
    };
  }

  close(): Promise<void> {
    this.#watches.clear();
    return this.#client.close();
  }

  /** Start and stop follow each other: the last listener may leave while the first one arrives. */
  #updateMonitor(): Promise<void> {
    const change = this.#monitorChange.then(async () => {
      const where = { operation: "monitor", object: "nf_tables" };
      if (this.#watches.size === 0) {
        if (this.#client.isOpen) await this.#client.call({ method: "monitor-stop" }, { where });
        return;
      }
      const tables = new Map<string, TablePlace>();
      for (const watch of this.#watches) {
        for (const table of watch.tables) tables.set(placeKey(table), table);
      }
      const receiveBufferBytes = this.#monitorReceiveBufferBytes;
      await this.#client.call(
        { method: "monitor-start", tables: [...tables.values()], receiveBufferBytes },
        { where },
      );
    });
    this.#monitorChange = change.catch(() => {});
    return change;
  }

  #tell(what: Transaction | "resync"): void {
    for (const watch of [...this.#watches]) {
      if (what === "resync") {
        watch.listener({ kind: "resync" });
        continue;
      }
      const { processName, processId } = what;
      for (const { table, what: change } of what.changes) {
        const key = placeKey(table);
        if (!this.#watches.has(watch) || !watch.tables.some((own) => placeKey(own) === key))
          continue;
        watch.listener({ kind: "changed", table, what: change, processName, processId });
      }
    }
  }
}

function placeKey(table: TablePlace): string {
  return `${table.family} ${table.table}`;
}

/** A view of a larger buffer is copied: cloning it would copy, and transferring it take, all of that. */
function giveRecords(records: Uint8Array, transfer: Set<ArrayBuffer>): Uint8Array {
  const { buffer } = records;
  if (!(buffer instanceof ArrayBuffer) || records.byteLength !== buffer.byteLength) {
    return new Uint8Array(records);
  }
  if (records.byteLength >= LEAST_TRANSFER_BYTES) transfer.add(buffer);
  return records;
}

function unpackCounters({ keyBytes, records }: CounterRecords): ElementCounter[] {
  const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
  const counters: ElementCounter[] = [];
  for (let at = 0; at < records.length; at += keyBytes + 8) {
    const key = records.subarray(at, at + keyBytes);
    counters.push({ key, packets: view.getBigUint64(at + keyBytes, false) });
  }
  return counters;
}
