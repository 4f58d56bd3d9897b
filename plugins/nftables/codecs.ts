import { endianness } from "node:os";
import {
  addressBytes,
  addressFromBytes,
  type Family,
  formatAddress,
  parseAddress,
} from "../../src/ip/address.ts";
import {
  type AddressText,
  type FrontendKey,
  frontendKey,
  type Protocol,
} from "../../src/services/model.ts";

/** How one field, or a concatenation of fields, lies in the kernel's registers: each padded to 4 bytes. */
export interface Codec<T> {
  readonly bytes: number;
  write(view: DataView, at: number, value: T): void;
  read(view: DataView, at: number): T;
}

/** meta priority, numgen and jhash are numbers in host order. */
const isLittle = endianness() === "LE";

export const number32: Codec<number> = {
  bytes: 4,
  write: (view, at, value) => view.setUint32(at, value, isLittle),
  read: (view, at) => view.getUint32(at, isLittle),
};

/** A slot of a list, as one number: list * SLOT_SPAN + slot. */
export const slotCodec: Codec<number> = {
  bytes: 8,
  write: (view, at, value) => {
    view.setUint32(at, Math.floor(value / SLOT_SPAN), isLittle);
    view.setUint32(at + 4, value % SLOT_SPAN, isLittle);
  },
  read: (view, at) => slotKey(view.getUint32(at, isLittle), view.getUint32(at + 4, isLittle)),
};

const SLOT_SPAN = 0x2_0000;

export function slotKey(list: number, slot: number): number {
  return list * SLOT_SPAN + slot;
}

export function listOfSlot(key: number): number {
  return Math.floor(key / SLOT_SPAN);
}

export function slotOf(key: number): number {
  return key % SLOT_SPAN;
}

export function addressCodec(family: Family): Codec<AddressText> {
  return family === 4 ? ipv4 : ipv6;
}

const ipv4: Codec<AddressText> = {
  bytes: 4,
  write: (view, at, text) => view.setUint32(at, readDotted(text)),
  read: (view, at) => {
    const byte = (index: number) => view.getUint8(at + index);
    return `${byte(0)}.${byte(1)}.${byte(2)}.${byte(3)}` as AddressText;
  },
};

const ipv6: Codec<AddressText> = {
  bytes: 16,
  write: (view, at, text) =>
    bytesOf(view, { at, length: 16 }).set(addressBytes(parseAddress(text))),
  read: (view, at) =>
    formatAddress(addressFromBytes(bytesOf(view, { at, length: 16 }))) as AddressText,
};

/** The same address twice: source and destination of a connection to oneself. */
export function hairpinCodec(family: Family): Codec<AddressText> {
  const address = addressCodec(family);
  return {
    bytes: address.bytes * 2,
    write: (view, at, text) => {
      address.write(view, at, text);
      address.write(view, at + address.bytes, text);
    },
    read: (view, at) => address.read(view, at),
  };
}

/** "10.1.0.5|8080" as address and port. */
export function endpointCodec(family: Family): Codec<string> {
  const address = addressCodec(family);
  return {
    bytes: address.bytes + 4,
    write: (view, at, text) => {
      const bar = text.lastIndexOf("|");
      address.write(view, at, text.slice(0, bar) as AddressText);
      view.setUint16(at + address.bytes, Number(text.slice(bar + 1)));
      view.setUint16(at + address.bytes + 2, 0);
    },
    read: (view, at) => endpointText(address.read(view, at), view.getUint16(at + address.bytes)),
  };
}

export function endpointText(address: AddressText, port: number): string {
  return `${address}|${port}`;
}

export function parseEndpointText(text: string): { address: AddressText; port: number } {
  const bar = text.lastIndexOf("|");
  return { address: text.slice(0, bar) as AddressText, port: Number(text.slice(bar + 1)) };
}

/** "10.96.0.10|TCP|80" as address, protocol and port. */
export function frontendCodec(family: Family): Codec<FrontendKey> {
  const address = addressCodec(family);
  return {
    bytes: address.bytes + 8,
    write: (view, at, key) => {
      const [text = "", protocol = "", port = ""] = key.split("|");
      address.write(view, at, text as AddressText);
      view.setUint32(at + address.bytes, 0);
      view.setUint8(at + address.bytes, protocolNumbers[protocol as Protocol]);
      view.setUint32(at + address.bytes + 4, 0);
      view.setUint16(at + address.bytes + 4, Number(port));
    },
    read: (view, at) => {
      const number = view.getUint8(at + address.bytes);
      const protocol = protocolNames.get(number) ?? (`${number}` as Protocol);
      const port = view.getUint16(at + address.bytes + 4);
      return frontendKey(address.read(view, at), { protocol, port });
    },
  };
}

/** IPPROTO_* of linux/in.h. */
const protocolNumbers: Record<Protocol, number> = { TCP: 6, UDP: 17, SCTP: 132 };
const protocolNames = new Map<number, Protocol>([
  [6, "TCP"],
  [17, "UDP"],
  [132, "SCTP"],
]);

/** "10.0.0.0-10.0.0.255" as first and last key of an interval; with a frontend before it, "10.96.0.1|TCP|80|10.0.0.0-10.0.0.255". */
export function rangeCodec(family: Family): Codec<string> {
  const address = addressCodec(family);
  return {
    bytes: address.bytes * 2,
    write: (view, at, text) => {
      const [first = "", last = ""] = text.split("-");
      address.write(view, at, first as AddressText);
      address.write(view, at + address.bytes, last as AddressText);
    },
    read: (view, at) => `${address.read(view, at)}-${address.read(view, at + address.bytes)}`,
  };
}

export function frontendRangeCodec(family: Family): Codec<string> {
  const frontend = frontendCodec(family);
  const address = addressCodec(family);
  const side = frontend.bytes + address.bytes;
  return {
    bytes: side * 2,
    write: (view, at, text) => {
      const bar = text.lastIndexOf("|");
      const key = text.slice(0, bar) as FrontendKey;
      const [first = "", last = ""] = text.slice(bar + 1).split("-");
      for (const [start, edge] of [
        [at, first],
        [at + side, last],
      ] as const) {
        frontend.write(view, start, key);
        address.write(view, start + frontend.bytes, edge as AddressText);
      }
    },
    read: (view, at) => {
      const first = address.read(view, at + frontend.bytes);
      const last = address.read(view, at + side + frontend.bytes);
      return `${frontend.read(view, at)}|${first}-${last}`;
    },
  };
}

function bytesOf(view: DataView, { at, length }: { at: number; length: number }): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + at, length);
}

/** A canonical IPv4 address as a number: hundreds of thousands are written at a cold start. */
function readDotted(text: string): number {
  let value = 0;
  let part = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 46) {
      value = value * 256 + part;
      part = 0;
    } else part = part * 10 + (code - 48);
  }
  return value * 256 + part;
}
