import { errno } from "./errno.ts";
import {
  NFT_DATA_VERDICT,
  NFT_MSG_GETSET,
  NFT_MSG_GETSETELEM,
  NFT_SET_CONCAT,
  NFT_SET_ELEM_INTERVAL_END,
  NFT_SET_INTERVAL,
  NFTA_COUNTER_PACKETS,
  NFTA_DATA_VALUE,
  NFTA_EXPR_DATA,
  NFTA_EXPR_NAME,
  NFTA_LIST_ELEM,
  NFTA_SET_DATA_LEN,
  NFTA_SET_DATA_TYPE,
  NFTA_SET_ELEM_DATA,
  NFTA_SET_ELEM_EXPR,
  NFTA_SET_ELEM_EXPRESSIONS,
  NFTA_SET_ELEM_FLAGS,
  NFTA_SET_ELEM_KEY,
  NFTA_SET_ELEM_KEY_END,
  NFTA_SET_ELEM_LIST_ELEMENTS,
  NFTA_SET_ELEM_LIST_SET,
  NFTA_SET_ELEM_LIST_TABLE,
  NFTA_SET_FLAGS,
  NFTA_SET_KEY_LEN,
  NFTA_SET_NAME,
  NFTA_SET_TABLE,
} from "./nf-constants.ts";
import { currentGeneration, settledGeneration } from "./nf-generation.ts";
import {
  beginMessage,
  beginNested,
  endMessage,
  endNested,
  findAttribute,
  findText,
  findU32,
  NF_HEADER_BYTES,
  nftType,
  putBytes,
  putText,
  type Range,
  tableFamily,
} from "./nf-messages.ts";
import type { CounterRecords } from "./nf-protocol.ts";
import { RangeEnds } from "./nf-range-ends.ts";
import { RecordWriter } from "./nf-records.ts";
import type { NfSocket } from "./nf-request.ts";
import { MessageWriter } from "./netlink-message.ts";
import { extendedAck, received } from "./netlink-socket.ts";
import type { ElementDump, SetPlace } from "./nfnetlink.ts";
import { NLA_TYPE_MASK, NLM_F_ACK, NLM_F_DUMP } from "./rtnetlink-constants.ts";
import { WorkerFault } from "./worker-fault.ts";

/** Questions in one send; an answer takes up to 9 KiB of the receive buffer. */
const MOST_KEYS_PER_SEND = 128;

/** All elements of a set as packed records. undefined: there is no such set. */
export function readElements(socket: NfSocket, set: SetPlace): ElementDump | undefined {
  const shape = findShape(socket, set);
  if (shape === undefined) return undefined;
  const { keyBytes, dataBytes } = shape;
  const single = shape.interval === "single" ? new RangeEnds(keyBytes, dataBytes) : undefined;
  const records = new RecordWriter();
  const recordBytes = keyBytes + dataBytes;
  const isThere = dumpElements(socket, set, {
    begin() {
      records.reset();
      single?.reset();
    },
    onElement(view, element) {
      const key = findValue(view, element, NFTA_SET_ELEM_KEY);
      if (key === undefined) return;
      const data = dataBytes > 0 ? findValue(view, element, NFTA_SET_ELEM_DATA) : undefined;
      const { bytes } = received;
      if (single) {
        const flags = findU32(view, element, NFTA_SET_ELEM_FLAGS) ?? 0;
        const isEnd = (flags & NFT_SET_ELEM_INTERVAL_END) !== 0;
        single.add(bytes, key.start, { data: data?.start, isEnd });
        return;
      }
      records.put(bytes, key.start, keyBytes);
      if (shape.interval === "concatenated") {
        const last = findValue(view, element, NFTA_SET_ELEM_KEY_END) ?? key;
        records.put(bytes, last.start, keyBytes);
      }
      if (dataBytes > 0) records.put(bytes, data?.start, dataBytes);
    },
    isUsable: () =>
      shape.interval !== undefined || !records.hasRepeats({ bytes: recordBytes, keyBytes }),
  });
  if (!isThere) return undefined;
  return { keyBytes, dataBytes, records: single ? single.records() : records.take() };
}

