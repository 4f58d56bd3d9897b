import { writeFileSync } from "node:fs";
import { type ApplyProgram, isTolerated, REFERENCE_LINK, STEP_SYSCTL } from "./program-format.ts";
import { close } from "./libc.ts";
import { MESSAGE_HEADER_BYTES } from "./netlink-message.ts";
import { nextSequence, readAnswers } from "./netlink-answers.ts";
import { extendedAck, openNetlinkSocket, received, sendAll } from "./netlink-socket.ts";
import {
  IFLA_IFNAME,
  IFLA_LINK,
  NLM_F_ACK,
  NLM_F_REQUEST,
  NLMSG_ERROR,
  RTEXT_FILTER_SKIP_STATS,
  RTM_GETLINK,
  RTM_NEWLINK,
} from "./rtnetlink-constants.ts";
import { WorkerFault } from "./worker-fault.ts";
import { inNetns, openNetns } from "./worker-netns.ts";
import type { ApplyAnswer } from "./worker-protocol.ts";

/**
 * Answers of one send wait in the socket's buffer (net.core.rmem_default, 208 KiB): no more than fit
 * there. An error takes 1 KiB of it, an echoed link 5.
 */
const MOST_MESSAGES_PER_SEND = 128;
const MOST_ECHOES_PER_SEND = 16;

/** In every namespace; the kernel makes it first (LOOPBACK_IFINDEX). */
const LOOPBACK_IFINDEX = 1;

/** Runs a program. Batches are sent in as few pieces as names allow; see apply-program.ts. */
export function runProgram(program: ApplyProgram, nodeSocket: number): ApplyAnswer {
  const namespaces = new Namespaces(nodeSocket);
  try {
    return new ProgramRun(program, namespaces).run();
  } finally {
    namespaces.close();
  }
}

/** A message that waits for its send. */
interface Pending {
  readonly operation: number;
  readonly tolerated: number;
  readonly learns: string | undefined;
  readonly learnsPeer: string | undefined;
  readonly peerNetns: string | undefined;
}

class ProgramRun {
  readonly #program: ApplyProgram;
  readonly #view: DataView;
  readonly #namespaces: Namespaces;
  readonly #result: (string | number)[] = [];
  #netns: string | undefined;
  #pending: Pending[] = [];
  #echoes = 0;
  #pendingStart = 0;
  #pendingEnd = 0;
  /** Offset of the last message that waits: it alone asks for an acknowledgement. */
  #lastStart = 0;

  constructor(program: ApplyProgram, namespaces: Namespaces) {
    this.#program = program;
    this.#view = new DataView(program.bytes.buffer, program.bytes.byteOffset);
    this.#namespaces = namespaces;
  }

  run(): ApplyAnswer {
    const { code } = this.#program;
    let at = 0;
    while (at < code.length) {
      this.#netns = this.#string(code[at] ?? -1);
      let steps = code[at + 1] ?? 0;
      at += 2;
      // Opened even when it is not sent to: an absent namespace fails the batch.
      if (this.#netns !== undefined) this.#namespaces.descriptor(this.#netns);
      for (; steps > 0; steps--) {
        at = code[at] === STEP_SYSCTL ? this.#sysctl(at) : this.#message(at);
      }
      this.#flush();
    }
    return this.#result;
  }

  #sysctl(at: number): number {
    const { code } = this.#program;
    this.#flush();
    const operation = code[at + 1] ?? 0;
    const path = this.#string(code[at + 2] ?? -1) ?? "";
    const value = this.#string(code[at + 3] ?? -1) ?? "";
    try {
      // /proc/sys/net shows the namespace of the thread that opens a file, and this one is synchronous.
      this.#namespaces.inside(this.#netns, () => writeFileSync(`/proc/sys/${path}`, value));
    } catch (error) {
      throw faultAt(operation, error);
    }
    return at + 4;
  }

