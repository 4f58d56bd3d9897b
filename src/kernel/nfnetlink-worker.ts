import { flushCompileCache } from "node:module";
import { parentPort } from "node:worker_threads";
import { close } from "./libc.ts";
import { commitRuns } from "./nf-commit.ts";
import { findValues, readCounters, readElements } from "./nf-elements.ts";
import { nfFailureOf } from "./nf-fault.ts";
import { readFlows, removeFlows } from "./nf-flows.ts";
import { NfMonitor } from "./nf-monitor.ts";
import type { NfRequest } from "./nf-protocol.ts";
import { NfSocket } from "./nf-request.ts";
import { readChains, readRuleDigest, readTable } from "./nf-tables.ts";
import { bindPortId, openNetlinkSocket, setReceiveBuffer } from "./netlink-socket.ts";
import { NETLINK_NETFILTER } from "./rtnetlink-constants.ts";

// Entry of the one thread that owns every netfilter socket. Unlike the rtnetlink worker it builds
// and reads messages itself: a cold start's take hundreds of milliseconds.

/** Room for an error of each message of a large batch. */
const BATCH_RECEIVE_BUFFER_BYTES = 4 << 20;

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
      return readFlows(flowQuestions, request.filter);
    case "remove-flows":
      return removeFlows(flowQuestions, request.groups);
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

/** Packed records go over without a copy; they fill their buffers. */
function transferOf(result: unknown): ArrayBuffer[] {
  const records = (result as { records?: unknown } | undefined)?.records;
  return records instanceof Uint8Array && records.buffer instanceof ArrayBuffer
    ? [records.buffer]
    : [];
}
