import type { Flow, FlowFilter, FlowTuple } from "./conntrack.ts";

// Flows of one family and protocol, packed for the way between threads. A record: CTA_ID and zone in
// 4 bytes each, then original and reply tuple, each source, destination and two ports as on the wire.

export const FLOW_TUPLES_OFFSET = 8;

export function addressBytesOf(filter: FlowFilter): 4 | 16 {
  return filter.family === 4 ? 4 : 16;
}

export function tupleBytes(filter: FlowFilter): number {
  return addressBytesOf(filter) * 2 + 4;
}

export function flowBytes(filter: FlowFilter): number {
  return FLOW_TUPLES_OFFSET + tupleBytes(filter) * 2;
}

export function packFlows(filter: FlowFilter, flows: readonly Flow[]): Uint8Array {
  const records = new Uint8Array(flows.length * flowBytes(filter));
  const view = new DataView(records.buffer);
  let at = 0;
  for (const flow of flows) {
    view.setUint32(at, flow.id, false);
    view.setUint32(at + 4, flow.zone ?? 0, false);
    at += FLOW_TUPLES_OFFSET;
    for (const tuple of [flow.original, flow.reply]) {
      packAddress(view, at, filter, tuple.source.value);
      packAddress(view, at + addressBytesOf(filter), filter, tuple.destination.value);
      at += tupleBytes(filter);
      view.setUint16(at - 4, tuple.sourcePort, false);
      view.setUint16(at - 2, tuple.destinationPort, false);
    }
  }
  return records;
}

/** The record at this offset. */
export function unpackFlow(filter: FlowFilter, view: DataView, at: number): Flow {
  const zone = view.getUint32(at + 4, false);
  const original = at + FLOW_TUPLES_OFFSET;
  return {
    ...filter,
    id: view.getUint32(at, false),
    ...(zone === 0 ? {} : { zone }),
    original: unpackTuple(filter, view, original),
    reply: unpackTuple(filter, view, original + tupleBytes(filter)),
  };
}

function unpackTuple(filter: FlowFilter, view: DataView, at: number): FlowTuple {
  const { family } = filter;
  const ports = at + tupleBytes(filter) - 4;
  return {
    source: { family, value: unpackAddress(filter, view, at) },
    destination: { family, value: unpackAddress(filter, view, at + addressBytesOf(filter)) },
    sourcePort: view.getUint16(ports, false),
    destinationPort: view.getUint16(ports + 2, false),
  };
}

function packAddress(view: DataView, at: number, filter: FlowFilter, value: bigint): void {
  if (filter.family === 4) view.setUint32(at, Number(value), false);
  else {
    view.setBigUint64(at, value >> 64n, false);
    view.setBigUint64(at + 8, value & 0xffff_ffff_ffff_ffffn, false);
  }
}

function unpackAddress(filter: FlowFilter, view: DataView, at: number): bigint {
  if (filter.family === 4) return BigInt(view.getUint32(at, false));
  return (view.getBigUint64(at, false) << 64n) | view.getBigUint64(at + 8, false);
}
