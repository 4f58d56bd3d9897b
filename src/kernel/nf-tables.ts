import { createHash, type Hash } from "node:crypto";
import { errno } from "./errno.ts";
import {
  NFT_MSG_GETRULE,
  NFT_MSG_GETTABLE,
  NFTA_RULE_HANDLE,
  NFTA_RULE_POSITION,
  NFTA_RULE_TABLE,
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
      uses: findU32(view, range, NFTA_TABLE_USE) ?? 0,
      comment: userData ? commentIn(received.bytes.subarray(userData.start, userData.end)) : "",
    };
  });
  return state;
}

/** undefined: no such table. */
export function readRuleDigest(socket: NfSocket, table: TablePlace): string | undefined {
  if (readTable(socket, table) === undefined) return undefined;
  const writer = new MessageWriter(512);
  const family = tableFamily(table.family);
  const message = { type: nftType(NFT_MSG_GETRULE), flags: NLM_F_DUMP, family };
  const start = beginMessage(writer, message);
  putText(writer, NFTA_RULE_TABLE, table.table);
  endMessage(writer, start);
  let hash = createHash("sha256");
  const isThere = socket.dump(writer, {
    begin: () => {
      hash = createHash("sha256");
    },
    onMessage: (at) => hashRule(hash, at),
  });
  return isThere ? hash.digest("hex") : undefined;
}

/** Handles and positions are new with each load of the same rules. */
function hashRule(hash: Hash, messageAt: number): void {
  const { view, bytes } = received;
  const end = messageAt + view.getUint32(messageAt, true);
  for (let at = messageAt + NF_HEADER_BYTES; at + 4 <= end; ) {
    const length = view.getUint16(at, true);
    if (length < 4 || at + length > end) return;
    const number = view.getUint16(at + 2, true) & NLA_TYPE_MASK;
    if (number !== NFTA_RULE_HANDLE && number !== NFTA_RULE_POSITION) {
      hash.update(bytes.subarray(at, at + length));
    }
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
