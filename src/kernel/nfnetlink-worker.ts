import { fstatSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { parentPort } from "node:worker_threads";
import { errno } from "./errno.ts";
import { close } from "./libc.ts";
import { commitRuns } from "./nf-commit.ts";
import { findValues, readCounters, readElements } from "./nf-elements.ts";
import { NfFault, nfFailureOf } from "./nf-fault.ts";
import { readFlows, removeFlows } from "./nf-flows.ts";
import { NfMonitor } from "./nf-monitor.ts";
import type { NetnsPlace, NfRequest } from "./nf-protocol.ts";
import { NfSocket } from "./nf-request.ts";
import { readChains, readRuleDigest, readTable } from "./nf-tables.ts";
import type { TablePlace } from "./nfnetlink.ts";
import { bindPortId, openNetlinkSocket, setReceiveBuffer } from "./netlink-socket.ts";
import { NETLINK_NETFILTER } from "./rtnetlink-constants.ts";
import { inNetns, openNetns } from "./worker-netns.ts";

// Entry of the one thread that owns every netfilter socket. Unlike the rtnetlink worker it builds
// and reads messages itself: a cold start's take hundreds of milliseconds.

/** Room for an error of each message of a large batch. */
const BATCH_RECEIVE_BUFFER_BYTES = 4 << 20;
/** After it the kernel has finished what a batch deleted. */
const CLOSE_MS = 250;

if (parentPort === null) throw new Error("nfnetlink-worker.ts is the entry of a worker thread");
const port = parentPort;
const batchSocket = openNetlinkSocket(0, NETLINK_NETFILTER);
setReceiveBuffer(batchSocket, BATCH_RECEIVE_BUFFER_BYTES);
const monitor = new NfMonitor(bindPortId(batchSocket), (what) =>
  port.postMessage({ monitor: what }),
);
const questions = new NfSocket();
const flowQuestions = new NfSocket();

port.on("message", (request: NfRequest) => {
  try {
    const result = handle(request);
    port.postMessage({ id: request.id, result }, transferOf(result));
  } catch (error) {
    port.postMessage({ id: request.id, failure: nfFailureOf(error) });
  }
});
port.postMessage({ id: 0, result: undefined });
// Now and not at the exit only, which a kill -9 leaves out: the next start is smaller for it.
flushCompileCache();

function handle(request: NfRequest): unknown {
  switch (request.method) {
    case "commit":
      return commitRuns(batchSocket, request.runs);
    case "elements":
      return readElements(questions, request.set);
    case "find-elements":
      return findValues(questions, request.set, request.keys);
    case "counters":
      return readCounters(questions, request.set);
    case "find-table":
      return readTable(questions, request.table);
    case "chains":
      return readChains(questions, request.table);
    case "rule-digest":
      return readRuleDigest(questions, request.table);
    case "monitor-start":
      return monitor.start(request.tables, request.receiveBufferBytes);
    case "monitor-stop":
      return monitor.stop();
    case "monitor-credit":
      return monitor.addCredit();
    case "flows":
      return withFlowSocket(request.netns, (socket) => readFlows(socket, request.filter));
    case "remove-flows":
      return withFlowSocket(request.netns, (socket) => removeFlows(socket, request.groups));
    case "rule-digest-inside":
      return withSocketIn(request.netns, (socket) => readDigests(socket, request.tables));
    case "replace-tables-inside":
      return withSocketIn(request.netns, (socket) => {
        socket.commit(request.batch);
        return readDigests(socket, request.batch.tables);
      });
    case "close":
      monitor.stop();
      questions.close();
      flowQuestions.close();
      close(batchSocket);
      // The answer still goes out; then nothing holds the thread.
      setImmediate(() => port.close());
      return undefined;
  }
}

function withFlowSocket<Result>(
  netns: NetnsPlace | undefined,
  run: (socket: NfSocket) => Result,
): Result {
  return netns === undefined ? run(flowQuestions) : withSocketIn(netns, run);
}

/** A socket for one call: it opens where the thread is then. */
function withSocketIn<Result>(netns: NetnsPlace, run: (socket: NfSocket) => Result): Result {
  const socket = new NfSocket();
  try {
    return inPlace(netns, () => run(socket));
  } finally {
    // Closing one while the kernel has deletions to finish waits for it, 16 ms (nft_rcv_nl_event).
    setTimeout(() => socket.close(), CLOSE_MS);
  }
}

/** One text for all; "" where there is none of them. */
function readDigests(socket: NfSocket, tables: readonly TablePlace[]): string {
  return tables
    .map((table) => readRuleDigest(socket, table) ?? "")
    .join(" ")
    .trim();
}

function inPlace<Result>({ path, identity }: NetnsPlace, run: () => Result): Result {
  const fd = openNetns(path);
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    if (`${dev}:${ino}` !== identity) {
      throw new NfFault(errno.ENOENT, "Another namespace is there by now", path);
    }
    return inNetns(fd, run);
  } finally {
    close(fd);
  }
}

/** Packed records go over without a copy; they fill their buffers. */
function transferOf(result: unknown): ArrayBuffer[] {
  const records = (result as { records?: unknown } | undefined)?.records;
  return records instanceof Uint8Array && records.buffer instanceof ArrayBuffer
    ? [records.buffer]
    : [];
}
