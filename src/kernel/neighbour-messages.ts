import { creationFlags, familyNumber } from "./address-messages.ts";
import type { AddNeighbour, DeleteNeighbour, Neighbour } from "./kernel.ts";
import { type NeighbourAttributes, neighbourLayout } from "./neighbour-layout.ts";
import {
  type MessageBytes,
  type MessageWriter,
  readMessage,
  writeMessage,
} from "./netlink-message.ts";
import {
  AF_BRIDGE,
  NLM_F_APPEND,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  NTF_MASTER,
  NTF_PROXY,
  NTF_SELF,
  NUD_NOARP,
  NUD_PERMANENT,
  RTM_DELNEIGH,
  RTM_GETNEIGH,
  RTM_NEWNEIGH,
} from "./rtnetlink-constants.ts";

export function writeAddNeighbour(writer: MessageWriter, operation: AddNeighbour): void {
  // Many remotes may share the all-zero MAC (flooding), so there the pair is what exists.
  const isFlood = operation.forwarding && operation.mac === FLOOD_MAC;
  writeMessage(writer, neighbourLayout, {
    type: RTM_NEWNEIGH,
    flags:
      NLM_F_REQUEST | (isFlood ? NLM_F_CREATE | NLM_F_APPEND : creationFlags(operation.ifExists)),
    header: {
      ...neighbourHeader(operation),
      state: operation.forwarding ? NUD_PERMANENT | NUD_NOARP : NUD_PERMANENT,
    },
    attributes: neighbourAttributes(operation),
  });
}

export function writeDeleteNeighbour(writer: MessageWriter, operation: DeleteNeighbour): void {
  writeMessage(writer, neighbourLayout, {
    type: RTM_DELNEIGH,
    flags: NLM_F_REQUEST,
    header: neighbourHeader(operation),
    attributes: neighbourAttributes(operation),
  });
}

/** Three dumps: plain entries, proxies (never among the plain ones), forwarding entries. */
export function writeGetNeighbours(
  writer: MessageWriter,
  which: "plain" | "proxy" | "forwarding",
): void {
  writeMessage(writer, neighbourLayout, {
    type: RTM_GETNEIGH,
    flags: NLM_F_REQUEST | NLM_F_DUMP,
    header: {
      ...(which === "forwarding" ? { family: AF_BRIDGE } : {}),
      ...(which === "proxy" ? { flags: NTF_PROXY } : {}),
    },
  });
}

/** Reads an RTM_NEWNEIGH; undefined where no address stands in it, as in a bridge's own entries. */
export function readNeighbour(
  from: MessageBytes,
  message: { readonly start: number; readonly end: number },
): Neighbour | undefined {
  const { header, attributes } = readMessage(from, message, neighbourLayout);
  if (attributes.destination === undefined) return undefined;
  return {
    ifindex: header.index,
    address: attributes.destination,
    mac: attributes.lladdr ?? "",
    state: header.state,
    proxy: (header.flags & NTF_PROXY) !== 0,
    forwarding: header.family === AF_BRIDGE,
    unknown: attributes.unknown ?? noUnknown,
  };
}

function neighbourHeader(operation: AddNeighbour | DeleteNeighbour): {
  family: number;
  index: string;
  flags: number;
} {
  if (!operation.forwarding) {
    return {
      family: familyNumber(operation.address.family),
      index: operation.link,
      flags: operation.proxy ? NTF_PROXY : 0,
    };
  }
  // A bridge's own table has no remote end: the unspecified address asks for it.
  const flags = operation.address.value === 0n ? NTF_MASTER : NTF_SELF;
  return { family: AF_BRIDGE, index: operation.link, flags };
}

function neighbourAttributes(operation: AddNeighbour | DeleteNeighbour): NeighbourAttributes {
  const hasAddress = !operation.forwarding || operation.address.value !== 0n;
  return {
    ...(hasAddress ? { destination: operation.address } : {}),
    ...(operation.mac === undefined || operation.proxy ? {} : { lladdr: operation.mac }),
  };
}

const FLOOD_MAC = "00:00:00:00:00:00";
const noUnknown: ReadonlyMap<number, Uint8Array> = new Map();
