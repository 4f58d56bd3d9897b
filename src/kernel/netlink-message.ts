import { NLA_F_NESTED, NLA_TYPE_MASK } from "./rtnetlink-constants.ts";

/**
 * Netlink messages by layout. A layout is data: the fields of the fixed header and a table of
 * attributes, name -> [number, codec]. One function writes any layout, one reads it. Attributes
 * without an entry come back in `unknown`, and are written again from there.
 *
 * Wire format: linux/netlink.h. Integers are in host order (little-endian on every machine that
 * Node 26 and koffi run on), attributes and messages are padded to 4 bytes.
 */
export interface MessageLayout<Header, Attributes> {
  readonly header: StructLayout<Header>;
  readonly attributes: AttributeTable<Attributes>;
}

/** Fields of a C struct with natural alignment, in order; their sizes are 1, 2 or 4. */
export interface StructLayout<Header> {
  readonly bytes: number;
  readonly fields: readonly (readonly [keyof Header & string, offset: number, FieldType])[];
}
export type FieldType = "u8" | "u16" | "u32" | "i32";

export type AttributeTable<Values> = {
  readonly [Name in Exclude<keyof Values, "unknown"> & string]-?: readonly [
    number: number,
    codec: Codec<NonNullable<Values[Name]>>,
  ];
};

/** How one attribute's payload is written and read. */
export interface Codec<Value> {
  write(writer: MessageWriter, value: Value): void;
  /** undefined: the payload does not have this form; the attribute then stays in `unknown`. */
  read(bytes: MessageBytes, start: number, end: number): Value | undefined;
  /** Sets NLA_F_NESTED, which strict parsing in the kernel asks for. */
  readonly isNested?: boolean;
}

/** Attributes that a table does not name, by number. Base of every attribute interface. */
export interface WithUnknown {
  unknown?: ReadonlyMap<number, Uint8Array>;
}

/** Received bytes with their DataView. */
export interface MessageBytes {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** True: attributes that a table does not name are passed over, and `unknown` stays absent. */
  readonly skipsUnknown?: boolean;
}

export interface ReceivedMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** Of the payload, after the 16 bytes of `struct nlmsghdr`. */
  readonly start: number;
  readonly end: number;
}

export const MESSAGE_HEADER_BYTES = 16;

/**
 * A growing buffer of messages. A name that only the receiver's side can turn into a number (a
 * link, a namespace) is written as 0 and kept in `references`.
 */
export class MessageWriter {
  bytes: Uint8Array;
  view: DataView;
  length = 0;
  references: Reference[] = [];

  constructor(capacityBytes = 8192) {
    this.bytes = new Uint8Array(capacityBytes);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Empties the writer, keeping its memory. */
  reset(): void {
    // Once for all, so that reserve() need not: what lies behind `length` is always zero.
    this.bytes.fill(0, 0, this.length);
    this.length = 0;
    this.references = [];
  }

  /** Makes room for so many bytes, zeroed, and returns where they start. */
  reserve(byteCount: number): number {
    const start = this.length;
    const end = start + byteCount;
    if (end > this.bytes.length) this.#grow(end);
    this.length = end;
    return start;
  }

  u8(value: number): void {
    const at = this.reserve(1);
    this.bytes[at] = value;
  }

  u16(value: number): void {
    const at = this.reserve(2);
    this.view.setUint16(at, value, true);
  }

  u16be(value: number): void {
    const at = this.reserve(2);
    this.view.setUint16(at, value, false);
  }

  u32(value: number): void {
    const at = this.reserve(4);
    this.view.setUint32(at, value, true);
  }

  raw(value: Uint8Array): void {
    const at = this.reserve(value.length);
    this.bytes.set(value, at);
  }

  pad(): void {
    const rest = this.length & 3;
    if (rest !== 0) this.reserve(4 - rest);
  }

  #grow(needed: number): void {
    const bytes = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    bytes.set(this.bytes.subarray(0, this.length));
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }
}

export interface Reference {
  readonly kind: "link" | "netns";
  /** Of the 4 bytes to fill in. */
  readonly offset: number;
  readonly name: string;
}

/** Writes a message and returns its offset. Its sequence number is the sender's to fill in. */
export function writeMessage<Header, Attributes>(
  writer: MessageWriter,
  layout: MessageLayout<Header, Attributes>,
  message: {
    readonly type: number;
    readonly flags: number;
    readonly header: Partial<Record<keyof Header, number | string>>;
    readonly attributes?: Attributes;
  },
): number {
  const start = writer.reserve(MESSAGE_HEADER_BYTES);
  writer.view.setUint16(start + 4, message.type, true);
  writer.view.setUint16(start + 6, message.flags, true);
  writeStruct(writer, layout.header, message.header);
  if (message.attributes) writeAttributes(writer, layout.attributes, message.attributes);
  writer.view.setUint32(start, writer.length - start, true);
  return start;
}

/** Writes a fixed header. A string stands for the index of a link of that name. */
export function writeStruct<Header>(
  writer: MessageWriter,
  layout: StructLayout<Header>,
  values: Partial<Record<keyof Header, number | string>>,
): void {
  const start = writer.reserve(layout.bytes);
  for (const [name, offset, type] of layout.fields) {
    const value = values[name];
    if (value === undefined || value === 0) continue;
    const at = start + offset;
    if (typeof value === "string") {
      writer.references.push({ kind: "link", offset: at, name: value });
    } else if (type === "u8") writer.bytes[at] = value;
    else if (type === "u16") writer.view.setUint16(at, value, true);
    else writer.view.setUint32(at, value, true);
  }
}

