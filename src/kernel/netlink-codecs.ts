import type { Family, IpAddress } from "../ip/address.ts";
import {
  type AttributeTable,
  type Codec,
  type MessageLayout,
  type MessageWriter,
  readAttributes,
  readMessage,
  type WithUnknown,
  writeAttribute,
  writeAttributes,
  writeStruct,
} from "./netlink-message.ts";
import { NLA_TYPE_MASK } from "./rtnetlink-constants.ts";

// The forms that attributes have: linux/netlink.h (nla_get_*), uapi of each family.

export const u8: Codec<number> = {
  write: (writer, value) => writer.u8(value),
  read: (from, start, end) => (end - start === 1 ? from.bytes[start] : undefined),
};

export const u16: Codec<number> = {
  write: (writer, value) => writer.u16(value),
  read: (from, start, end) => (end - start === 2 ? from.view.getUint16(start, true) : undefined),
};

/** Ports are in network order. */
export const u16be: Codec<number> = {
  write: (writer, value) => writer.u16be(value),
  read: (from, start, end) => (end - start === 2 ? from.view.getUint16(start, false) : undefined),
};

export const u32: Codec<number> = {
  write: (writer, value) => writer.u32(value),
  read: (from, start, end) => (end - start === 4 ? from.view.getUint32(start, true) : undefined),
};

export const i32: Codec<number> = {
  write: (writer, value) => writer.u32(value >>> 0),
  read: (from, start, end) => (end - start === 4 ? from.view.getInt32(start, true) : undefined),
};

export const u64: Codec<bigint> = {
  write: (writer, value) => {
    const at = writer.reserve(8);
    writer.view.setBigUint64(at, value, true);
  },
  read: (from, start, end) => (end - start === 8 ? from.view.getBigUint64(start, true) : undefined),
};

const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder();

/** Text with its closing NUL. */
export const text: Codec<string> = {
  write: (writer, value) => {
    // Names, kinds and most aliases are ASCII and short: no call into C++ for them.
    if (!writeAscii(writer, value)) writer.raw(textEncoder.encode(value));
    writer.u8(0);
  },
  read: (from, start, end) => {
    let stop = start;
    let isAscii = true;
    for (; stop < end && from.bytes[stop] !== 0; stop++) {
      if ((from.bytes[stop] ?? 0) > 0x7f) isAscii = false;
    }
    // Anything after the NUL would be lost on the way back.
    if (stop !== end - 1) return undefined;
    if (isAscii && stop - start <= 32) {
      let result = "";
      for (let at = start; at < stop; at++) result += String.fromCharCode(from.bytes[at] ?? 0);
      return result;
    }
    return textDecoder.decode(from.bytes.subarray(start, stop));
  },
};

/** IFLA_IFALIAS: the kernel takes and gives the bytes without a closing NUL. */
export const unterminatedText: Codec<string> = {
  write: (writer, value) => {
    if (!writeAscii(writer, value)) writer.raw(textEncoder.encode(value));
  },
  read: (from, start, end) => {
    const stop = end > start && from.bytes[end - 1] === 0 ? end - 1 : end;
    return textDecoder.decode(from.bytes.subarray(start, stop));
  },
};

export const raw: Codec<Uint8Array> = {
  write: (writer, value) => writer.raw(value),
  read: (from, start, end) => from.bytes.slice(start, end),
};

/** A link-layer address as "02:00:00:00:00:01"; any length but 0. */
export const mac: Codec<string> = {
  write: (writer, value) => {
    const at = writer.reserve((value.length + 1) / 3);
    for (let byte = 0, char = 0; char < value.length; byte++, char += 3) {
      writer.bytes[at + byte] =
        (hexDigit(value.charCodeAt(char)) << 4) | hexDigit(value.charCodeAt(char + 1));
    }
  },
  read: (from, start, end) => {
    if (end === start) return undefined;
    let result = hexByte[from.bytes[start] ?? 0] ?? "";
    for (let at = start + 1; at < end; at++) result += `:${hexByte[from.bytes[at] ?? 0]}`;
    return result;
  },
};