  #message(at: number): number {
    const { code, bytes } = this.#program;
    const operation = code[at + 1] ?? 0;
    const start = code[at + 2] ?? 0;
    const end = code[at + 3] ?? 0;
    const tolerated = code[at + 4] ?? 0;
    const references = code[at + 8] ?? 0;
    const next = at + 9 + references * 3;
    for (let index = 0; index < references; index++) {
      const field = at + 9 + index * 3;
      const name = this.#string(code[field + 1] ?? -1) ?? "";
      let value: number;
      try {
        value =
          code[field + 2] === REFERENCE_LINK
            ? this.#ifindex(name)
            : this.#namespaces.descriptor(name);
      } catch (error) {
        const fault = faultAt(operation, error);
        if (isTolerated(tolerated, fault.errno)) return next;
        throw fault;
      }
      this.#view.setUint32(code[field] ?? 0, value, true);
    }
    const isFull =
      this.#pending.length >= MOST_MESSAGES_PER_SEND || this.#echoes >= MOST_ECHOES_PER_SEND;
    if (isFull || this.#pendingEnd !== start) this.#flush();
    if (this.#pending.length === 0) this.#pendingStart = start;
    this.#view.setUint32(start + 8, nextSequence(), true);
    if ((code[at + 5] ?? -1) >= 0) this.#echoes++;
    this.#pending.push({
      operation,
      tolerated,
      learns: this.#string(code[at + 5] ?? -1),
      learnsPeer: this.#string(code[at + 6] ?? -1),
      peerNetns: this.#string(code[at + 7] ?? -1),
    });
    this.#pendingEnd = end;
    this.#lastStart = start;
    if (end > bytes.length) throw new RangeError("A program points behind its bytes");
    return next;
  }

  /** Sends what waits and reads the answers; throws for the first that is an error. */
  #flush(): void {
    const pending = this.#pending;
    if (pending.length === 0) return;
    this.#pending = [];
    this.#echoes = 0;
    const view = this.#view;
    view.setUint16(
      this.#lastStart + 6,
      view.getUint16(this.#lastStart + 6, true) | NLM_F_ACK,
      true,
    );
    const last = view.getUint32(this.#lastStart + 8, true);
    const first = last - pending.length + 1;
    const learnt = new Set<Pending>();
    let fault: WorkerFault | undefined;
    try {
      const socket = this.#namespaces.socket(this.#netns);
      sendAll(socket, this.#program.bytes.subarray(this.#pendingStart, this.#pendingEnd));
      readAnswers(socket, last, (at, type, sequence) => {
        const step = pending[sequence - first];
        if (step === undefined) return;
        if (type === RTM_NEWLINK && step.learns !== undefined) {
          this.#learn(step, at);
          learnt.add(step);
        } else if (type === NLMSG_ERROR) {
          const value = -received.view.getInt32(at + MESSAGE_HEADER_BYTES, true);
          if (value === 0 || fault !== undefined || isTolerated(step.tolerated, value)) return;
          fault = new WorkerFault(value, extendedAck(at), this.#netns);
          fault.operation = step.operation;
        }
      });
    } catch (error) {
      throw faultAt(pending[0]?.operation ?? 0, error);
    }
    if (fault) throw fault;
    for (const step of pending) {
      // Tolerated EEXIST: the link was there, and the caller still wants its index.
      if (step.learns !== undefined && !learnt.has(step))
        this.#remember(step.learns, this.#lookUp(step.learns));
    }
  }

  /** Reads an echoed RTM_NEWLINK: its index, and as IFLA_LINK the index of a veth's other end. */
  #learn(step: Pending, at: number): void {
    const { view } = received;
    if (step.learns === undefined) return;
    this.#remember(step.learns, view.getInt32(at + MESSAGE_HEADER_BYTES + 4, true));
    if (step.learnsPeer === undefined) return;
    const end = at + view.getUint32(at, true);
    let attribute = at + MESSAGE_HEADER_BYTES + 16;
    while (attribute + 8 <= end) {
      const length = view.getUint16(attribute, true);
      if (length < 4) return;
      if (view.getUint16(attribute + 2, true) === IFLA_LINK) {
        const peerIfindex = view.getUint32(attribute + 4, true);
        this.#namespaces.names(step.peerNetns).set(step.learnsPeer, peerIfindex);
        return;
      }
      attribute += (length + 3) & ~3;
    }
  }

  #remember(name: string, ifindex: number): void {
    this.#namespaces.names(this.#netns).set(name, ifindex);
    if (this.#netns === undefined) this.#result.push(name, ifindex);
  }

  #ifindex(name: string): number {
    if (name === "lo") return LOOPBACK_IFINDEX;
    const names = this.#namespaces.names(this.#netns);
    let ifindex = names.get(name);
    if (ifindex === undefined || this.#pending.some((step) => step.learns === name)) {
      // The name may be made or given by what waits.
      this.#flush();
      ifindex = names.get(name);
    }
    // Not remembered: a later operation of the same batch may rename or move it.
    return ifindex ?? this.#lookUp(name);
  }

  #lookUp(name: string): number {
    const socket = this.#namespaces.socket(this.#netns);
    const request = getLinkRequest(name);
    sendAll(socket, request.bytes);
    let ifindex = 0;
    let fault: WorkerFault | undefined;
    readAnswers(socket, request.sequence, (at, type) => {
      if (type === RTM_NEWLINK)
        ifindex = received.view.getInt32(at + MESSAGE_HEADER_BYTES + 4, true);
      const value =
        type === NLMSG_ERROR ? -received.view.getInt32(at + MESSAGE_HEADER_BYTES, true) : 0;
      if (value !== 0)
        fault = new WorkerFault(value, extendedAck(at) || `No link ${name}`, this.#netns);
    });
    if (fault) throw fault;
    return ifindex;
  }

  #string(index: number): string | undefined {
    return index < 0 ? undefined : this.#program.strings[index];
  }
}

