import type { IpAddress } from "../ip/address.ts";
import {
  address,
  link,
  mac,
  nested,
  nestedMessage,
  netnsDescriptor,
  raw,
  repeated,
  text,
  u8,
  u16,
  u16be,
  u32,
  i32,
  unterminatedText,
} from "./netlink-codecs.ts";
import {
  type AttributeTable,
  type Codec,
  type MessageLayout,
  readAttributes,
  type StructLayout,
  type WithUnknown,
  writeAttributes,
} from "./netlink-message.ts";

/** RTM_*LINK: struct ifinfomsg (linux/rtnetlink.h) and IFLA_* (linux/if_link.h). */
export const linkLayout: MessageLayout<LinkHeader, LinkAttributes> = {
  get header() {
    return linkHeader;
  },
  get attributes() {
    return linkAttributes;
  },
};

/** What is read of links: of an answer of 1.5 KB the rest is statistics and settings by family. */
export const foundLinkLayout: MessageLayout<
  LinkHeader,
  Omit<LinkAttributes, "afSpec" | "protinfo">
> = {
  get header() {
    return linkHeader;
  },
  get attributes() {
    return foundLinkAttributes;
  },
};

export interface LinkHeader {
  family: number;
  type: number;
  index: number;
  flags: number;
  change: number;
}

export interface LinkAttributes extends WithUnknown {
  ifname?: string;
  address?: string;
  mtu?: number;
  txqlen?: number;
  /** IFLA_LINK: parent, or the other end of a veth. */
  link?: number | string;
  master?: number | string;
  linkinfo?: LinkInfo;
  netNsFd?: number | string;
  ifalias?: string;
  group?: number;
  linkNetnsId?: number;
  extMask?: number;
  numTxQueues?: number;
  numRxQueues?: number;
  /** IFLA_AF_SPEC of every family but AF_BRIDGE. */
  afSpec?: AddressFamilies;
  protinfo?: BridgePort;
}

const linkHeader: StructLayout<LinkHeader> = {
  bytes: 16,
  fields: [
    ["family", 0, "u8"],
    ["type", 2, "u16"],
    ["index", 4, "i32"],
    ["flags", 8, "u32"],
    ["change", 12, "u32"],
  ],
};

/** IFLA_INFO_*: the kind says which table IFLA_INFO_DATA follows. */
export interface LinkInfo extends WithUnknown {
  kind?: string;
  data?: Veth | Bridge | Macvlan | Vxlan;
  slaveKind?: string;
  slaveData?: Uint8Array;
}

const linkInfo: Codec<LinkInfo> = {
  isNested: true,
  write: (writer, value) => writeAttributes(writer, linkInfoTable(value.kind), value),
  read: (from, start, end) => {
    const { kind } = readAttributes<{ kind?: string; unknown?: never }>(
      from,
      { start, end },
      { kind: [1, text] },
    );
    return readAttributes(from, { start, end }, linkInfoTable(kind));
  },
};

const linkAttributes: AttributeTable<LinkAttributes> = {
  address: [1, mac],
  ifname: [3, text],
  mtu: [4, u32],
  link: [5, link],
  master: [10, link],
  protinfo: [12, nested(() => bridgePort)],
  txqlen: [13, u32],
  linkinfo: [18, linkInfo],
  ifalias: [20, unterminatedText],
  afSpec: [26, nested(() => addressFamilies)],
  group: [27, u32],
  netNsFd: [28, netnsDescriptor],
  extMask: [29, u32],
  numTxQueues: [31, u32],
  numRxQueues: [32, u32],
  linkNetnsId: [37, i32],
};

const { afSpec: _afSpec, protinfo: _protinfo, ...foundLinkAttributes } = linkAttributes;

function linkInfoTable(kind: string | undefined): AttributeTable<LinkInfo> {
  return linkInfoTables.get(kind ?? "") ?? otherLinkInfo;
}

function linkInfoWith(data: Codec<WithUnknown>): AttributeTable<LinkInfo> {
  return { kind: [1, text], data: [2, data], slaveKind: [4, text], slaveData: [5, raw] };
}

/** linux/veth.h */
export interface Veth extends WithUnknown {
  peer?: { header: Partial<Record<keyof LinkHeader, number | string>>; attributes: LinkAttributes };
}
const veth: AttributeTable<Veth> = { peer: [1, nestedMessage(() => linkLayout)] };

