import {
  type BridgeLinkAttributes,
  bridgeLinkLayout,
  type LinkAttributes,
  type LinkInfo,
  foundLinkLayout,
  linkLayout,
  MACVLAN_MACADDR_SET,
  type Macvlan,
  macvlanModes,
  type Vxlan,
} from "./link-layout.ts";
import type { AddLink, Link, LinkKind, MacvlanMode, NetnsPath, SetLink } from "./kernel.ts";
import {
  type MessageBytes,
  type MessageWriter,
  readMessage,
  writeMessage,
} from "./netlink-message.ts";
import {
  AF_BRIDGE,
  BRIDGE_VLAN_INFO_PVID,
  BRIDGE_VLAN_INFO_UNTAGGED,
  IFF_ALLMULTI,
  IFF_PROMISC,
  IFF_RUNNING,
  IFF_UP,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_ECHO,
  NLM_F_EXCL,
  NLM_F_REQUEST,
  RTEXT_FILTER_SKIP_STATS,
  RTM_DELLINK,
  RTM_GETLINK,
  RTM_NEWLINK,
  RTM_SETLINK,
} from "./rtnetlink-constants.ts";

/** The worker opens paths while it is at home. */
const NODE_NETNS = "/proc/thread-self/ns/net" as NetnsPath;

/**
 * What a veth has anyway: without these the kernel makes a queue for each CPU, then gives all but one back
 * and waits for RCU with the rtnetlink lock held, once for each end (drivers/net/veth.c, veth_init_queues).
 * Four times as fast, and many times under load.
 */
const vethQueues = { numTxQueues: 1, numRxQueues: 1 };

/** A default VLAN that the kernel gives every bridge port: an access port leaves it. */
const DEFAULT_PVID = 1;

export function writeAddLink(writer: MessageWriter, operation: AddLink): void {
  const { link } = operation;
  const movesAway = link.type === "macvlan" && link.netns !== undefined;
  const attributes: LinkAttributes = { ifname: operation.name };
  if (link.type === "veth") Object.assign(attributes, vethQueues);
  if (operation.mtu !== undefined) attributes.mtu = operation.mtu;
  if (operation.mac !== undefined) attributes.address = operation.mac;
  if (operation.master !== undefined) attributes.master = operation.master;
  if (link.type === "macvlan") {
    attributes.link = link.parent;
    if (link.netns !== undefined) attributes.netNsFd = link.netns;
  }
  attributes.linkinfo = linkInfo(link);
  writeMessage(writer, linkLayout, {
    type: RTM_NEWLINK,
    // The echo carries the new index and, for a veth, the peer's as IFLA_LINK: no lookup. A link that
    // is made in another namespace would be echoed to that namespace's socket of our port id.
    flags: NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | (movesAway ? 0 : NLM_F_ECHO),
    header: {},
    attributes,
  });
}

function linkInfo(link: LinkKind): LinkInfo {
  switch (link.type) {
    case "veth": {
      const peer: LinkAttributes = { ifname: link.peer.name, ...vethQueues };
      if (link.peer.mtu !== undefined) peer.mtu = link.peer.mtu;
      if (link.peer.mac !== undefined) peer.address = link.peer.mac;
      if (link.peer.netns !== undefined) peer.netNsFd = link.peer.netns;
      return { kind: "veth", data: { peer: { header: {}, attributes: peer } } };
    }
    case "bridge":
      return {
        kind: "bridge",
        data: {
          ...(link.ageingSeconds === undefined ? {} : { ageingTime: link.ageingSeconds * 100 }),
          ...(link.vlanFiltering === undefined
            ? {}
            : { vlanFiltering: Number(link.vlanFiltering) }),
        },
      };
    case "ifb":
      return { kind: "ifb" };
    case "macvlan":
      return {
        kind: "macvlan",
        data: {
          mode: macvlanModes[link.mode],
          ...(link.sourceMacs === undefined
            ? {}
            : { macMode: MACVLAN_MACADDR_SET, macs: link.sourceMacs }),
        },
      };
    case "vxlan":
      return {
        kind: "vxlan",
        data: {
          id: link.vni,
          // The kernel's own default is 8472, from before the port was assigned.
          port: link.port ?? 4789,
          ...(link.parent === undefined ? {} : { link: link.parent }),
          ...(link.local?.family === 4 ? { local: link.local } : {}),
          ...(link.local?.family === 6 ? { local6: link.local } : {}),
          ...(link.learning === undefined ? {} : { learning: Number(link.learning) }),
        },
      };
  }
}

