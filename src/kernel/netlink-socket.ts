import { errno } from "./errno.ts";
import { bind, close, getsockname, lastErrno, recv, send, setsockopt, socket } from "./libc.ts";
import { MESSAGE_HEADER_BYTES } from "./netlink-message.ts";
import {
  AF_NETLINK,
  MSG_DONTWAIT,
  MSG_TRUNC,
  NETLINK_CAP_ACK,
  NETLINK_EXT_ACK,
  NETLINK_GET_STRICT_CHK,
  NETLINK_ROUTE,
  NLA_TYPE_MASK,
  NLM_F_ACK_TLVS,
  NLM_F_CAPPED,
  NLMSGERR_ATTR_MSG,
  NLMSGERR_ATTR_OFFS,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_SNDBUFFORCE,
  SOCK_CLOEXEC,
  SOCK_RAW,
  SOL_NETLINK,
  SOL_SOCKET,
} from "./rtnetlink-constants.ts";
import { WorkerFault } from "./worker-fault.ts";

const LARGEST_BUFFER_BYTES = 1 << 20;

/** Bytes of the last receive on this thread, shared by all sockets: each is read out before the next. */
export const received: { bytes: Uint8Array; view: DataView; length: number } = {
  bytes: new Uint8Array(32_768),
  view: new DataView(new ArrayBuffer(0)),
  length: 0,
};
received.view = new DataView(received.bytes.buffer);

/** A netlink socket, of rtnetlink unless said otherwise; stays bound to the namespace that it was made in. */
export function openNetlinkSocket(groups = 0, protocol = NETLINK_ROUTE): number {
  const fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
  if (fd < 0) throw new WorkerFault(lastErrno(), "socket");
  setFlag(fd, NETLINK_EXT_ACK);
  setFlag(fd, NETLINK_CAP_ACK);
  setFlag(fd, NETLINK_GET_STRICT_CHK);
  if (groups !== 0) {
    // struct sockaddr_nl: family, pad, port id (0: the kernel picks), groups.
    const address = new Uint8Array(12);
    const view = new DataView(address.buffer);
    view.setUint16(0, AF_NETLINK, true);
    view.setUint32(8, groups, true);
    if (bind(fd, address, 12) !== 0) {
      const fault = new WorkerFault(lastErrno(), "bind");
      close(fd);
      throw fault;
    }
  }
  return fd;
}

export function setReceiveBuffer(fd: number, bytes: number): void {
  const value = new Uint8Array(4);
  new DataView(value.buffer).setInt32(0, bytes, true);
  // Above net.core.rmem_max for those who may; the rest get the limit.
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, value, 4) === 0) return;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, value, 4);
}

/** Room for a send of so many bytes; a batch of many elements is one send. */
export function ensureSendBuffer(fd: number, bytes: number): void {
  const value = new Uint8Array(4);
  // The kernel doubles it; part of each skb is its own.
  new DataView(value.buffer).setInt32(0, bytes, true);
  if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, value, 4) !== 0) {
    throw new WorkerFault(lastErrno(), "setsockopt SO_SNDBUFFORCE");
  }
}

/** The kernel's name for this socket: nlmsg_pid of what it sends. Binds it. */
export function bindPortId(fd: number): number {
  const address = new Uint8Array(12);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_NETLINK, true);
  if (bind(fd, address, 12) !== 0) throw new WorkerFault(lastErrno(), "bind");
  const length = new Uint8Array([12, 0, 0, 0]);
  if (getsockname(fd, address, length) !== 0) throw new WorkerFault(lastErrno(), "getsockname");
  return view.getUint32(4, true);
}

export function sendAll(fd: number, bytes: Uint8Array): void {
  if (send(fd, bytes, bytes.length, 0) < 0) throw new WorkerFault(lastErrno(), "send");
}

/**
 * Fills `received`. rtnetlink does its work inside send(), so answers are there when it returns:
 * nothing to read means that they were dropped. Returns the errno, 0 for success; EMSGSIZE when the
 * datagram was longer than the buffer, which is larger then for the next try.
 */
export function receive(fd: number): number {
  const length = recv(fd, received.bytes, received.bytes.length, MSG_DONTWAIT | MSG_TRUNC);
  if (length < 0) {
    received.length = 0;
    return lastErrno();
  }
  if (length > received.bytes.length) {
    received.length = 0;
    const size = Math.min(LARGEST_BUFFER_BYTES, 2 ** Math.ceil(Math.log2(length)));
    received.bytes = new Uint8Array(Math.max(size, received.bytes.length));
    received.view = new DataView(received.bytes.buffer);
    return errno.EMSGSIZE;
  }
  received.length = length;
  return 0;
}

/** The kernel's words in an NLMSG_ERROR at this offset of `received`. */
export function extendedAck(at: number): string {
  const found = ackAttribute(at, NLMSGERR_ATTR_MSG);
  return found ? new TextDecoder().decode(received.bytes.subarray(found.start, found.end - 1)) : "";
}

/** Which byte of the request the kernel did not like, where it says so. */
export function offsetInRequest(at: number): number | undefined {
  const found = ackAttribute(at, NLMSGERR_ATTR_OFFS);
  return found ? received.view.getUint32(found.start, true) : undefined;
}

function ackAttribute(at: number, number: number): { start: number; end: number } | undefined {
  const { view } = received;
  const flags = view.getUint16(at + 6, true);
  if ((flags & NLM_F_ACK_TLVS) === 0) return undefined;
  const end = at + view.getUint32(at, true);
  // After errno comes the request's header and, unless capped, its payload.
  const requestAt = at + MESSAGE_HEADER_BYTES + 4;
  const requestBytes =
    (flags & NLM_F_CAPPED) === 0 ? view.getUint32(requestAt, true) : MESSAGE_HEADER_BYTES;
  let attribute = requestAt + ((requestBytes + 3) & ~3);
  while (attribute + 4 <= end) {
    const length = view.getUint16(attribute, true);
    if (length < 4) break;
    if ((view.getUint16(attribute + 2, true) & NLA_TYPE_MASK) === number) {
      return { start: attribute + 4, end: attribute + length };
    }
    attribute += (length + 3) & ~3;
  }
  return undefined;
}

function setFlag(fd: number, option: number): void {
  // Each came with a kernel of its own (4.3, 4.12, 4.20); without them answers only say less.
  setsockopt(fd, SOL_NETLINK, option, one, 4);
}

const one = new Uint8Array([1, 0, 0, 0]);
