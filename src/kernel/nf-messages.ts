import { MESSAGE_HEADER_BYTES, type MessageWriter } from "./netlink-message.ts";
import { nextSequence } from "./netlink-answers.ts";
import { NFNL_SUBSYS_NFTABLES } from "./nf-constants.ts";
import {
  AF_INET,
  AF_INET6,
  NLA_F_NESTED,
  NLA_TYPE_MASK,
  NLM_F_REQUEST,
} from "./rtnetlink-constants.ts";

// nfnetlink messages as bytes. Written and read in place, without an object for each attribute:
// elements come by the hundred thousand.

/** struct nlmsghdr and struct nfgenmsg. */
export const NF_HEADER_BYTES = MESSAGE_HEADER_BYTES + 4;

/** Begins a message and returns where it starts; its length is endMessage()'s to fill in. */
export function beginMessage(
  writer: MessageWriter,
  message: {
    readonly type: number;
    readonly flags: number;
    readonly family: number;
    /** Of nfgenmsg; batches name their subsystem there. */
    readonly resource?: number;
  },
): number {
  const start = writer.reserve(NF_HEADER_BYTES);
  const { view } = writer;
  view.setUint16(start + 4, message.type, true);
  view.setUint16(start + 6, message.flags | NLM_F_REQUEST, true);
  view.setUint32(start + 8, nextSequence(), true);
  view.setUint8(start + 16, message.family);
  view.setUint16(start + 18, message.resource ?? 0, false);
  return start;
}

export function endMessage(writer: MessageWriter, start: number): void {
  writer.view.setUint32(start, writer.length - start, true);
}

export function beginNested(writer: MessageWriter, number: number): number {
  const start = writer.reserve(4);
  writer.view.setUint16(start + 2, number | NLA_F_NESTED, true);
  return start;
}

export function endNested(writer: MessageWriter, start: number): void {
  writer.view.setUint16(start, writer.length - start, true);
}

export function putBytes(writer: MessageWriter, number: number, value: Uint8Array): void {
  const start = writer.reserve(4);
  writer.view.setUint16(start, 4 + value.length, true);
  writer.view.setUint16(start + 2, number, true);
  writer.raw(value);
  writer.pad();
}

/** A text with the zero that ends it. */
export function putText(writer: MessageWriter, number: number, value: string): void {
  const bytes = Buffer.from(`${value}\0`);
  putBytes(writer, number, bytes);
}

export function putU32(writer: MessageWriter, number: number, value: number): void {
  const start = writer.reserve(8);
  writer.view.setUint16(start, 8, true);
  writer.view.setUint16(start + 2, number, true);
  // Netfilter's numbers are in network order, unlike rtnetlink's.
  writer.view.setUint32(start + 4, value, false);
}

/** Payload of the attribute with this number between two offsets. A cut or malformed tail ends the search. */
export function findAttribute(
  view: DataView,
  range: Range,
  number: number,
): { start: number; end: number } | undefined {
  for (let at = range.start; at + 4 <= range.end; ) {
    const length = view.getUint16(at, true);
    if (length < 4 || at + length > range.end) return undefined;
    if ((view.getUint16(at + 2, true) & NLA_TYPE_MASK) === number) {
      return { start: at + 4, end: at + length };
    }
    at += (length + 3) & ~3;
  }
  return undefined;
}

/** A number in network order; undefined where there is none of that size. */
export function findU32(view: DataView, range: Range, number: number): number | undefined {
  const found = findAttribute(view, range, number);
  return found && found.end - found.start >= 4 ? view.getUint32(found.start, false) : undefined;
}

export function findText(view: DataView, range: Range, number: number): string | undefined {
  const found = findAttribute(view, range, number);
  if (found === undefined) return undefined;
  const bytes = new Uint8Array(view.buffer, view.byteOffset + found.start, found.end - found.start);
  const zero = bytes.indexOf(0);
  return new TextDecoder().decode(zero < 0 ? bytes : bytes.subarray(0, zero));
}

export interface Range {
  readonly start: number;
  readonly end: number;
}

export function tableFamily(family: "ip" | "ip6"): number {
  return family === "ip" ? AF_INET : AF_INET6;
}

/** An nf_tables message as nlmsg_type. */
export function nftType(message: number): number {
  return (NFNL_SUBSYS_NFTABLES << 8) | message;
}
