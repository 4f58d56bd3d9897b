import { errno } from "./errno.ts";
import { close, setSocketFilter, watchReadable } from "./libc.ts";
import {
  NFNL_SUBSYS_NFTABLES,
  NFNLGRP_NFTABLES,
  NFT_MSG_DELCHAIN,
  NFT_MSG_DELFLOWTABLE,
  NFT_MSG_DELOBJ,
  NFT_MSG_DELRULE,
  NFT_MSG_DELSET,
  NFT_MSG_DELSETELEM,
  NFT_MSG_DELTABLE,
  NFT_MSG_NEWCHAIN,
  NFT_MSG_NEWGEN,
  NFT_MSG_NEWRULE,
  NFTA_GEN_PROC_NAME,
  NFTA_GEN_PROC_PID,
  NFTA_TABLE_NAME,
} from "./nf-constants.ts";
import { findText, findU32, NF_HEADER_BYTES } from "./nf-messages.ts";
import type { Transaction } from "./nf-protocol.ts";
import { openNetlinkSocket, receive, received, setReceiveBuffer } from "./netlink-socket.ts";
import type { TablePlace } from "./nfnetlink.ts";
import {
  AF_INET,
  AF_INET6,
  NETLINK_NETFILTER,
  SO_ATTACH_FILTER,
  SOL_SOCKET,
} from "./rtnetlink-constants.ts";

/** Transactions on their way to the main thread; beyond, they wait in the kernel's buffer. */
const MOST_CREDIT = 64;
/** Datagrams in one turn: a foreign reload of a million elements must not hold up commits. */
const MOST_DATAGRAMS_PER_TURN = 256;

type Change = Transaction["changes"][number];

/** Watches for transactions of others in some tables; a socket watched by this thread's event loop. */
export class NfMonitor {
  readonly #ownPortId: number;
  readonly #tell: (what: Transaction | "resync") => void;
  #socket: number | undefined;
  #watcher: { close(): void } | undefined;
  #tables: readonly TablePlace[] = [];
  #credit = MOST_CREDIT;
  #changes = new Map<string, Change>();
  /** The kernel dropped events, and the queue has not been empty since. */
  #isDropping = false;

  constructor(ownPortId: number, tell: (what: Transaction | "resync") => void) {
    this.#ownPortId = ownPortId;
    this.#tell = tell;
  }