/** IFLA_BR_* */
export interface Bridge extends WithUnknown {
  /** USER_HZ ticks: a hundredth of a second. */
  ageingTime?: number;
  vlanFiltering?: number;
}
const bridge: AttributeTable<Bridge> = { ageingTime: [4, u32], vlanFiltering: [7, u8] };

/** IFLA_MACVLAN_* */
export interface Macvlan extends WithUnknown {
  mode?: number;
  /** enum macvlan_macaddr_mode */
  macMode?: number;
  /** Of one length each: six bytes. */
  macs?: readonly string[];
}
const macvlan: AttributeTable<Macvlan> = {
  mode: [1, u32],
  macMode: [3, u32],
  macs: [5, repeated(4, mac)],
};

/** MACVLAN_MACADDR_SET */
export const MACVLAN_MACADDR_SET = 3;

/** enum macvlan_mode */
export const macvlanModes: {
  readonly [Mode in "private" | "vepa" | "bridge" | "passthru" | "source"]: number;
} = { private: 1, vepa: 2, bridge: 4, passthru: 8, source: 16 };

/** IFLA_VXLAN_* */
export interface Vxlan extends WithUnknown {
  id?: number;
  link?: number | string;
  local?: IpAddress;
  local6?: IpAddress;
  learning?: number;
  port?: number;
}
const vxlan: AttributeTable<Vxlan> = {
  id: [1, u32],
  link: [3, link],
  local: [4, address],
  learning: [7, u8],
  port: [15, u16be],
  local6: [17, address],
};

/** Kinds without a table keep their data as bytes in `unknown`. */
const otherLinkInfo: AttributeTable<LinkInfo> = linkInfoWith({
  write: () => {},
  read: () => undefined,
});
const linkInfoTables: ReadonlyMap<string, AttributeTable<LinkInfo>> = new Map([
  ["veth", linkInfoWith(nested(() => veth))],
  ["bridge", linkInfoWith(nested(() => bridge))],
  ["macvlan", linkInfoWith(nested(() => macvlan))],
  ["vxlan", linkInfoWith(nested(() => vxlan))],
]);

/** IFLA_AF_SPEC: one attribute for each address family, by its number. */
export interface AddressFamilies extends WithUnknown {
  inet6?: Inet6;
}
const addressFamilies: AttributeTable<AddressFamilies> = { inet6: [10, nested(() => inet6)] };

/** IFLA_INET6_* */
export interface Inet6 extends WithUnknown {
  addrGenMode?: number;
}
const inet6: AttributeTable<Inet6> = { addrGenMode: [8, u8] };

/** IFLA_BRPORT_* */
export interface BridgePort extends WithUnknown {
  mode?: number;
  neighSuppress?: number;
  isolated?: number;
}
const bridgePort: AttributeTable<BridgePort> = {
  mode: [4, u8],
  neighSuppress: [32, u8],
  isolated: [33, u8],
};

/** AF_BRIDGE messages: IFLA_AF_SPEC holds IFLA_BRIDGE_* (linux/if_bridge.h) instead of families. */
export const bridgeLinkLayout: MessageLayout<LinkHeader, BridgeLinkAttributes> = {
  header: linkHeader,
  attributes: { protinfo: [12, nested(() => bridgePort)], afSpec: [26, nested(() => bridgeSpec)] },
};

export interface BridgeLinkAttributes extends WithUnknown {
  protinfo?: BridgePort;
  afSpec?: BridgeSpec;
}

export interface BridgeSpec extends WithUnknown {
  flags?: number;
  /** struct bridge_vlan_info: flags and id, 16 bits each. */
  vlanInfo?: BridgeVlan;
}
export interface BridgeVlan {
  flags: number;
  id: number;
}
const bridgeVlan: Codec<BridgeVlan> = {
  write: (writer, value) => {
    writer.u16(value.flags);
    writer.u16(value.id);
  },
  read: (from, start, end) =>
    end - start === 4
      ? { flags: from.view.getUint16(start, true), id: from.view.getUint16(start + 2, true) }
      : undefined,
};
const bridgeSpec: AttributeTable<BridgeSpec> = { flags: [0, u16], vlanInfo: [2, bridgeVlan] };
