import { createHash, type Hash } from "node:crypto";
import { errno } from "./errno.ts";
import {
  NFT_MSG_GETCHAIN,
  NFT_MSG_GETRULE,
  NFT_MSG_GETTABLE,
  NFTA_CHAIN_COUNTERS,
  NFTA_CHAIN_HANDLE,
  NFTA_CHAIN_NAME,
  NFTA_CHAIN_TABLE,
  NFTA_CHAIN_USE,
  NFTA_RULE_HANDLE,
  NFTA_RULE_POSITION,
  NFTA_RULE_TABLE,
  NFTA_TABLE_FLAGS,
  NFTA_TABLE_HANDLE,
  NFTA_TABLE_NAME,
  NFTA_TABLE_USE,
  NFTA_TABLE_USERDATA,
  NFTNL_UDATA_TABLE_COMMENT,
} from "./nf-constants.ts";
import {
  beginMessage,
  endMessage,
  findAttribute,
  findText,
  findU32,
  NF_HEADER_BYTES,
  nftType,
  putText,
  tableFamily,
} from "./nf-messages.ts";
import type { NfSocket } from "./nf-request.ts";
import { MessageWriter } from "./netlink-message.ts";
import { extendedAck, received } from "./netlink-socket.ts";
import type { TablePlace, TableState } from "./nfnetlink.ts";
import { NLA_TYPE_MASK, NLM_F_ACK, NLM_F_DUMP } from "./rtnetlink-constants.ts";
import { WorkerFault } from "./worker-fault.ts";

export function readTable(socket: NfSocket, table: TablePlace): TableState | undefined {
  const writer = new MessageWriter(512);
  const type = nftType(NFT_MSG_GETTABLE);
  const family = tableFamily(table.family);
  const start = beginMessage(writer, { type, flags: NLM_F_ACK, family });
  putText(writer, NFTA_TABLE_NAME, table.table);
  endMessage(writer, start);
  let state: TableState | undefined;
  socket.ask(writer, (at, _index, value) => {
    if (value !== undefined) {
      if (value !== 0 && value !== errno.ENOENT) throw new WorkerFault(value, extendedAck(at));
      return;
    }
    const { view } = received;
    const range = { start: at + NF_HEADER_BYTES, end: at + view.getUint32(at, true) };
    const handle = findAttribute(view, range, NFTA_TABLE_HANDLE);
    const userData = findAttribute(view, range, NFTA_TABLE_USERDATA);
    state = {
      handle: handle ? view.getBigUint64(handle.start, false) : 0n,
      flags: findU32(view, range, NFTA_TABLE_FLAGS) ?? 0,
      uses: findU32(view, range, NFTA_TABLE_USE) ?? 0,
      comment: userData ? commentIn(received.bytes.subarray(userData.start, userData.end)) : "",
    };
  });
  return state;
}

/** undefined: no such table. */
export function readChains(socket: NfSocket, table: TablePlace): string[] | undefined {
  if (readTable(socket, table) === undefined) return undefined;
  let names: string[] = [];
  dumpTable(socket, table, {
    type: NFT_MSG_GETCHAIN,
    begin: () => {
      names = [];
    },
    onMessage: (at) => {
      // Chains of all tables come: the kernel filters rules only.
      if (tableNameAt(at) !== table.table) return;
      const name = findText(received.view, rangeOf(at), NFTA_CHAIN_NAME);
      if (name !== undefined) names.push(name);
    },
  });
  return names;
}

/** A table of ours has some thousand; somebody who filled one must not keep this thread. */
const MOST_DIGEST_MESSAGES = 262_144;

/** undefined: no such table. */
export function readRuleDigest(socket: NfSocket, table: TablePlace): string | undefined {
  const flags = readTable(socket, table)?.flags;
  if (flags === undefined) return undefined;
  let hash = createHash("sha256");
  const dumps = [
    { type: NFT_MSG_GETCHAIN, without: changingOfChains },
    { type: NFT_MSG_GETRULE, without: changingOfRules },
  ];
  let digest = `${flags}`;
  let count = 0;
  for (const { type, without } of dumps) {
    const isThere = dumpTable(socket, table, {
      type,
      begin: () => {
        count = 0;
        hash = createHash("sha256").update(digest);
      },
      onMessage: (at) => {
        if (++count > MOST_DIGEST_MESSAGES) {
          throw new WorkerFault(errno.E2BIG, `More than ${MOST_DIGEST_MESSAGES} chains and rules`);
        }
        if (tableNameAt(at) === table.table) hashMessage(hash, at, without);
      },
    });
    if (!isThere) return undefined;
    digest = hash.digest("hex");
  }
  return digest;
}

/** Handles and positions are new with each load of the same rules; counters count. */
const changingOfChains: ReadonlySet<number> = new Set([
  NFTA_CHAIN_HANDLE,
  NFTA_CHAIN_USE,
  NFTA_CHAIN_COUNTERS,
]);
const changingOfRules: ReadonlySet<number> = new Set([NFTA_RULE_HANDLE, NFTA_RULE_POSITION]);

function dumpTable(
  socket: NfSocket,
  table: TablePlace,
  reader: {
    readonly type: number;
    readonly begin: () => void;
    readonly onMessage: (at: number) => void;
  },
): boolean {
  const writer = new MessageWriter(512);
  const family = tableFamily(table.family);
  const message = { type: nftType(reader.type), flags: NLM_F_DUMP, family };
  const start = beginMessage(writer, message);
  // The table is attribute 1 of chains and rules alike.
  putText(writer, NFTA_RULE_TABLE, table.table);
  endMessage(writer, start);
  return socket.dump(writer, reader);
}

function tableNameAt(at: number): string | undefined {
  return findText(received.view, rangeOf(at), NFTA_CHAIN_TABLE);
}

function rangeOf(at: number): { start: number; end: number } {
  return { start: at + NF_HEADER_BYTES, end: at + received.view.getUint32(at, true) };
}

function hashMessage(hash: Hash, messageAt: number, without: ReadonlySet<number>): void {
  const { view, bytes } = received;
  const { start, end } = rangeOf(messageAt);
  for (let at = start; at + 4 <= end; ) {
    const length = view.getUint16(at, true);
    if (length < 4 || at + length > end) return;
    const number = view.getUint16(at + 2, true) & NLA_TYPE_MASK;
    if (!without.has(number)) hash.update(bytes.subarray(at, at + length));
    at += (length + 3) & ~3;
  }
}

/** User data are nft's own: type and length, a byte each, and a value (libnftnl, udata.c). */
function commentIn(userData: Uint8Array): string {
  for (let at = 0; at + 2 <= userData.length; at += 2 + (userData[at + 1] ?? 0)) {
    if (userData[at] !== NFTNL_UDATA_TABLE_COMMENT) continue;
    const text = userData.subarray(at + 2, at + 2 + (userData[at + 1] ?? 0));
    return new TextDecoder().decode(text.at(-1) === 0 ? text.subarray(0, -1) : text);
  }
  return "";
}
