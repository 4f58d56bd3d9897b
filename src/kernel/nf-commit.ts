import { errno } from "./errno.ts";
import { type BatchMessage, batchBytes, writeBatch } from "./nf-batch.ts";
import { NfFault } from "./nf-fault.ts";
import { MESSAGE_HEADER_BYTES, MessageWriter } from "./netlink-message.ts";
import {
  ensureSendBuffer,
  extendedAck,
  offsetInRequest,
  receive,
  received,
  sendAll,
} from "./netlink-socket.ts";
import type { ElementRun } from "./nfnetlink.ts";
import { NLMSG_ERROR } from "./rtnetlink-constants.ts";

/** Small commits share one buffer; memory of a cold start's goes back. */
const KEPT_BYTES = 128 << 10;
/** Errors come one for each message, 400 elements or more apart. More than these are not looked at. */
const MOST_ANSWERS = 4096;

const keptWriter = new MessageWriter(KEPT_BYTES);
/** Of a new socket: no less than net.core.wmem_default on any kernel. */
let sendBufferBytes = 128 << 10;

/** Sends runs as one transaction. Throws NfFault with the first error's place. */
export function commitRuns(socket: number, runs: readonly ElementRun[]): void {
  const needed = batchBytes(runs);
  const isSmall = needed <= KEPT_BYTES;
  const writer = isSmall ? keptWriter : new MessageWriter(needed);
  writer.reset();
  const messages = writeBatch(writer, runs);
  if (writer.length * 2 > sendBufferBytes) {
    sendBufferBytes = writer.length * 2;
    ensureSendBuffer(socket, sendBufferBytes);
  }
  sendAll(socket, writer.bytes.subarray(0, writer.length));
  const fault = readVerdict(socket, writer, messages);
  if (fault) throw fault;
}

/**
 * The kernel works inside send(): all answers wait already. Errors of messages come in their order,
 * then the acknowledgement of the last; an error of the commit itself names the batch's begin.
 */
function readVerdict(
  socket: number,
  writer: MessageWriter,
  messages: readonly BatchMessage[],
): NfFault | undefined {
  const last = messages.at(-1)?.sequence;
  let fault: NfFault | undefined;
  let isAcknowledged = false;
  for (let count = 0; ; count++) {
    const failed = receive(socket);
    if (failed === errno.EAGAIN || (failed !== 0 && count > MOST_ANSWERS)) break;
    // EMSGSIZE, ENOBUFS: something is missing. What else comes tells whether that matters.
    if (failed !== 0 || count > MOST_ANSWERS) continue;
    const { view, length } = received;
    for (let at = 0; at + MESSAGE_HEADER_BYTES + 4 <= length; ) {
      const messageLength = view.getUint32(at, true);
      if (messageLength < MESSAGE_HEADER_BYTES) break;
      if (view.getUint16(at + 4, true) === NLMSG_ERROR) {
        const value = -view.getInt32(at + MESSAGE_HEADER_BYTES, true);
        const sequence = view.getUint32(at + 8, true);
        if (value !== 0) fault ??= faultOf(at, value, writer, messages);
        else if (sequence === last) isAcknowledged = true;
      }
      at += (messageLength + 3) & ~3;
    }
  }
  if (fault === undefined && !isAcknowledged) {
    return new NfFault(errno.ENOBUFS, "The answer was lost");
  }
  return fault;
}

function faultOf(
  at: number,
  value: number,
  writer: MessageWriter,
  messages: readonly BatchMessage[],
): NfFault {
  const sequence = received.view.getUint32(at + 8, true);
  const fault = new NfFault(value, extendedAck(at));
  const message = messages.find((candidate) => candidate.sequence === sequence);
  if (message === undefined) return fault;
  fault.run = message.run;
  const offset = offsetInRequest(at);
  if (offset === undefined || message.firstElement === 0) return fault;
  const bad = message.start + offset;
  let attributes = 0;
  for (let element = message.firstElement; element <= bad && element < writer.length; ) {
    if (element === bad) {
      fault.element = message.firstRecord + Math.floor(attributes / message.recordAttributes);
    }
    attributes++;
    element += (writer.view.getUint16(element, true) + 3) & ~3;
  }
  return fault;
}