/** One to five messages: what the kernel cannot take in one, in the order that it needs. */
export function writeSetLink(writer: MessageWriter, operation: SetLink): void {
  const flags = NLM_F_REQUEST;
  const { name } = operation;
  if (operation.addrGenMode !== undefined) {
    // Before IFF_UP: do_setlink() reads IFLA_AF_SPEC after it has brought the link up, and by then
    // the kernel has made the address that mode 1 is to prevent.
    writeMessage(writer, linkLayout, {
      type: RTM_SETLINK,
      flags,
      header: {},
      attributes: { ifname: name, afSpec: { inet6: { addrGenMode: operation.addrGenMode } } },
    });
  }
  if (operation.vlanFiltering !== undefined) {
    // IFLA_LINKINFO of an existing link is read from NEWLINK only.
    writeMessage(writer, linkLayout, {
      type: RTM_NEWLINK,
      flags,
      header: {},
      attributes: {
        ifname: name,
        linkinfo: { kind: "bridge", data: { vlanFiltering: Number(operation.vlanFiltering) } },
      },
    });
  }
  writePlainSetLink(writer, operation);
  const renamed = operation.rename ?? name;
  const { hairpin, isolated, neighSuppress } = operation;
  if (hairpin !== undefined || isolated !== undefined || neighSuppress !== undefined) {
    writeBridgeSetLink(writer, renamed, {
      protinfo: {
        ...(hairpin === undefined ? {} : { mode: Number(hairpin) }),
        ...(isolated === undefined ? {} : { isolated: Number(isolated) }),
        ...(neighSuppress === undefined ? {} : { neighSuppress: Number(neighSuppress) }),
      },
    });
  }
  if (operation.accessVlan !== undefined) {
    const vlanFlags = BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED;
    writeBridgeSetLink(writer, renamed, {
      afSpec: { vlanInfo: { flags: vlanFlags, id: operation.accessVlan } },
    });
    if (operation.accessVlan !== DEFAULT_PVID) {
      writeMessage(writer, bridgeLinkLayout, {
        type: RTM_DELLINK,
        flags,
        header: { family: AF_BRIDGE, index: renamed },
        attributes: { afSpec: { vlanInfo: { flags: 0, id: DEFAULT_PVID } } },
      });
    }
  }
}

function writePlainSetLink(writer: MessageWriter, operation: SetLink): void {
  const { mtu, mac, alias, master, rename, netns, txQueueLength } = operation;
  const attributes: LinkAttributes = { ifname: rename ?? operation.name };
  const flags = flagsOf(operation);
  let changes = flags.change !== 0 || rename !== undefined || txQueueLength !== undefined;
  if (txQueueLength !== undefined) attributes.txqlen = txQueueLength;
  if (mtu !== undefined) attributes.mtu = mtu;
  if (mac !== undefined) attributes.address = mac;
  if (alias !== undefined) attributes.ifalias = alias;
  if (master !== undefined) attributes.master = master ?? 0;
  if (netns !== undefined) attributes.netNsFd = netns ?? NODE_NETNS;
  changes ||= mtu !== undefined || mac !== undefined || alias !== undefined;
  changes ||= master !== undefined || netns !== undefined;
  // An operation that only names a link asks whether it is there: SETLINK without a change tells.
  const isOnlyMessage =
    operation.addrGenMode === undefined &&
    operation.vlanFiltering === undefined &&
    operation.hairpin === undefined &&
    operation.isolated === undefined &&
    operation.neighSuppress === undefined &&
    operation.accessVlan === undefined;
  if (!changes && !isOnlyMessage) return;
  writeMessage(writer, linkLayout, {
    type: RTM_SETLINK,
    flags: NLM_F_REQUEST,
    header: {
      // A new name stands where the old one would be looked up.
      ...(rename === undefined ? {} : { index: operation.name }),
      ...flags,
    },
    attributes,
  });
}

