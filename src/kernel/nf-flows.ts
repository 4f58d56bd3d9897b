import type { FlowFilter } from "./conntrack.ts";
import { errno } from "./errno.ts";
import {
  CTA_FILTER,
  CTA_FILTER_FLAG_PROTO_NUM,
  CTA_FILTER_ORIG_FLAGS,
  CTA_ID,
  CTA_IP_V4_DST,
  CTA_IP_V4_SRC,
  CTA_IP_V6_DST,
  CTA_IP_V6_SRC,
  CTA_PROTO_DST_PORT,
  CTA_PROTO_NUM,
  CTA_PROTO_SRC_PORT,
  CTA_TUPLE_IP,
  CTA_TUPLE_ORIG,
  CTA_TUPLE_PROTO,
  CTA_TUPLE_REPLY,
  CTA_TUPLE_ZONE,
  CTA_ZONE,
  IPCTNL_MSG_CT_DELETE,
  IPCTNL_MSG_CT_GET,
  NFNL_SUBSYS_CTNETLINK,
} from "./nf-constants.ts";
import { addressBytesOf, FLOW_TUPLES_OFFSET, flowBytes } from "./nf-flow-records.ts";
import {
  beginMessage,
  beginNested,
  endMessage,
  endNested,
  findAttribute,
  NF_HEADER_BYTES,
  putBytes,
  type Range,
} from "./nf-messages.ts";
import type { FlowRecords } from "./nf-protocol.ts";
import { RecordWriter } from "./nf-records.ts";
import type { NfSocket } from "./nf-request.ts";
import { MessageWriter } from "./netlink-message.ts";
import { extendedAck, received } from "./netlink-socket.ts";
import { AF_INET, AF_INET6, NLM_F_ACK, NLM_F_DUMP } from "./rtnetlink-constants.ts";
import { WorkerFault } from "./worker-fault.ts";

/** An acknowledgement takes 1 KiB of the receive buffer. */
const MOST_DELETIONS_PER_SEND = 512;
const protocolNumbers: Readonly<Record<FlowFilter["protocol"], number>> = {
  TCP: 6,
  UDP: 17,
  SCTP: 132,
};

/** Entries of a family and protocol; records as nf-flow-records.ts has them. */
export function readFlows(socket: NfSocket, filter: FlowFilter): FlowRecords {
  const writer = new MessageWriter(256);
  const start = beginFlowMessage(writer, filter, {
    message: IPCTNL_MSG_CT_GET,
    flags: NLM_F_DUMP,
  });
  // Kernels before 5.8 pass over the filter: protocols are compared below, too.
  const tuple = beginNested(writer, CTA_TUPLE_ORIG);
  const protocol = beginNested(writer, CTA_TUPLE_PROTO);
  putBytes(writer, CTA_PROTO_NUM, new Uint8Array([protocolNumbers[filter.protocol]]));
  endNested(writer, protocol);
  endNested(writer, tuple);
  const filterStart = beginNested(writer, CTA_FILTER);
  putHostU32(writer, CTA_FILTER_ORIG_FLAGS, CTA_FILTER_FLAG_PROTO_NUM);
  endNested(writer, filterStart);
  endMessage(writer, start);
  const records = new RecordWriter();
  socket.dump(writer, {
    begin: () => records.reset(),
    onMessage: (at) => packFlow(records, filter, at),
  });
  return { filter, records: records.take() };
}

/** Deletes; counts those that were there. */
export function removeFlows(socket: NfSocket, groups: readonly FlowRecords[]): number {
  let removed = 0;
  for (const { filter, records } of groups) {
    const step = flowBytes(filter);
    for (let first = 0; first < records.length; first += step * MOST_DELETIONS_PER_SEND) {
      const writer = new MessageWriter(65_536);
      const end = Math.min(records.length, first + step * MOST_DELETIONS_PER_SEND);
      for (let at = first; at < end; at += step) {
        writeDeletion(writer, filter, records.subarray(at, at + step));
      }
      socket.ask(writer, (at, _index, value) => {
        if (value === 0) removed++;
        else if (value !== undefined && value !== errno.ENOENT) {
          throw new WorkerFault(value, extendedAck(at));
        }
      });
    }
  }
  return removed;
}

