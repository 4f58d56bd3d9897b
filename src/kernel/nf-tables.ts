import { errno } from "./errno.ts";
import {
  NFT_MSG_GETTABLE,
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
import { NLM_F_ACK } from "./rtnetlink-constants.ts";
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

/** User data are nft's own: type and length, a byte each, and a value (libnftnl, udata.c). */
function commentIn(userData: Uint8Array): string {
  for (let at = 0; at + 2 <= userData.length; at += 2 + (userData[at + 1] ?? 0)) {
    if (userData[at] !== NFTNL_UDATA_TABLE_COMMENT) continue;
    const text = userData.subarray(at + 2, at + 2 + (userData[at + 1] ?? 0));
    return new TextDecoder().decode(text.at(-1) === 0 ? text.subarray(0, -1) : text);
  }
  return "";
}