/** An address as 4 or 16 bytes in network order; the length tells the family. */
export const address: Codec<IpAddress> = {
  write: (writer, value) => {
    if (value.family === 4) {
      const at = writer.reserve(4);
      writer.view.setUint32(at, Number(value.value), false);
      return;
    }
    const at = writer.reserve(16);
    writer.view.setBigUint64(at, value.value >> 64n, false);
    writer.view.setBigUint64(at + 8, value.value & 0xffff_ffff_ffff_ffffn, false);
  },
  read: (from, start, end) => {
    if (end - start === 4) {
      return { family: 4, value: BigInt(from.view.getUint32(start, false)) };
    }
    if (end - start !== 16) return undefined;
    const high = from.view.getBigUint64(start, false);
    return { family: 6, value: (high << 64n) | from.view.getBigUint64(start + 8, false) };
  },
};

export function unspecified(family: Family): IpAddress {
  return { family, value: 0n };
}

/** struct rtvia: a gateway of another family than the route's. */
export const via: Codec<IpAddress> = {
  write: (writer, value) => {
    writer.u16(value.family === 4 ? 2 : 10);
    address.write(writer, value);
  },
  read: (from, start, end) => (end - start < 2 ? undefined : address.read(from, start + 2, end)),
};

/** A link's index; written from a name, it is filled in where the batch's namespace is known. */
export const link: Codec<number | string> = {
  write: (writer, value) => {
    const at = writer.reserve(4);
    if (typeof value === "number") writer.view.setUint32(at, value, true);
    else writer.references.push({ kind: "link", offset: at, name: value });
  },
  read: (from, start, end) => (end - start === 4 ? from.view.getUint32(start, true) : undefined),
};

/** IFLA_NET_NS_FD: a path whose descriptor is filled in by the worker that opens it. */
export const netnsDescriptor: Codec<number | string> = {
  write: (writer, value) => {
    const at = writer.reserve(4);
    if (typeof value === "number") writer.view.setUint32(at, value, true);
    else writer.references.push({ kind: "netns", offset: at, name: value });
  },
  read: (from, start, end) => (end - start === 4 ? from.view.getUint32(start, true) : undefined),
};

/** Attributes inside an attribute. The table comes by function: some hold themselves. */
export function nested<Values extends WithUnknown>(
  table: () => AttributeTable<Values>,
): Codec<Values> {
  return {
    isNested: true,
    write: (writer, value) => writeAttributes(writer, table(), value),
    read: (from, start, end) => readAttributes(from, { start, end }, table()),
  };
}

/** A list inside an attribute: one attribute of the same number for each. */
export function repeated<Value>(number: number, codec: Codec<Value>): Codec<readonly Value[]> {
  return {
    isNested: true,
    write: (writer, values) => {
      for (const value of values) writeAttribute(writer, number, codec, value);
    },
    read: (from, start, end) => {
      const values: Value[] = [];
      for (let at = start; at + 4 <= end; ) {
        const length = from.view.getUint16(at, true);
        const isOwn = (from.view.getUint16(at + 2, true) & NLA_TYPE_MASK) === number;
        if (length < 4 || at + length > end || !isOwn) return undefined;
        const value = codec.read(from, at + 4, at + length);
        if (value === undefined) return undefined;
        values.push(value);
        at += (length + 3) & ~3;
      }
      return values;
    },
  };
}

/** A fixed header and attributes inside an attribute: VETH_INFO_PEER. */
export function nestedMessage<Header, Values extends WithUnknown>(
  layout: () => MessageLayout<Header, Values>,
): Codec<{ header: Partial<Record<keyof Header, number | string>>; attributes: Values }> {
  // Without NLA_F_NESTED: the kernel's policy for VETH_INFO_PEER is a plain length.
  return {
    write: (writer, value) => {
      writeStruct(writer, layout().header, value.header);
      writeAttributes(writer, layout().attributes, value.attributes);
    },
    read: (from, start, end) =>
      end - start < layout().header.bytes ? undefined : readMessage(from, { start, end }, layout()),
  };
}

function writeAscii(writer: MessageWriter, value: string): boolean {
  for (let index = 0; index < value.length; index++) {
    if (value.charCodeAt(index) > 0x7f) return false;
  }
  const at = writer.reserve(value.length);
  for (let index = 0; index < value.length; index++) {
    writer.bytes[at + index] = value.charCodeAt(index);
  }
  return true;
}

const hexByte: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, "0"),
);

/** Callers have checked the form; case does not matter. */
function hexDigit(charCode: number): number {
  return charCode <= 0x39 ? charCode - 0x30 : (charCode | 0x20) - 0x57;
}