export function readStruct<Header>(
  from: MessageBytes,
  start: number,
  layout: StructLayout<Header>,
): Record<keyof Header, number> {
  const values = {} as Record<keyof Header, number>;
  for (const [name, offset, type] of layout.fields) {
    const at = start + offset;
    if (type === "u8") values[name] = from.bytes[at] ?? 0;
    else if (type === "u16") values[name] = from.view.getUint16(at, true);
    else if (type === "u32") values[name] = from.view.getUint32(at, true);
    else values[name] = from.view.getInt32(at, true);
  }
  return values;
}

/** Writes the attributes in the order of the object's keys, then the unknown ones. */
export function writeAttributes<Attributes>(
  writer: MessageWriter,
  table: AttributeTable<Attributes>,
  values: Attributes,
): void {
  const entries = table as Record<string, readonly [number, Codec<unknown>]>;
  for (const name in values) {
    const value = values[name] as unknown;
    if (value === undefined) continue;
    if (name === "unknown") {
      for (const [number, payload] of value as ReadonlyMap<number, Uint8Array>) {
        writeAttribute(writer, number, rawBytes, payload);
      }
      continue;
    }
    const entry = entries[name];
    if (entry === undefined) throw new TypeError(`No attribute is named ${name}`);
    writeAttribute(writer, entry[0], entry[1], value);
  }
}

export function writeAttribute<Value>(
  writer: MessageWriter,
  number: number,
  codec: Codec<Value>,
  value: Value,
): void {
  const start = writer.reserve(4);
  codec.write(writer, value);
  const length = writer.length - start;
  // struct nlattr counts in 16 bits.
  if (length > 0xffff) throw new RangeError(`Attribute ${number} has ${length} bytes`);
  writer.view.setUint16(start, length, true);
  writer.view.setUint16(start + 2, codec.isNested ? number | NLA_F_NESTED : number, true);
  writer.pad();
}

/** Reads the attributes between two offsets. A cut or malformed tail ends the reading. */
export function readAttributes<Attributes extends WithUnknown>(
  from: MessageBytes,
  range: { readonly start: number; readonly end: number },
  table: AttributeTable<Attributes>,
): Attributes {
  const names = namesByNumber(table);
  const values: Record<string, unknown> = {};
  let unknown: Map<number, Uint8Array> | undefined;
  let at = range.start;
  while (at + 4 <= range.end) {
    const length = from.view.getUint16(at, true);
    if (length < 4 || at + length > range.end) break;
    const number = from.view.getUint16(at + 2, true) & NLA_TYPE_MASK;
    const entry = names[number];
    const value = entry?.codec.read(from, at + 4, at + length);
    if (entry !== undefined && value !== undefined) values[entry.name] = value;
    else if (!from.skipsUnknown) {
      unknown ??= new Map();
      unknown.set(number, from.bytes.slice(at + 4, at + length));
    }
    at += (length + 3) & ~3;
  }
  if (unknown) values["unknown"] = unknown;
  return values as Attributes;
}

/** Reads a message's fixed header and attributes. */
export function readMessage<Header, Attributes extends WithUnknown>(
  from: MessageBytes,
  message: { readonly start: number; readonly end: number },
  layout: MessageLayout<Header, Attributes>,
): { header: Record<keyof Header, number>; attributes: Attributes } {
  if (message.end - message.start < layout.header.bytes) {
    throw new RangeError(`A netlink message of ${message.end - message.start} bytes is too short`);
  }
  return {
    header: readStruct(from, message.start, layout.header),
    attributes: readAttributes(
      from,
      { start: message.start + ((layout.header.bytes + 3) & ~3), end: message.end },
      layout.attributes,
    ),
  };
}

/** The messages of one received datagram. A cut tail ends the list. */
export function* messagesIn(from: MessageBytes): Generator<ReceivedMessage> {
  let at = 0;
  const end = from.bytes.length;
  while (at + MESSAGE_HEADER_BYTES <= end) {
    const length = from.view.getUint32(at, true);
    if (length < MESSAGE_HEADER_BYTES || at + length > end) return;
    yield {
      type: from.view.getUint16(at + 4, true),
      flags: from.view.getUint16(at + 6, true),
      sequence: from.view.getUint32(at + 8, true),
      start: at + MESSAGE_HEADER_BYTES,
      end: at + length,
    };
    at += (length + 3) & ~3;
  }
}

export function messageBytes(bytes: Uint8Array): MessageBytes {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}

const rawBytes: Codec<Uint8Array> = {
  write: (writer, value) => writer.raw(value),
  read: (from, start, end) => from.bytes.slice(start, end),
};

type NamesByNumber = readonly ({ name: string; codec: Codec<unknown> } | undefined)[];
const namesCache = new WeakMap<object, NamesByNumber>();

function namesByNumber(table: object): NamesByNumber {
  let names = namesCache.get(table);
  if (names === undefined) {
    const made: ({ name: string; codec: Codec<unknown> } | undefined)[] = [];
    for (const [name, [number, codec]] of Object.entries(
      table as Record<string, readonly [number, Codec<unknown>]>,
    )) {
      made[number] = { name, codec };
    }
    names = made;
    namesCache.set(table, names);
  }
  return names;
}
