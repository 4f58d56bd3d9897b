import { errno } from "./errno.ts";
import { KernelError } from "./kernel-error.ts";
import type { ElementRun, SetPlace, TablePlace } from "./nfnetlink.ts";

/** NFT_DATA_VALUE_MAXLEN: sixteen registers. */
const MOST_VALUE_BYTES = 64;
/** NFT_NAME_MAXLEN, with the zero. */
const MOST_NAME_BYTES = 255;

/** Throws EINVAL for runs that no kernel could take; what is left are counts that fit. */
export function checkRuns(runs: readonly ElementRun[]): void {
  for (const [index, run] of runs.entries()) {
    checkPlace(run.set, run.set.set);
    if (run.kind === "flush") continue;
    const { keyBytes, dataBytes, records } = run;
    const isFit =
      isCount(keyBytes, 1) && isCount(dataBytes, 0) && (run.kind === "add" || dataBytes === 0);
    // Records given away once are empty now: that must not pass for a run without any.
    if (records.buffer instanceof ArrayBuffer && records.buffer.detached) {
      throw invalid(runObject(run, index), "Its records were given away before");
    }
    if (!isFit || records.length % recordBytes(run) !== 0) {
      const text = `${records.length} bytes are no records of ${keyBytes} and ${dataBytes} bytes`;
      throw invalid(runObject(run, index), text);
    }
  }
}

export function checkPlace(place: TablePlace, ...names: readonly string[]): void {
  for (const name of [place.table, ...names]) {
    if (name === "" || name.includes("\0") || Buffer.byteLength(name) > MOST_NAME_BYTES) {
      throw invalid(JSON.stringify(name), "Not a name");
    }
  }
}

/** Bytes of one record of a run: key, in ranges another key, value. */
export function recordBytes(run: Pick<ElementRun, "keyBytes" | "dataBytes" | "interval">): number {
  return run.keyBytes * (run.interval === undefined ? 1 : 2) + run.dataBytes;
}

/** For messages: which run of a commit, and which of its records. */
export function runObject(run: ElementRun, index: number, element?: number): string {
  const where = element === undefined ? "" : `, element ${element}`;
  return `run ${index} (${run.kind} ${setObject(run.set)}${where})`;
}

export function setObject(set: SetPlace): string {
  return `${set.family} ${set.table} ${set.set}`;
}

export function isEmpty(run: ElementRun): boolean {
  return run.kind !== "flush" && run.records.length === 0;
}

function isCount(value: number, least: number): boolean {
  return Number.isInteger(value) && value >= least && value <= MOST_VALUE_BYTES;
}

function invalid(object: string, extendedAck: string): KernelError {
  const fields = { errno: errno.EINVAL, code: "EINVAL", operation: "commit-elements", object };
  return new KernelError({ ...fields, extendedAck });
}
