import type { IpAddress } from "../ip/address.ts";
import { address, link, nested, u32, via } from "./netlink-codecs.ts";
import type { AttributeTable, MessageLayout, WithUnknown } from "./netlink-message.ts";

/** RTM_*ROUTE: struct rtmsg and RTA_* (linux/rtnetlink.h). */
export const routeLayout: MessageLayout<RouteHeader, RouteAttributes> = {
  header: {
    bytes: 12,
    fields: [
      ["family", 0, "u8"],
      ["destinationLength", 1, "u8"],
      ["sourceLength", 2, "u8"],
      ["tos", 3, "u8"],
      ["table", 4, "u8"],
      ["protocol", 5, "u8"],
      ["scope", 6, "u8"],
      ["type", 7, "u8"],
      ["flags", 8, "u32"],
    ],
  },
  attributes: {
    destination: [1, address],
    oif: [4, link],
    gateway: [5, address],
    priority: [6, u32],
    prefsrc: [7, address],
    metrics: [8, nested(() => routeMetrics)],
    table: [15, u32],
    via: [18, via],
  },
};

export interface RouteHeader {
  family: number;
  destinationLength: number;
  sourceLength: number;
  tos: number;
  table: number;
  protocol: number;
  scope: number;
  type: number;
  flags: number;
}

export interface RouteAttributes extends WithUnknown {
  destination?: IpAddress;
  oif?: number | string;
  gateway?: IpAddress;
  priority?: number;
  prefsrc?: IpAddress;
  metrics?: RouteMetrics;
  /** All 32 bits of the table; the header has those below 256. */
  table?: number;
  via?: IpAddress;
}

/** RTAX_* */
export interface RouteMetrics extends WithUnknown {
  mtu?: number;
  advmss?: number;
}
const routeMetrics: AttributeTable<RouteMetrics> = { mtu: [2, u32], advmss: [8, u32] };
