import { writeEmptyBatch } from "./nf-batch.ts";
import { NFT_MSG_GETGEN, NFTA_GEN_ID } from "./nf-constants.ts";
import { beginMessage, endMessage, findU32, NF_HEADER_BYTES, nftType } from "./nf-messages.ts";
import type { NfSocket } from "./nf-request.ts";
import { MessageWriter } from "./netlink-message.ts";
import { extendedAck, received } from "./netlink-socket.ts";
import { AF_UNSPEC, NLM_F_ACK } from "./rtnetlink-constants.ts";
import { WorkerFault } from "./worker-fault.ts";

/** The number of commits in this namespace, of which none is half done at that moment. */
export function settledGeneration(socket: NfSocket): number {
  // A commit counts itself first and changes sets then: one that is under way has to end before.
  const writer = new MessageWriter(64);
  writeEmptyBatch(writer);
  socket.send(writer);
  return currentGeneration(socket);
}

/** The same as before: what was read between the two is of one moment. */
export function currentGeneration(socket: NfSocket): number {
  const writer = new MessageWriter(64);
  const type = nftType(NFT_MSG_GETGEN);
  endMessage(writer, beginMessage(writer, { type, flags: NLM_F_ACK, family: AF_UNSPEC }));
  let generation = 0;
  socket.ask(writer, (at, _index, value) => {
    if (value === undefined) {
      const { view } = received;
      const range = { start: at + NF_HEADER_BYTES, end: at + view.getUint32(at, true) };
      generation = findU32(view, range, NFTA_GEN_ID) ?? 0;
    } else if (value !== 0) throw new WorkerFault(value, extendedAck(at));
  });
  return generation;
}
