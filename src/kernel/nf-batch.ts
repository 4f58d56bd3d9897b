import {
  NFNL_MSG_BATCH_BEGIN,
  NFNL_MSG_BATCH_END,
  NFNL_SUBSYS_NFTABLES,
  NFT_MSG_DELSETELEM,
  NFT_MSG_NEWSETELEM,
  NFT_SET_ELEM_INTERVAL_END,
  NFTA_DATA_VALUE,
  NFTA_LIST_ELEM,
  NFTA_SET_ELEM_DATA,
  NFTA_SET_ELEM_FLAGS,
  NFTA_SET_ELEM_KEY,
  NFTA_SET_ELEM_KEY_END,
  NFTA_SET_ELEM_LIST_ELEMENTS,
  NFTA_SET_ELEM_LIST_SET,
  NFTA_SET_ELEM_LIST_TABLE,
} from "./nf-constants.ts";
import {
  beginMessage,
  beginNested,
  endMessage,
  endNested,
  nftType,
  putBytes,
  putText,
  putU32,
  tableFamily,
} from "./nf-messages.ts";
import { recordBytes } from "./nf-runs.ts";
import { MessageWriter } from "./netlink-message.ts";
import type { ElementRun } from "./nfnetlink.ts";
import { AF_UNSPEC, NLM_F_ACK, NLM_F_CREATE } from "./rtnetlink-constants.ts";

/** A nested attribute's length is 16 bits; kept below with room for a list's own header. */
const MOST_LIST_BYTES = 60_000;

/** Which records of which run one message carries. */
export interface BatchMessage {
  readonly start: number;
  readonly sequence: number;
  readonly run: number;
  readonly firstRecord: number;
  /** Of the first element's attribute; 0 for a flush. */
  readonly firstElement: number;
  /** Attributes that a record becomes; the last range of "single" may have one less. */
  readonly recordAttributes: number;
}

/**
 * Writes runs as one batch (linux/netfilter/nfnetlink.h, NFNL_MSG_BATCH_BEGIN): the kernel does all
 * of it or nothing. The last message before the end asks for an acknowledgement.
 */
export function writeBatch(writer: MessageWriter, runs: readonly ElementRun[]): BatchMessage[] {
  writeMark(writer, NFNL_MSG_BATCH_BEGIN);
  const messages: BatchMessage[] = [];
  for (const [index, run] of runs.entries()) {
    if (run.kind === "flush") messages.push(writeFlush(writer, run, index));
    else writeRun(writer, messages, run, index);
  }
  const last = messages.at(-1);
  if (last) {
    const flags = writer.view.getUint16(last.start + 6, true);
    writer.view.setUint16(last.start + 6, flags | NLM_F_ACK, true);
  }
  writeMark(writer, NFNL_MSG_BATCH_END);
  return messages;
}

/** What writeBatch() needs at most. */
export function batchBytes(runs: readonly ElementRun[]): number {
  let bytes = 1024;
  for (const run of runs) {
    const { element, end } = templates(run);
    const count = run.kind === "flush" ? 0 : run.records.length / recordBytes(run);
    bytes += Math.ceil(count * (element.bytes.length + (end?.bytes.length ?? 0)) * 1.02) + 1024;
  }
  return bytes;
}

/** A batch of nothing. The kernel works on it after commits that are under way (commit_mutex). */
export function writeEmptyBatch(writer: MessageWriter): void {
  writeMark(writer, NFNL_MSG_BATCH_BEGIN);
  writeMark(writer, NFNL_MSG_BATCH_END);
}

function writeMark(writer: MessageWriter, type: number): void {
  const resource = NFNL_SUBSYS_NFTABLES;
  endMessage(writer, beginMessage(writer, { type, flags: 0, family: AF_UNSPEC, resource }));
}

function writeFlush(writer: MessageWriter, run: ElementRun, index: number): BatchMessage {
  const start = beginElements(writer, run);
  endMessage(writer, start);
  const sequence = writer.view.getUint32(start + 8, true);
  return { start, sequence, run: index, firstRecord: 0, firstElement: 0, recordAttributes: 1 };
}

