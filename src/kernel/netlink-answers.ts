import { errno } from "./errno.ts";
import { MESSAGE_HEADER_BYTES } from "./netlink-message.ts";
import { receive, received } from "./netlink-socket.ts";
import { NLMSG_ERROR } from "./rtnetlink-constants.ts";
import { WorkerFault } from "./worker-fault.ts";

/** Calls back for each message up to the acknowledgement of the last request, errors included. */
export function readAnswers(
  socket: number,
  lastSequence: number,
  onMessage: (at: number, type: number, sequence: number) => void,
): void {
  for (;;) {
    const failed = receive(socket);
    // A cut echo is made good by a lookup; its acknowledgement is a datagram of its own.
    if (failed === errno.EMSGSIZE) continue;
    if (failed !== 0) {
      throw new WorkerFault(
        failed === errno.EAGAIN ? errno.ENOBUFS : failed,
        "The answer was lost",
      );
    }
    const { view, length } = received;
    for (let at = 0; at + MESSAGE_HEADER_BYTES <= length; ) {
      const messageLength = view.getUint32(at, true);
      if (messageLength < MESSAGE_HEADER_BYTES) break;
      const type = view.getUint16(at + 4, true);
      const sequence = view.getUint32(at + 8, true);
      onMessage(at, type, sequence);
      if (type === NLMSG_ERROR && sequence === lastSequence) return;
      at += (messageLength + 3) & ~3;
    }
  }
}

let sequence = 0;
/** Numbers every request of this thread: an answer to an earlier one is never taken for a later's. */
export function nextSequence(): number {
  // Well below 2^32: a wrap inside one send would break its arithmetic.
  sequence = sequence >= 0x7fff_0000 ? 1 : sequence + 1;
  return sequence;
}
