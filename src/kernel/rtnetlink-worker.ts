import { readFileSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { parentPort } from "node:worker_threads";
import { errno } from "./errno.ts";
import { close, send, watchReadable } from "./libc.ts";
import { nextSequence, readAnswers } from "./netlink-answers.ts";
import { MESSAGE_HEADER_BYTES } from "./netlink-message.ts";
import {
  extendedAck,
  openNetlinkSocket,
  receive,
  received,
  sendAll,
  setReceiveBuffer,
} from "./netlink-socket.ts";
import { NLM_F_ACK, NLM_F_DUMP_INTR, NLMSG_DONE, NLMSG_ERROR } from "./rtnetlink-constants.ts";
import { runProgram } from "./worker-apply.ts";
import { failureOf, WorkerFault } from "./worker-fault.ts";
import { createNetns, deleteNetns, inNetns, openNetns } from "./worker-netns.ts";
import type { RequestBody, SlowAnswer, WorkerAnswer, WorkerRequest } from "./worker-protocol.ts";

// Entry of the one thread that owns setns and every rtnetlink socket. It moves bytes: messages are
// built and read on the main thread (apply-program.ts, *-messages.ts), so that little is loaded here.

/** A dump that the kernel marks inconsistent (NLM_F_DUMP_INTR) is made again so often. */
const MOST_DUMP_TRIES = 8;
/** Monitor datagrams on their way to the main thread; beyond, they wait in the kernel's buffer. */
const MOST_MONITOR_CREDIT = 64;

if (parentPort === null) throw new Error("rtnetlink-worker.ts is the entry of a worker thread");
const port = parentPort;
const nodeSocket = openNetlinkSocket();
let removalSocket: number | undefined;

/** Answers that have not left yet. */
let answers: WorkerAnswer[] = [];

port.on("message", (requests: readonly WorkerRequest[]) => {
  for (const request of requests) {
    serve(request);
    // The main thread goes on with what is done while the next one is; short ones leave together.
    if (request.method === "apply") sendAnswers();
  }
  sendAnswers();
});
port.postMessage([]);
// Now and not at the exit only, which a kill -9 leaves out: the next start is smaller for it.
flushCompileCache();

function serve({ id, ...request }: WorkerRequest): void {
  try {
    const result = handle(request);
    if (!(result instanceof Promise)) {
      answers.push({ id, result });
      return;
    }
    result.then(
      (value) => sendAnswer({ id, result: value }),
      (error: unknown) => sendAnswer({ id, failure: failureOf(error) }),
    );
  } catch (error) {
    answers.push({ id, failure: failureOf(error) });
  }
}

function sendAnswer(answer: WorkerAnswer): void {
  answers.push(answer);
  sendAnswers();
}

function sendAnswers(): void {
  if (answers.length === 0) return;
  port.postMessage(answers);
  answers = [];
}

function handle(request: RequestBody): unknown {
  switch (request.method) {
    case "apply":
      return runProgram(request, nodeSocket);
    case "dump":
      return dumpAll(request.bytes, request.netns);
    case "get":
      return withSocket(request.netns, (socket) => get(socket, request.bytes));
    case "slow":
      return slow(request.bytes, request.netns);
    case "read-sysctl":
      return readSysctl(request.path, request.netns);
    case "create-netns":
      return createNetns(request.path);
    case "delete-netns":
      return deleteNetns(request.path);
    case "monitor-start":
      return startMonitor(request);
    case "monitor-stop":
      return stopMonitor();
    case "monitor-credit":
      return addMonitorCredit(request.datagrams);
    case "close":
      stopMonitor();
      close(nodeSocket);
      if (removalSocket !== undefined) close(removalSocket);
      // The answer still goes out; then nothing holds the thread.
      setImmediate(() => port.close());
      return undefined;
  }
}

function withSocket<Result>(netns: string | undefined, run: (socket: number) => Result): Result {
  if (netns === undefined) return run(nodeSocket);
  const socket = socketIn(netns);
  try {
    return run(socket);
  } finally {
    close(socket);
  }
}

function socketIn(netns: string): number {
  const fd = openNetns(netns);
  try {
    return inNetns(fd, openNetlinkSocket);
  } finally {
    close(fd);
  }
}

/** A socket of its own: an abandoned dump would leave the node's busy. */
function dumpAll(requests: Uint8Array, netns: string | undefined): readonly Uint8Array[] {
  const socket = netns === undefined ? openNetlinkSocket() : socketIn(netns);
  try {
    return dump(socket, requests);
  } finally {
    close(socket);
  }
}

/** Runs each request as a dump and returns all datagrams. */
function dump(socket: number, requests: Uint8Array): readonly Uint8Array[] {
  const view = new DataView(requests.buffer, requests.byteOffset);
  const datagrams: Uint8Array[] = [];
  for (let at = 0; at < requests.length; ) {
    const end = at + view.getUint32(at, true);
    let made: Uint8Array[] | undefined;
    for (let tries = 0; made === undefined; tries++) {
      if (tries === MOST_DUMP_TRIES) {
        throw new WorkerFault(errno.EBUSY, `The table changed during each of ${tries} dumps`);
      }
      const sequence = nextSequence();
      view.setUint32(at + 8, sequence, true);
      sendAll(socket, requests.subarray(at, end));
      made = readDump(socket, sequence);
    }
    datagrams.push(...made);
    at = end;
  }
  return datagrams;
}

/** undefined: the dump is not usable and has to be made again. */
function readDump(socket: number, sequence: number): Uint8Array[] | undefined {
  const datagrams: Uint8Array[] = [];
  let isUsable = true;
  for (;;) {
    const failed = receive(socket);
    if (failed === errno.EMSGSIZE) {
      isUsable = false;
      continue;
    }
    if (failed !== 0)
      throw new WorkerFault(failed === errno.EAGAIN ? errno.ENOBUFS : failed, "recv");
    const { view, length, bytes } = received;
    let isDone = false;
    for (let at = 0; at + MESSAGE_HEADER_BYTES <= length; ) {
      const messageLength = view.getUint32(at, true);
      if (messageLength < MESSAGE_HEADER_BYTES) break;
      // An earlier dump's leftovers are not this one's.
      if (view.getUint32(at + 8, true) === sequence) {
        const type = view.getUint16(at + 4, true);
        if ((view.getUint16(at + 6, true) & NLM_F_DUMP_INTR) !== 0) isUsable = false;
        if (type === NLMSG_ERROR || type === NLMSG_DONE) {
          const value = messageLength >= 20 ? -view.getInt32(at + MESSAGE_HEADER_BYTES, true) : 0;
          if (value !== 0) throw new WorkerFault(value, extendedAck(at));
          isDone = true;
        }
      }
      at += (messageLength + 3) & ~3;
    }
    if (isUsable) datagrams.push(bytes.slice(0, length));
    if (isDone) return isUsable ? datagrams : undefined;
  }
}

/** One request, one answer: its bytes. */
function get(socket: number, request: Uint8Array): Uint8Array {
  const view = new DataView(request.buffer, request.byteOffset);
  view.setUint16(6, view.getUint16(6, true) | NLM_F_ACK, true);
  for (let tries = 0; tries < 3; tries++) {
    const sequence = nextSequence();
    view.setUint32(8, sequence, true);
    sendAll(socket, request);
    let answer: Uint8Array | undefined;
    let fault: WorkerFault | undefined;
    readAnswers(socket, sequence, (at, type, number) => {
      if (number !== sequence) return;
      if (type !== NLMSG_ERROR) {
        answer = received.bytes.slice(at, at + received.view.getUint32(at, true));
        return;
      }
      const value = -received.view.getInt32(at + MESSAGE_HEADER_BYTES, true);
      if (value !== 0) fault = new WorkerFault(value, extendedAck(at));
    });
    if (fault) throw fault;
    // Without one the answer was longer than the buffer, which has grown.
    if (answer) return answer;
  }
  throw new WorkerFault(errno.EMSGSIZE, "The answer is too long");
}

/**
 * Sends on a pool thread and answers with every message's errno. RTM_DELLINK holds its thread for 20
 * to 40 ms; this thread goes on with other calls meanwhile. One at a time for each socket.
 */
async function slow(bytes: Uint8Array, netns: string | undefined): Promise<SlowAnswer> {
  const socket = netns === undefined ? (removalSocket ??= openNetlinkSocket()) : socketIn(netns);
  try {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const answers: { errno: number; text: string }[] = [];
    const sequences = new Map<number, number>();
    let last = 0;
    let lastStart = 0;
    for (let at = 0; at < bytes.length; at += view.getUint32(at, true)) {
      last = nextSequence();
      lastStart = at;
      view.setUint32(at + 8, last, true);
      sequences.set(last, answers.length);
      answers.push({ errno: 0, text: "" });
    }
    view.setUint16(lastStart + 6, view.getUint16(lastStart + 6, true) | NLM_F_ACK, true);
    await new Promise<void>((resolve, reject) => {
      send.async(socket, bytes, bytes.length, 0, (error, sent) => {
        if (error === null && sent === bytes.length) resolve();
        else reject(error ?? new WorkerFault(errno.ENOBUFS, "send"));
      });
    });
    readAnswers(socket, last, (at, type, number) => {
      const index = sequences.get(number);
      if (index === undefined || type !== NLMSG_ERROR) return;
      const value = -received.view.getInt32(at + MESSAGE_HEADER_BYTES, true);
      if (value !== 0) answers[index] = { errno: value, text: extendedAck(at) };
    });
    return answers;
  } finally {
    if (netns !== undefined) close(socket);
  }
}

function readSysctl(path: string, netns: string | undefined): string {
  const read = (): string => readFileSync(`/proc/sys/${path}`, "utf8");
  if (netns === undefined) return read().trimEnd();
  const fd = openNetns(netns);
  try {
    return inNetns(fd, read).trimEnd();
  } finally {
    close(fd);
  }
}

// The monitor: a socket of its own, watched by this thread's event loop, so that idle costs nothing.
let monitor:
  | {
      readonly socket: number;
      readonly groups: number;
      watcher: { close(): void } | undefined;
    }
  | undefined;
let monitorCredit = MOST_MONITOR_CREDIT;
/** The kernel dropped events, and the queue has not been empty since. */
let monitorIsDropping = false;

function startMonitor(wanted: {
  readonly receiveBufferBytes: number;
  readonly groups: number;
}): void {
  const { receiveBufferBytes, groups } = wanted;
  if (monitor?.groups === groups) return;
  const isAnew = monitor !== undefined;
  const socket = openNetlinkSocket(groups);
  setReceiveBuffer(socket, receiveBufferBytes);
  stopMonitor();
  // What is on its way is still to be paid for.
  if (!isAnew) monitorCredit = MOST_MONITOR_CREDIT;
  monitorIsDropping = false;
  monitor = { socket, groups, watcher: watchReadable(socket, readMonitor) };
  if (!isAnew) return;
  monitorCredit--;
  sendAnswer({ monitor: ["resync"] });
}

function stopMonitor(): void {
  monitor?.watcher?.close();
  if (monitor) close(monitor.socket);
  monitor = undefined;
}

function readMonitor(): void {
  const told: (Uint8Array | "resync")[] = [];
  readDatagrams(told);
  if (told.length > 0) sendAnswer({ monitor: told });
}

function readDatagrams(told: (Uint8Array | "resync")[]): void {
  const tellResync = (): void => {
    monitorCredit--;
    told.push("resync");
  };
  while (monitor && monitorCredit > 0) {
    const failed = receive(monitor.socket);
    if (failed === errno.EAGAIN) {
      if (monitorIsDropping) tellResync();
      monitorIsDropping = false;
      return;
    }
    if (failed === 0) {
      monitorCredit--;
      told.push(received.bytes.slice(0, received.length));
      continue;
    }
    // Dropped by the kernel (ENOBUFS) or longer than our buffer: something is missing. Until the queue is empty the
    // kernel goes on dropping and does not say so again: a second one then covers what was lost meanwhile.
    monitorIsDropping = true;
    tellResync();
  }
  // The main thread is behind: what comes waits in the kernel, and overflows there into a resync.
  monitor?.watcher?.close();
  if (monitor) monitor.watcher = undefined;
}

function addMonitorCredit(datagrams: number): void {
  monitorCredit += datagrams;
  if (monitor && monitor.watcher === undefined && monitorCredit >= MOST_MONITOR_CREDIT / 2) {
    monitor.watcher = watchReadable(monitor.socket, readMonitor);
  }
}