function writeRun(
  writer: MessageWriter,
  messages: BatchMessage[],
  run: ElementRun,
  index: number,
): void {
  const { element, end } = templates(run);
  const perMessage = Math.floor(
    MOST_LIST_BYTES / (element.bytes.length + (end?.bytes.length ?? 0)),
  );
  const { records, keyBytes, dataBytes } = run;
  const step = recordBytes(run);
  const count = records.length / step;
  const dataOffset = step - dataBytes;
  for (let record = 0; record < count; ) {
    const start = beginElements(writer, run);
    const list = beginNested(writer, NFTA_SET_ELEM_LIST_ELEMENTS);
    messages.push({
      start,
      sequence: writer.view.getUint32(start + 8, true),
      run: index,
      firstRecord: record,
      firstElement: writer.length,
      recordAttributes: end ? 2 : 1,
    });
    const last = Math.min(count, record + perMessage);
    for (; record < last; record++) {
      const from = record * step;
      const at = writer.reserve(element.bytes.length);
      const { bytes } = writer;
      bytes.set(element.bytes, at);
      copy(records, from, bytes, at + element.key, keyBytes);
      if (element.keyEnd > 0) copy(records, from + keyBytes, bytes, at + element.keyEnd, keyBytes);
      if (dataBytes > 0) copy(records, from + dataOffset, bytes, at + element.data, dataBytes);
      if (end) writeRangeEnd(writer, end, records, from + keyBytes, keyBytes);
    }
    endNested(writer, list);
    endMessage(writer, start);
  }
}

/** The first key behind the range, marked as its end. A range up to the last key of all has none. */
function writeRangeEnd(
  writer: MessageWriter,
  template: Template,
  records: Uint8Array,
  lastKey: number,
  keyBytes: number,
): void {
  let digit = lastKey + keyBytes - 1;
  while (digit >= lastKey && records[digit] === 0xff) digit--;
  if (digit < lastKey) return;
  const at = writer.reserve(template.bytes.length);
  const { bytes } = writer;
  bytes.set(template.bytes, at);
  const key = at + template.key;
  copy(records, lastKey, bytes, key, digit - lastKey);
  bytes[key + digit - lastKey] = (records[digit] ?? 0) + 1;
  bytes.fill(0, key + digit - lastKey + 1, key + keyBytes);
}

function beginElements(writer: MessageWriter, run: ElementRun): number {
  const isAdd = run.kind === "add";
  const start = beginMessage(writer, {
    type: nftType(isAdd ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM),
    flags: isAdd ? NLM_F_CREATE : 0,
    family: tableFamily(run.set.family),
  });
  putText(writer, NFTA_SET_ELEM_LIST_TABLE, run.set.table);
  putText(writer, NFTA_SET_ELEM_LIST_SET, run.set.set);
  return start;
}

/** One element with zeros where key and value go, and where those places are. */
interface Template {
  readonly bytes: Uint8Array;
  readonly key: number;
  /** 0: none. */
  readonly keyEnd: number;
  readonly data: number;
}

function templates(run: ElementRun): { element: Template; end: Template | undefined } {
  const { keyBytes, dataBytes, interval } = run;
  return {
    element: template({ keyBytes, dataBytes, hasKeyEnd: interval === "concatenated" }),
    end: interval === "single" ? template({ keyBytes, isRangeEnd: true }) : undefined,
  };
}

function template(shape: {
  readonly keyBytes: number;
  readonly dataBytes?: number;
  readonly hasKeyEnd?: boolean;
  readonly isRangeEnd?: boolean;
}): Template {
  const writer = new MessageWriter(256);
  const start = beginNested(writer, NFTA_LIST_ELEM);
  if (shape.isRangeEnd) putU32(writer, NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
  const key = putValue(writer, NFTA_SET_ELEM_KEY, shape.keyBytes);
  const keyEnd = shape.hasKeyEnd ? putValue(writer, NFTA_SET_ELEM_KEY_END, shape.keyBytes) : 0;
  const data = shape.dataBytes ? putValue(writer, NFTA_SET_ELEM_DATA, shape.dataBytes) : 0;
  endNested(writer, start);
  return { bytes: writer.bytes.slice(0, writer.length), key, keyEnd, data };
}

/** Zeros as a value; returns where they are. */
function putValue(writer: MessageWriter, number: number, byteCount: number): number {
  const start = beginNested(writer, number);
  putBytes(writer, NFTA_DATA_VALUE, new Uint8Array(byteCount));
  endNested(writer, start);
  return start + 8;
}

/** A handful of bytes: quicker than subarray() and set(). */
function copy(
  from: Uint8Array,
  fromStart: number,
  to: Uint8Array,
  toStart: number,
  byteCount: number,
): void {
  for (let index = 0; index < byteCount; index++)
    to[toStart + index] = from[fromStart + index] ?? 0;
}
