/**
 * SCTP INIT chunks (RFC 9260) by raw sockets: kernels without SCTP sockets still track and
 * translate the protocol. And the socket options that Node has no words for.
 */
import koffi from "koffi";
import type { DialResult, InitChunk, SeenInit } from "./protocol.ts";

const library = koffi.load(null);
type Bytes = Uint8Array;
const socket = library.func("int socket(int domain, int type, int protocol)");
const close = library.func("int close(int fd)");
const connect = library.func("int connect(int fd, const void *address, unsigned int length)");
const setsockopt = library.func(
  "int setsockopt(int fd, int level, int option, const void *value, unsigned int length)",
);
const send = library.func("long send(int fd, const void *bytes, unsigned long length, int flags)");
const recvfrom = library.func(
  "long recvfrom(int fd, void *bytes, unsigned long length, int flags, void *from, void *fromLength)",
);

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM_NONBLOCK = 1 | 0o4000;
const SOCK_RAW_NONBLOCK = 3 | 0o4000;
const IPPROTO_SCTP = 132;
const SOL_SOCKET = 1;
const SO_MARK = 36;
const ECONNREFUSED = 111;
const EPERM = 1;
const EPROTO = 71;
const EACCES = 13;
const INIT = 1;

const seen: SeenInit[] = [];
/** Held, because a watch that is garbage watches no more. */
const watches: unknown[] = [];

/** Notes every INIT chunk that reaches this namespace. */
export function watchInits(family: 4 | 6): void {
  const fd = openRaw(family);
  const watch = koffi.node.poll(fd, { readable: true }, () => {
    for (let packet = receive(fd); packet; packet = receive(fd)) note(packet, family);
  });
  watches.push(watch);
}

export function takeInits(): SeenInit[] {
  return seen.splice(0);
}

/** Sends an INIT chunk and waits for the kernel to report that the port is unreachable. */
export async function sendInit({
  address,
  port,
  sourcePort,
  waitMs,
}: InitChunk): Promise<DialResult> {
  const startedMs = performance.now();
  const fd = openRaw(address.includes(":") ? 6 : 4);
  const ms = () => performance.now() - startedMs;
  try {
    const to = socketAddress(address);
    check(connect(fd, to, to.length), `connect to ${address}`);
    const packet = initPacket(sourcePort, port);
    const sent = Number(send(fd, packet, packet.length, 0));
    // What this node's own rules drop or reject, the sender hears of as EPERM. A rejection says more soon.
    if (sent < 0 && koffi.errno() !== EPERM) check(sent, "send");
    while (ms() < waitMs) {
      const failed = receive(fd) === undefined ? koffi.errno() : 0;
      // An ICMPv6 port unreachable is ECONNREFUSED; on raw IPv6 sockets it may read EPROTO.
      if (failed === ECONNREFUSED || failed === EPROTO || failed === EACCES) {
        return { kind: "refused", ms: ms() };
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return { kind: "timeout", ms: ms() };
  } finally {
    close(fd);
  }
}

/** SO_MARK of any socket. */
export function setMark(fd: number, mark: number): void {
  check(
    setsockopt(fd, SOL_SOCKET, SO_MARK, new Uint8Array(Uint32Array.of(mark).buffer), 4),
    "mark",
  );
}

/** A TCP socket with a mark, not connected. */
export function openMarkedTcp(family: 4 | 6, mark: number): number {
  const fd = socket(family === 4 ? AF_INET : AF_INET6, SOCK_STREAM_NONBLOCK, 0) as number;
  check(fd, "socket");
  setMark(fd, mark);
  return fd;
}

function openRaw(family: 4 | 6): number {
  const fd = socket(family === 4 ? AF_INET : AF_INET6, SOCK_RAW_NONBLOCK, IPPROTO_SCTP) as number;
  check(fd, "socket");
  return fd;
}

interface Packet {
  readonly bytes: Bytes;
  /** struct sockaddr */
  readonly from: Bytes;
}

function receive(fd: number): Packet | undefined {
  const bytes = new Uint8Array(2048);
  const from = new Uint8Array(28);
  const fromLength = new Uint8Array(Uint32Array.of(from.length).buffer);
  const length = Number(recvfrom(fd, bytes, bytes.length, 0, from, fromLength));
  return length < 0 ? undefined : { bytes: bytes.subarray(0, length), from };
}

function note({ bytes, from }: Packet, family: 4 | 6): void {
  // Raw IPv4 sockets see the IP header, raw IPv6 sockets do not.
  const sctp = family === 4 ? bytes.subarray(((bytes[0] ?? 0) & 15) * 4) : bytes;
  if (sctp[12] !== INIT) return;
  const view = new DataView(sctp.buffer, sctp.byteOffset, sctp.length);
  const source = family === 4 ? from.subarray(4, 8).join(".") : formatV6(from.subarray(8, 24));
  seen.push({ source, sourcePort: view.getUint16(0), port: view.getUint16(2) });
}

/** Common header and one INIT chunk of 20 bytes. */
function initPacket(sourcePort: number, port: number): Bytes {
  const bytes = new Uint8Array(32);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, sourcePort);
  view.setUint16(2, port);
  view.setUint8(12, INIT);
  view.setUint16(14, 20);
  view.setUint32(16, 0x70617463); // initiate tag
  view.setUint32(20, 65_536); // receiver window
  view.setUint16(24, 1); // outbound streams
  view.setUint16(26, 1); // inbound streams
  view.setUint32(28, 1); // initial TSN
  view.setUint32(8, crc32c(bytes), true);
  return bytes;
}

/** RFC 9260, appendix A. */
function crc32c(bytes: Bytes): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}

/** struct sockaddr_in or sockaddr_in6, port 0: raw sockets have none. */
function socketAddress(address: string): Bytes {
  if (!address.includes(":")) {
    const bytes = new Uint8Array(16);
    bytes.set([AF_INET, 0], 0);
    bytes.set(address.split(".").map(Number), 4);
    return bytes;
  }
  const bytes = new Uint8Array(28);
  bytes.set([AF_INET6, 0], 0);
  const [head = "", tail] = address.split("::");
  const before = head.split(":").filter(Boolean);
  const after = tail?.split(":").filter(Boolean) ?? [];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  const view = new DataView(bytes.buffer);
  [...before, ...zeros, ...after].forEach((word, index) => {
    view.setUint16(8 + index * 2, Number.parseInt(word, 16));
  });
  return bytes;
}

/** RFC 5952. */
function formatV6(bytes: Bytes): string {
  const words = Array.from({ length: 8 }, (_, index) =>
    (((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0)).toString(16),
  );
  return new URL(`http://[${words.join(":")}]`).hostname.slice(1, -1);
}

function check(result: number, what: string): void {
  if (result < 0) throw new Error(`${what}: errno ${koffi.errno()}`);
}