/** The tuple is always there: without one, the kernel deletes all flows of the family. */
function writeDeletion(writer: MessageWriter, filter: FlowFilter, record: Uint8Array): void {
  const start = beginFlowMessage(writer, filter, {
    message: IPCTNL_MSG_CT_DELETE,
    flags: NLM_F_ACK,
  });
  const size = addressBytesOf(filter);
  const numbers = numbersOf(filter);
  const source = FLOW_TUPLES_OFFSET;
  const ports = source + size * 2;
  const tuple = beginNested(writer, CTA_TUPLE_ORIG);
  const addresses = beginNested(writer, CTA_TUPLE_IP);
  putBytes(writer, numbers.source, record.subarray(source, source + size));
  putBytes(writer, numbers.destination, record.subarray(source + size, ports));
  endNested(writer, addresses);
  const protocol = beginNested(writer, CTA_TUPLE_PROTO);
  putBytes(writer, CTA_PROTO_NUM, new Uint8Array([protocolNumbers[filter.protocol]]));
  putBytes(writer, CTA_PROTO_SRC_PORT, record.subarray(ports, ports + 2));
  putBytes(writer, CTA_PROTO_DST_PORT, record.subarray(ports + 2, ports + 4));
  endNested(writer, protocol);
  endNested(writer, tuple);
  putBytes(writer, CTA_ID, record.subarray(0, 4));
  const zone = record.subarray(6, 8);
  if (zone[0] !== 0 || zone[1] !== 0) putBytes(writer, CTA_ZONE, zone);
  endMessage(writer, start);
}

function packFlow(records: RecordWriter, filter: FlowFilter, at: number): void {
  const { view, bytes } = received;
  if (view.getUint8(at + 16) !== (filter.family === 4 ? AF_INET : AF_INET6)) return;
  const range = { start: at + NF_HEADER_BYTES, end: at + view.getUint32(at, true) };
  const original = findAttribute(view, range, CTA_TUPLE_ORIG);
  const reply = findAttribute(view, range, CTA_TUPLE_REPLY);
  const id = findAttribute(view, range, CTA_ID);
  if (original === undefined || reply === undefined || id === undefined) return;
  const tuples = [findTuple(view, filter, original), findTuple(view, filter, reply)];
  if (tuples.includes(undefined)) return;
  records.put(bytes, id.start, 4);
  // A zone of one direction only stands in the tuple; a deletion finds the flow by either.
  const zone =
    findAttribute(view, range, CTA_ZONE) ?? findAttribute(view, original, CTA_TUPLE_ZONE);
  records.put(bytes, undefined, 2);
  records.put(bytes, zone?.start, 2);
  const size = addressBytesOf(filter);
  for (const tuple of tuples) {
    records.put(bytes, tuple?.source, size);
    records.put(bytes, tuple?.destination, size);
    records.put(bytes, tuple?.sourcePort, 2);
    records.put(bytes, tuple?.destinationPort, 2);
  }
}

/** Where the parts of a tuple are; undefined: not of this protocol, or cut. */
function findTuple(
  view: DataView,
  filter: FlowFilter,
  tuple: Range,
):
  | { source: number; destination: number; sourcePort: number; destinationPort: number }
  | undefined {
  const addresses = findAttribute(view, tuple, CTA_TUPLE_IP);
  const protocol = findAttribute(view, tuple, CTA_TUPLE_PROTO);
  if (addresses === undefined || protocol === undefined) return undefined;
  const number = findAttribute(view, protocol, CTA_PROTO_NUM);
  if (number === undefined || view.getUint8(number.start) !== protocolNumbers[filter.protocol]) {
    return undefined;
  }
  const numbers = numbersOf(filter);
  const source = findAttribute(view, addresses, numbers.source)?.start;
  const destination = findAttribute(view, addresses, numbers.destination)?.start;
  const sourcePort = findAttribute(view, protocol, CTA_PROTO_SRC_PORT)?.start;
  const destinationPort = findAttribute(view, protocol, CTA_PROTO_DST_PORT)?.start;
  if (source === undefined || destination === undefined) return undefined;
  if (sourcePort === undefined || destinationPort === undefined) return undefined;
  return { source, destination, sourcePort, destinationPort };
}

function beginFlowMessage(
  writer: MessageWriter,
  filter: FlowFilter,
  options: { readonly message: number; readonly flags: number },
): number {
  const type = (NFNL_SUBSYS_CTNETLINK << 8) | options.message;
  const family = filter.family === 4 ? AF_INET : AF_INET6;
  return beginMessage(writer, { type, flags: options.flags, family });
}

function numbersOf(filter: FlowFilter): { source: number; destination: number } {
  return filter.family === 4
    ? { source: CTA_IP_V4_SRC, destination: CTA_IP_V4_DST }
    : { source: CTA_IP_V6_SRC, destination: CTA_IP_V6_DST };
}

/** The one kind of number here that is in host order. */
function putHostU32(writer: MessageWriter, number: number, value: number): void {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  putBytes(writer, number, bytes);
}