/** Descriptors, sockets and known names of the namespaces of one program. */
class Namespaces {
  readonly #nodeSocket: number;
  readonly #descriptors = new Map<string, number>();
  readonly #sockets = new Map<string, number>();
  readonly #names = new Map<string | undefined, Map<string, number>>();

  constructor(nodeSocket: number) {
    this.#nodeSocket = nodeSocket;
  }

  descriptor(path: string): number {
    let fd = this.#descriptors.get(path);
    if (fd === undefined) {
      fd = openNetns(path);
      this.#descriptors.set(path, fd);
    }
    return fd;
  }

  socket(path: string | undefined): number {
    if (path === undefined) return this.#nodeSocket;
    let socket = this.#sockets.get(path);
    if (socket === undefined) {
      socket = inNetns(this.descriptor(path), openNetlinkSocket);
      this.#sockets.set(path, socket);
    }
    return socket;
  }

  names(path: string | undefined): Map<string, number> {
    let names = this.#names.get(path);
    if (names === undefined) {
      names = new Map();
      this.#names.set(path, names);
    }
    return names;
  }

  inside(path: string | undefined, run: () => void): void {
    if (path === undefined) run();
    else inNetns(this.descriptor(path), run);
  }

  close(): void {
    for (const fd of this.#sockets.values()) close(fd);
    for (const fd of this.#descriptors.values()) close(fd);
  }
}

function getLinkRequest(name: string): { bytes: Uint8Array; sequence: number } {
  const nameBytes = new TextEncoder().encode(name);
  const nameAttribute = 4 + nameBytes.length + 1;
  const bytes = new Uint8Array(MESSAGE_HEADER_BYTES + 16 + 8 + ((nameAttribute + 3) & ~3));
  const view = new DataView(bytes.buffer);
  const number = nextSequence();
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, RTM_GETLINK, true);
  view.setUint16(6, NLM_F_REQUEST | NLM_F_ACK, true);
  view.setUint32(8, number, true);
  const attributes = MESSAGE_HEADER_BYTES + 16;
  view.setUint16(attributes, 8, true);
  view.setUint16(attributes + 2, 29, true);
  view.setUint32(attributes + 4, RTEXT_FILTER_SKIP_STATS, true);
  view.setUint16(attributes + 8, nameAttribute, true);
  view.setUint16(attributes + 10, IFLA_IFNAME, true);
  bytes.set(nameBytes, attributes + 12);
  return { bytes, sequence: number };
}

function faultAt(operation: number, error: unknown): WorkerFault {
  let fault: WorkerFault;
  if (error instanceof WorkerFault) fault = error;
  else {
    const { errno: negated, message } = error as NodeJS.ErrnoException;
    if (typeof negated !== "number") throw error;
    fault = new WorkerFault(Math.abs(negated), message);
  }
  fault.operation ??= operation;
  return fault;
}
