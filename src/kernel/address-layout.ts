import type { IpAddress } from "../ip/address.ts";
import { address, text, u32 } from "./netlink-codecs.ts";
import type { MessageLayout, WithUnknown } from "./netlink-message.ts";

/** RTM_*ADDR: struct ifaddrmsg and IFA_* (linux/if_addr.h). */
export const addressLayout: MessageLayout<AddressHeader, AddressAttributes> = {
  header: {
    bytes: 8,
    fields: [
      ["family", 0, "u8"],
      ["prefixLength", 1, "u8"],
      ["flags", 2, "u8"],
      ["scope", 3, "u8"],
      ["index", 4, "u32"],
    ],
  },
  attributes: {
    address: [1, address],
    local: [2, address],
    label: [3, text],
    broadcast: [4, address],
    flags: [8, u32],
  },
};

export interface AddressHeader {
  family: number;
  prefixLength: number;
  flags: number;
  scope: number;
  index: number;
}

export interface AddressAttributes extends WithUnknown {
  /** The other end on point-to-point links; elsewhere the same as local. */
  address?: IpAddress;
  local?: IpAddress;
  label?: string;
  broadcast?: IpAddress;
  /** All 32 bits of the flags; the header has the lowest 8. */
  flags?: number;
}