function flagsOf({ up, promisc, allMulticast }: SetLink): { flags: number; change: number } {
  let flags = 0;
  let change = 0;
  for (const [bit, isOn] of [
    [IFF_UP, up],
    [IFF_PROMISC, promisc],
    [IFF_ALLMULTI, allMulticast],
  ] as const) {
    if (isOn === undefined) continue;
    change |= bit;
    if (isOn) flags |= bit;
  }
  return { flags, change };
}

/** rtnl_bridge_setlink() knows links by index only. */
function writeBridgeSetLink(
  writer: MessageWriter,
  name: string,
  attributes: BridgeLinkAttributes,
): void {
  writeMessage(writer, bridgeLinkLayout, {
    type: RTM_SETLINK,
    flags: NLM_F_REQUEST,
    header: { family: AF_BRIDGE, index: name },
    attributes,
  });
}

export function writeSetGroup(
  writer: MessageWriter,
  change: { readonly name: string; readonly group: number },
): void {
  writeMessage(writer, linkLayout, {
    type: RTM_SETLINK,
    flags: NLM_F_REQUEST,
    header: {},
    attributes: { ifname: change.name, group: change.group },
  });
}

/** Deletes one link by name, or all of a group. */
export function writeDeleteLink(
  writer: MessageWriter,
  which: { readonly name: string } | { readonly group: number },
): void {
  writeMessage(writer, linkLayout, {
    type: RTM_DELLINK,
    flags: NLM_F_REQUEST,
    header: {},
    attributes: "name" in which ? { ifname: which.name } : { group: which.group },
  });
}

/** Asks for all links, or for one by name. */
export function writeGetLink(writer: MessageWriter, name?: string): void {
  writeMessage(writer, linkLayout, {
    type: RTM_GETLINK,
    flags: NLM_F_REQUEST | (name === undefined ? NLM_F_DUMP : 0),
    header: {},
    attributes: {
      extMask: RTEXT_FILTER_SKIP_STATS,
      ...(name === undefined ? {} : { ifname: name }),
    },
  });
}

/** Reads an RTM_NEWLINK or RTM_DELLINK. */
export function readLink(
  from: MessageBytes,
  message: { readonly start: number; readonly end: number },
): Link {
  // A link has some forty attributes that nobody reads: as objects they take 12 KB.
  const { header, attributes } = readMessage(
    { ...from, skipsUnknown: true },
    message,
    foundLinkLayout,
  );
  return {
    ifindex: header.index,
    name: attributes.ifname ?? "",
    type: attributes.linkinfo?.kind ?? "",
    mac: attributes.address ?? "",
    mtu: attributes.mtu ?? 0,
    up: (header.flags & IFF_UP) !== 0,
    running: (header.flags & IFF_RUNNING) !== 0,
    txQueueLength: attributes.txqlen ?? 0,
    promisc: (header.flags & IFF_PROMISC) !== 0,
    allMulticast: (header.flags & IFF_ALLMULTI) !== 0,
    ...(attributes.master === undefined ? {} : { masterIfindex: Number(attributes.master) }),
    ...(attributes.link === undefined ? {} : { linkIfindex: Number(attributes.link) }),
    ...(attributes.linkNetnsId === undefined ? {} : { linkNetnsId: attributes.linkNetnsId }),
    alias: attributes.ifalias ?? "",
    group: attributes.group ?? 0,
    ...detailOf(attributes.linkinfo),
    get unknown() {
      return readMessage(from, message, linkLayout).attributes.unknown ?? noUnknown;
    },
  };
}

function detailOf(info: LinkInfo | undefined): Pick<Link, "macvlanMode" | "vxlan"> {
  if (info?.kind === "macvlan") {
    const { mode: number = 0 }: Macvlan = info.data ?? {};
    const mode = modeNames.get(number);
    return mode === undefined ? {} : { macvlanMode: mode };
  }
  if (info?.kind !== "vxlan") return {};
  const { id = 0, port = 0, local, local6, link }: Vxlan = info.data ?? {};
  const address = local ?? local6;
  return {
    vxlan: {
      vni: id,
      port,
      ...(address === undefined ? {} : { local: address }),
      ...(link === undefined ? {} : { parentIfindex: Number(link) }),
    },
  };
}

const modeNames: ReadonlyMap<number, MacvlanMode> = new Map(
  Object.entries(macvlanModes).map(([name, number]) => [number, name as MacvlanMode]),
);
const noUnknown: ReadonlyMap<number, Uint8Array> = new Map();