  /** Started already: other tables. */
  start(tables: readonly TablePlace[], receiveBufferBytes: number): void {
    this.#tables = tables;
    if (this.#socket !== undefined) return;
    this.#changes.clear();
    this.#isDropping = false;
    const socket = openNetlinkSocket(1 << (NFNLGRP_NFTABLES - 1), NETLINK_NETFILTER);
    setReceiveBuffer(socket, receiveBufferBytes);
    // Without the filter own messages are passed over when they are read.
    const option = { level: SOL_SOCKET, name: SO_ATTACH_FILTER };
    setSocketFilter(socket, option, filterWithout(this.#ownPortId));
    this.#credit = MOST_CREDIT;
    this.#socket = socket;
    this.#watcher = watchReadable(socket, () => this.#read());
  }

  stop(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    if (this.#socket !== undefined) close(this.#socket);
    this.#socket = undefined;
  }

  addCredit(): void {
    this.#credit++;
    if (this.#socket === undefined || this.#watcher !== undefined) return;
    if (this.#credit >= MOST_CREDIT / 2) {
      this.#watcher = watchReadable(this.#socket, () => this.#read());
    }
  }

  #read(): void {
    for (let count = 0; this.#socket !== undefined && this.#credit > 0; count++) {
      if (count === MOST_DATAGRAMS_PER_TURN) return;
      const failed = receive(this.#socket);
      if (failed === errno.EAGAIN) {
        if (this.#isDropping) this.#tellResync();
        this.#isDropping = false;
        return;
      }
      if (failed === 0) {
        this.#readDatagram();
        continue;
      }
      // Dropped by the kernel (ENOBUFS) or longer than our buffer: something is missing.
      // Until the queue is empty the kernel goes on dropping and does not say so again (af_netlink.c,
      // NETLINK_S_CONGESTED): what was lost meanwhile is covered by a second one then.
      this.#isDropping = true;
      this.#tellResync();
    }
    // The main thread is behind: what comes waits in the kernel, and overflows there into a resync.
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  #tellResync(): void {
    this.#changes.clear();
    this.#credit--;
    this.#tell("resync");
  }

  #readDatagram(): void {
    const { view, length } = received;
    for (let at = 0; at + NF_HEADER_BYTES <= length; ) {
      const messageLength = view.getUint32(at, true);
      if (messageLength < NF_HEADER_BYTES || at + messageLength > length) return;
      const type = view.getUint16(at + 4, true);
      const isOwn = view.getUint32(at + 12, true) === this.#ownPortId;
      if (type >> 8 === NFNL_SUBSYS_NFTABLES && !isOwn) {
        const range = { start: at + NF_HEADER_BYTES, end: at + messageLength };
        if ((type & 0xff) === NFT_MSG_NEWGEN) this.#endTransaction(range);
        else this.#note(type & 0xff, view.getUint8(at + 16), range);
      }
      at += (messageLength + 3) & ~3;
    }
  }

  #note(message: number, family: number, range: { start: number; end: number }): void {
    if (family !== AF_INET && family !== AF_INET6) return;
    // The table's name is attribute 1 of every kind of message.
    const name = findText(received.view, range, NFTA_TABLE_NAME);
    const familyName = family === AF_INET ? "ip" : "ip6";
    const table = this.#tables.find(
      (candidate) => candidate.table === name && candidate.family === familyName,
    );
    if (table === undefined) return;
    const what = changeOf(message);
    const key = `${table.family} ${table.table}`;
    const known = this.#changes.get(key);
    if (known === undefined || strength[what] > strength[known.what]) {
      this.#changes.set(key, { table, what });
    }
  }

  #endTransaction(range: { start: number; end: number }): void {
    if (this.#changes.size === 0) return;
    const changes = [...this.#changes.values()];
    this.#changes.clear();
    const { view } = received;
    this.#credit--;
    this.#tell({
      changes,
      processId: findU32(view, range, NFTA_GEN_PROC_PID) ?? 0,
      processName: findText(view, range, NFTA_GEN_PROC_NAME) ?? "",
    });
  }
}

const strength: Readonly<Record<Change["what"], number>> = {
  added: 0,
  elements: 1,
  rules: 2,
  table: 3,
};

function changeOf(message: number): Change["what"] {
  switch (message) {
    case NFT_MSG_DELTABLE:
      return "table";
    case NFT_MSG_NEWCHAIN:
    case NFT_MSG_DELCHAIN:
    case NFT_MSG_NEWRULE:
    case NFT_MSG_DELRULE:
      return "rules";
    case NFT_MSG_DELSET:
    case NFT_MSG_DELSETELEM:
    case NFT_MSG_DELOBJ:
    case NFT_MSG_DELFLOWTABLE:
      return "elements";
    default:
      return "added";
  }
}

/**
 * Classic BPF (linux/filter.h): drops datagrams whose first message has this nlmsg_pid. All messages
 * of a datagram are one transaction's. Thousands of own elements then cost no wake.
 */
function filterWithout(portId: number): Uint8Array {
  const program = new Uint8Array(4 * 8);
  const view = new DataView(program.buffer);
  const swapped = new DataView(new ArrayBuffer(4));
  swapped.setUint32(0, portId, true);
  const put = (index: number, code: number, jumps: number, k: number): void => {
    view.setUint16(index * 8, code, true);
    view.setUint16(index * 8 + 2, jumps, true);
    view.setUint32(index * 8 + 4, k, true);
  };
  // BPF loads in network order, netlink writes in host order.
  put(0, 0x20, 0, 12); // BPF_LD | BPF_W | BPF_ABS
  put(1, 0x15, 0x0100, swapped.getUint32(0, false)); // BPF_JMP | BPF_JEQ: next when equal, else one further
  put(2, 0x06, 0, 0); // BPF_RET: drop
  put(3, 0x06, 0, 0xffff_ffff); // BPF_RET: all of it
  return program;
}
