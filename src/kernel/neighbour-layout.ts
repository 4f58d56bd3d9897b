import type { IpAddress } from "../ip/address.ts";
import { address, link, mac } from "./netlink-codecs.ts";
import type { MessageLayout, WithUnknown } from "./netlink-message.ts";

/** RTM_*NEIGH: struct ndmsg and NDA_* (linux/neighbour.h). */
export const neighbourLayout: MessageLayout<NeighbourHeader, NeighbourAttributes> = {
  header: {
    bytes: 12,
    fields: [
      ["family", 0, "u8"],
      ["index", 4, "i32"],
      ["state", 8, "u16"],
      ["flags", 10, "u8"],
      ["type", 11, "u8"],
    ],
  },
  attributes: {
    destination: [1, address],
    lladdr: [2, mac],
    master: [9, link],
  },
};

export interface NeighbourHeader {
  family: number;
  index: number;
  state: number;
  flags: number;
  type: number;
}

export interface NeighbourAttributes extends WithUnknown {
  destination?: IpAddress;
  lladdr?: string;
  master?: number | string;
}