/** Packets of elements with a counter. undefined: there is no such set. */
export function readCounters(socket: NfSocket, set: SetPlace): CounterRecords | undefined {
  const shape = findShape(socket, set);
  if (shape === undefined) return undefined;
  const { keyBytes } = shape;
  const records = new RecordWriter();
  const isThere = dumpElements(socket, set, {
    begin: () => records.reset(),
    onElement(view, element) {
      const key = findValue(view, element, NFTA_SET_ELEM_KEY);
      const packets = findPackets(view, element);
      if (key === undefined || packets === undefined) return;
      records.put(received.bytes, key.start, keyBytes);
      records.put(received.bytes, packets.start, 8);
    },
    isUsable: () => !records.hasRepeats({ bytes: keyBytes + 8, keyBytes }),
  });
  return isThere ? { keyBytes, records: records.take() } : undefined;
}

/** Values by key. Throws ENOENT when there is no such set. */
export function findValues(
  socket: NfSocket,
  set: SetPlace,
  keys: readonly Uint8Array[],
): (Uint8Array | undefined)[] {
  if (findShape(socket, set) === undefined) throw new WorkerFault(errno.ENOENT, "No such set");
  const values: (Uint8Array | undefined)[] = keys.map(() => undefined);
  for (let first = 0; first < keys.length; first += MOST_KEYS_PER_SEND) {
    const writer = new MessageWriter(16_384);
    for (const key of keys.slice(first, first + MOST_KEYS_PER_SEND)) writeGet(writer, set, key);
    socket.ask(writer, (at, index, value) => {
      if (value !== undefined) {
        if (value !== 0 && value !== errno.ENOENT) throw new WorkerFault(value, extendedAck(at));
        return;
      }
      eachElement(at, (view, element) => {
        const data = findValue(view, element, NFTA_SET_ELEM_DATA);
        values[first + index] = data
          ? received.bytes.slice(data.start, data.end)
          : new Uint8Array();
      });
    });
  }
  return values;
}

interface SetShape {
  readonly keyBytes: number;
  /** 0 also for verdicts, which no caller here has. */
  readonly dataBytes: number;
  readonly interval: "single" | "concatenated" | undefined;
}

function findShape(socket: NfSocket, set: SetPlace): SetShape | undefined {
  const writer = new MessageWriter(512);
  const type = nftType(NFT_MSG_GETSET);
  const family = tableFamily(set.family);
  const start = beginMessage(writer, { type, flags: NLM_F_ACK, family });
  putText(writer, NFTA_SET_TABLE, set.table);
  putText(writer, NFTA_SET_NAME, set.set);
  endMessage(writer, start);
  let shape: SetShape | undefined;
  socket.ask(writer, (at, _index, value) => {
    if (value !== undefined) {
      if (value !== 0 && value !== errno.ENOENT) throw new WorkerFault(value, extendedAck(at));
      return;
    }
    const { view } = received;
    const range = payloadAt(at);
    const flags = findU32(view, range, NFTA_SET_FLAGS) ?? 0;
    const isVerdict = findU32(view, range, NFTA_SET_DATA_TYPE) === NFT_DATA_VERDICT;
    const isRanges = (flags & NFT_SET_INTERVAL) !== 0;
    shape = {
      keyBytes: findU32(view, range, NFTA_SET_KEY_LEN) ?? 0,
      dataBytes: isVerdict ? 0 : (findU32(view, range, NFTA_SET_DATA_LEN) ?? 0),
      interval: isRanges ? ((flags & NFT_SET_CONCAT) === 0 ? "single" : "concatenated") : undefined,
    };
  });
  return shape;
}

