import { errno } from "./errno.ts";
import { close } from "./libc.ts";
import { NETLINK_NETFILTER } from "./rtnetlink-constants.ts";
import { nextSequence } from "./netlink-answers.ts";
import { MESSAGE_HEADER_BYTES, type MessageWriter } from "./netlink-message.ts";
import {
  ensureSendBuffer,
  extendedAck,
  openNetlinkSocket,
  receive,
  received,
  sendAll,
  setReceiveBuffer,
} from "./netlink-socket.ts";
import { NLM_F_DUMP_INTR, NLMSG_DONE, NLMSG_ERROR } from "./rtnetlink-constants.ts";
import { WorkerFault } from "./worker-fault.ts";

/** A dump that the kernel marks inconsistent (NLM_F_DUMP_INTR) is made again so often. */
const MOST_DUMP_TRIES = 16;
/** Room for the answers of one send. */
const RECEIVE_BUFFER_BYTES = 2 << 20;
/** Of a new socket: no less than net.core.wmem_default on any kernel. */
const LEAST_SEND_BUFFER_BYTES = 128 << 10;

/**
 * A socket for questions, opened when the first comes, and again after a failure: an abandoned dump
 * would leave it busy. Never one that deletes nf_tables objects: closing that waits for the kernel.
 */
export class NfSocket {
  #fd: number | undefined;

  close(): void {
    if (this.#fd !== undefined) close(this.#fd);
    this.#fd = undefined;
  }

  /** Sends what nothing is answered to. */
  send(writer: MessageWriter): void {
    this.#use((fd) => sendAll(fd, writer.bytes.subarray(0, writer.length)));
  }

  /**
   * Sends a batch in which the message of this sequence asks for an acknowledgement. The kernel works inside send(): all
   * answers wait already, errors first.
   */
  commit({ bytes, sequence }: { readonly bytes: Uint8Array; readonly sequence: number }): void {
    this.#use((fd) => {
      ensureSendBuffer(fd, Math.max(bytes.length * 2, LEAST_SEND_BUFFER_BYTES));
      sendAll(fd, bytes);
      for (let isDone = false; !isDone; ) {
        receiveOrThrow(fd);
        eachMessage((at, type) => {
          if (type !== NLMSG_ERROR || isDone) return;
          const value = verdict(at);
          if (value !== 0) throw new WorkerFault(value, extendedAck(at));
          isDone = received.view.getUint32(at + 8, true) === sequence;
        });
      }
    });
  }

  /**
   * Sends messages that each ask for an acknowledgement. Calls back with each answer: offset in
   * `received`, index of the message that it belongs to, and its errno, undefined for data.
   */
  ask(
    writer: MessageWriter,
    onAnswer: (at: number, index: number, value: number | undefined) => void,
  ): void {
    const sequences = numberMessages(writer);
    this.#use((fd) => {
      sendAll(fd, writer.bytes.subarray(0, writer.length));
      let left = sequences.size;
      while (left > 0) {
        receiveOrThrow(fd);
        eachMessage((at, type) => {
          const index = sequences.get(received.view.getUint32(at + 8, true));
          if (index === undefined) return;
          const isVerdict = type === NLMSG_ERROR;
          if (isVerdict) left--;
          onAnswer(at, index, isVerdict ? verdict(at) : undefined);
        });
      }
    });
  }

  /**
   * Runs a dump. `begin` forgets what an earlier, interrupted try brought; `onMessage` gets the
   * offset in `received` of each message; `isUsable` looks at the whole. False: ENOENT.
   */
  dump(
    writer: MessageWriter,
    reader: {
      begin(): void;
      onMessage(at: number): void;
      isUsable?(): boolean;
    },
  ): boolean {
    return this.#use((fd) => {
      for (let tries = 0; tries < MOST_DUMP_TRIES; tries++) {
        reader.begin();
        const outcome = dumpOnce(fd, writer, (at) => reader.onMessage(at));
        if (outcome === "absent") return false;
        if (outcome === "complete" && reader.isUsable?.() !== false) return true;
      }
      throw new WorkerFault(errno.EBUSY, `It changed during each of ${MOST_DUMP_TRIES} dumps`);
    });
  }

  #use<Result>(run: (fd: number) => Result): Result {
    if (this.#fd === undefined) {
      this.#fd = openNetlinkSocket(0, NETLINK_NETFILTER);
      setReceiveBuffer(this.#fd, RECEIVE_BUFFER_BYTES);
    }
    try {
      return run(this.#fd);
    } catch (error) {
      this.close();
      throw error;
    }
  }
}

function dumpOnce(
  fd: number,
  writer: MessageWriter,
  onMessage: (at: number) => void,
): "complete" | "absent" | "interrupted" {
  const sequence = nextSequence();
  writer.view.setUint32(8, sequence, true);
  sendAll(fd, writer.bytes.subarray(0, writer.length));
  let isUsable = true;
  for (;;) {
    const failed = receive(fd);
    if (failed === errno.EMSGSIZE) {
      isUsable = false;
      continue;
    }
    if (failed !== 0) throw lost(failed);
    let outcome: "complete" | "absent" | undefined;
    eachMessage((at, type) => {
      // An earlier try's leftovers are not this one's.
      if (received.view.getUint32(at + 8, true) !== sequence || outcome !== undefined) return;
      const { view } = received;
      if ((view.getUint16(at + 6, true) & NLM_F_DUMP_INTR) !== 0) isUsable = false;
      if (type !== NLMSG_ERROR && type !== NLMSG_DONE) {
        if (isUsable) onMessage(at);
        return;
      }
      const value = verdict(at);
      outcome = value === errno.ENOENT ? "absent" : "complete";
      if (value !== 0 && outcome === "complete") throw new WorkerFault(value, extendedAck(at));
    });
    if (outcome !== undefined) return isUsable ? outcome : "interrupted";
  }
}

function numberMessages(writer: MessageWriter): Map<number, number> {
  const sequences = new Map<number, number>();
  for (let at = 0; at < writer.length; at += writer.view.getUint32(at, true)) {
    sequences.set(writer.view.getUint32(at + 8, true), sequences.size);
  }
  return sequences;
}

function receiveOrThrow(fd: number): void {
  const failed = receive(fd);
  if (failed !== 0) throw lost(failed);
}

function eachMessage(onMessage: (at: number, type: number) => void): void {
  const { view, length } = received;
  for (let at = 0; at + MESSAGE_HEADER_BYTES <= length; ) {
    const messageLength = view.getUint32(at, true);
    if (messageLength < MESSAGE_HEADER_BYTES || at + messageLength > length) return;
    onMessage(at, view.getUint16(at + 4, true));
    at += (messageLength + 3) & ~3;
  }
}

/** errno of an NLMSG_ERROR or NLMSG_DONE; a DONE without one is success. */
function verdict(at: number): number {
  const { view } = received;
  if (view.getUint32(at, true) < MESSAGE_HEADER_BYTES + 4) return 0;
  return -view.getInt32(at + MESSAGE_HEADER_BYTES, true);
}

function lost(failed: number): WorkerFault {
  return new WorkerFault(failed === errno.EAGAIN ? errno.ENOBUFS : failed, "The answer was lost");
}
