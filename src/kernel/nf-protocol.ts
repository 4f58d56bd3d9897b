import type { FlowFilter } from "./conntrack.ts";
import type { NetnsPath } from "./kernel.ts";
import type { TablesBatch } from "./nf-rule-messages.ts";
import type { ElementRun, SetPlace, TablePlace } from "./nfnetlink.ts";

/** What the main thread asks of the nfnetlink worker, and what comes back. */
export type NfRequest = { readonly id: number } & (
  | { readonly method: "commit"; readonly runs: readonly ElementRun[] }
  | { readonly method: "elements"; readonly set: SetPlace }
  | {
      readonly method: "find-elements";
      readonly set: SetPlace;
      readonly keys: readonly Uint8Array[];
    }
  | { readonly method: "counters"; readonly set: SetPlace }
  | { readonly method: "find-table" | "chains" | "rule-digest"; readonly table: TablePlace }
  | {
      readonly method: "rule-digest-inside";
      readonly netns: NetnsPlace;
      readonly tables: readonly TablePlace[];
    }
  | {
      readonly method: "replace-tables-inside";
      readonly netns: NetnsPlace;
      readonly batch: TablesBatch;
    }
  | {
      readonly method: "monitor-start";
      readonly tables: readonly TablePlace[];
      readonly receiveBufferBytes: number;
    }
  | { readonly method: "monitor-stop" }
  | { readonly method: "monitor-credit" }
  | { readonly method: "flows"; readonly filter: FlowFilter; readonly netns?: NetnsPlace }
  | {
      readonly method: "remove-flows";
      readonly groups: readonly FlowRecords[];
      readonly netns?: NetnsPlace;
    }
  | { readonly method: "close" }
);

/** A network namespace, and which one it has to be: a path may lead to another by now. */
export interface NetnsPlace {
  readonly path: NetnsPath;
  /** "device:inode" */
  readonly identity: string;
}

export type NfAnswer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly failure: NfFailure }
  | { readonly monitor: Transaction | "resync" };

export interface NfFailure {
  readonly errno: number;
  /** The kernel's own words, or "". */
  readonly text: string;
  /** Of commit: which run, and where the kernel says so, which of its records. */
  readonly run?: number;
  readonly element?: number;
}

/** A transaction of somebody else, as far as it concerns watched tables. */
export interface Transaction {
  readonly changes: readonly {
    readonly table: TablePlace;
    readonly what: "table" | "rules" | "elements" | "added";
  }[];
  readonly processId: number;
  readonly processName: string;
}

/** Result of "counters": each record is a key and 8 bytes of packets in network order. */
export interface CounterRecords {
  readonly keyBytes: number;
  readonly records: Uint8Array;
}

/** Flows packed as flow-records.ts has it. */
export interface FlowRecords {
  readonly filter: FlowFilter;
  readonly records: Uint8Array;
}