/**
 * The kernel does not mark a dump of elements that a commit interrupts (no NLM_F_DUMP_INTR, 6.18):
 * the generation tells. Nor one of a hash table that it resizes meanwhile, for a while after large
 * additions: some elements come twice and as many are left out; `isUsable` looks for the former.
 */
function dumpElements(
  socket: NfSocket,
  set: SetPlace,
  reader: {
    begin(): void;
    onElement(view: DataView, element: Range): void;
    isUsable(): boolean;
  },
): boolean {
  const writer = new MessageWriter(512);
  const type = nftType(NFT_MSG_GETSETELEM);
  const start = beginMessage(writer, { type, flags: NLM_F_DUMP, family: tableFamily(set.family) });
  putText(writer, NFTA_SET_ELEM_LIST_TABLE, set.table);
  putText(writer, NFTA_SET_ELEM_LIST_SET, set.set);
  endMessage(writer, start);
  let generation = 0;
  return socket.dump(writer, {
    begin() {
      generation = settledGeneration(socket);
      reader.begin();
    },
    onMessage: (at) => eachElement(at, (view, element) => reader.onElement(view, element)),
    isUsable: () => generation === currentGeneration(socket) && reader.isUsable(),
  });
}

function writeGet(writer: MessageWriter, set: SetPlace, key: Uint8Array): void {
  const type = nftType(NFT_MSG_GETSETELEM);
  const start = beginMessage(writer, { type, flags: NLM_F_ACK, family: tableFamily(set.family) });
  putText(writer, NFTA_SET_ELEM_LIST_TABLE, set.table);
  putText(writer, NFTA_SET_ELEM_LIST_SET, set.set);
  const list = beginNested(writer, NFTA_SET_ELEM_LIST_ELEMENTS);
  const element = beginNested(writer, NFTA_LIST_ELEM);
  const value = beginNested(writer, NFTA_SET_ELEM_KEY);
  putBytes(writer, NFTA_DATA_VALUE, key);
  endNested(writer, value);
  endNested(writer, element);
  endNested(writer, list);
  endMessage(writer, start);
}

function eachElement(at: number, onElement: (view: DataView, element: Range) => void): void {
  const { view } = received;
  const list = findAttribute(view, payloadAt(at), NFTA_SET_ELEM_LIST_ELEMENTS);
  if (list === undefined) return;
  for (let element = list.start; element + 4 <= list.end; ) {
    const length = view.getUint16(element, true);
    if (length < 4 || element + length > list.end) return;
    onElement(view, { start: element + 4, end: element + length });
    element += (length + 3) & ~3;
  }
}

function findValue(view: DataView, element: Range, number: number): Range | undefined {
  const found = findAttribute(view, element, number);
  return found && findAttribute(view, found, NFTA_DATA_VALUE);
}

/** 8 bytes of the counter among an element's expressions. */
function findPackets(view: DataView, element: Range): Range | undefined {
  const one = findAttribute(view, element, NFTA_SET_ELEM_EXPR);
  if (one) return packetsOf(view, one);
  const list = findAttribute(view, element, NFTA_SET_ELEM_EXPRESSIONS);
  if (list === undefined) return undefined;
  for (let at = list.start; at + 4 <= list.end; ) {
    const length = view.getUint16(at, true);
    if (length < 4 || (view.getUint16(at + 2, true) & NLA_TYPE_MASK) !== NFTA_LIST_ELEM) break;
    const packets = packetsOf(view, { start: at + 4, end: at + length });
    if (packets) return packets;
    at += (length + 3) & ~3;
  }
  return undefined;
}

function packetsOf(view: DataView, expression: Range): Range | undefined {
  if (findText(view, expression, NFTA_EXPR_NAME) !== "counter") return undefined;
  const data = findAttribute(view, expression, NFTA_EXPR_DATA);
  return data && findAttribute(view, data, NFTA_COUNTER_PACKETS);
}

function payloadAt(at: number): Range {
  return { start: at + NF_HEADER_BYTES, end: at + received.view.getUint32(at, true) };
}
