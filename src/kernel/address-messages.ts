import type { Family } from "../ip/address.ts";
import { addressLayout } from "./address-layout.ts";
import type { AddAddress, DeleteAddress, IfExists, LinkAddress } from "./kernel.ts";
import {
  type MessageBytes,
  type MessageWriter,
  readMessage,
  writeMessage,
} from "./netlink-message.ts";
import {
  AF_INET,
  AF_INET6,
  IFA_F_NODAD,
  IFA_F_NOPREFIXROUTE,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  NLM_F_REQUEST,
  RT_SCOPE_HOST,
  RT_SCOPE_LINK,
  RT_SCOPE_UNIVERSE,
  RTM_DELADDR,
  RTM_GETADDR,
  RTM_NEWADDR,
} from "./rtnetlink-constants.ts";

export function writeAddAddress(writer: MessageWriter, operation: AddAddress): void {
  const { address } = operation;
  // IPv4 has no duplicate address detection; the kernel takes the flag there and keeps it.
  const noDad = operation.noDad !== false && address.family === 6 ? IFA_F_NODAD : 0;
  const flags = noDad | (operation.noPrefixRoute ? IFA_F_NOPREFIXROUTE : 0);
  const value = { family: address.family, value: address.value };
  writeMessage(writer, addressLayout, {
    type: RTM_NEWADDR,
    flags: NLM_F_REQUEST | creationFlags(operation.ifExists),
    header: {
      family: familyNumber(address.family),
      prefixLength: address.prefixLength,
      scope: addressScopes[operation.scope ?? "global"],
      index: operation.link,
    },
    attributes: { local: value, address: value, ...(flags === 0 ? {} : { flags }) },
  });
}

export function writeDeleteAddress(writer: MessageWriter, operation: DeleteAddress): void {
  const { address } = operation;
  const value = { family: address.family, value: address.value };
  writeMessage(writer, addressLayout, {
    type: RTM_DELADDR,
    flags: NLM_F_REQUEST,
    header: {
      family: familyNumber(address.family),
      prefixLength: address.prefixLength,
      index: operation.link,
    },
    attributes: { local: value, address: value },
  });
}

export function writeGetAddresses(writer: MessageWriter): void {
  writeMessage(writer, addressLayout, {
    type: RTM_GETADDR,
    flags: NLM_F_REQUEST | NLM_F_DUMP,
    header: {},
  });
}

/** Reads an RTM_NEWADDR or RTM_DELADDR; undefined for another family than IPv4 and IPv6. */
export function readAddress(
  from: MessageBytes,
  message: { readonly start: number; readonly end: number },
): LinkAddress | undefined {
  const { header, attributes } = readMessage(from, message, addressLayout);
  const address = attributes.local ?? attributes.address;
  if (address === undefined) return undefined;
  return {
    ifindex: header.index,
    address: { ...address, prefixLength: header.prefixLength },
    scope: header.scope,
    flags: attributes.flags ?? header.flags,
    unknown: attributes.unknown ?? noUnknown,
  };
}

export function familyNumber(family: Family): number {
  return family === 4 ? AF_INET : AF_INET6;
}

/** Flags of RTM_NEW*: "keep" asks like "fail", and the caller takes EEXIST for success. */
export function creationFlags(ifExists: IfExists | undefined): number {
  return NLM_F_CREATE | (ifExists === "replace" ? NLM_F_REPLACE : NLM_F_EXCL);
}

export const addressScopes: { readonly [Scope in "global" | "link" | "host"]: number } = {
  global: RT_SCOPE_UNIVERSE,
  link: RT_SCOPE_LINK,
  host: RT_SCOPE_HOST,
};

const noUnknown: ReadonlyMap<number, Uint8Array> = new Map();
