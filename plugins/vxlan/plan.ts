import { formatAddress, type IpAddress } from "../../src/ip/address.ts";
import type { KernelOperation, Link, Neighbour, NetnsBatch } from "../../src/kernel/kernel.ts";
import {
  type BridgedPod,
  bridgeOperations,
  type BridgePort,
  planBridgedPod,
} from "../../src/plugin-sdk/bridged-pod.ts";
import { formatSegmentAlias, macOfName } from "../../src/plugin-sdk/link-names.ts";
import { type AttachRequest, PluginError } from "../../src/plugin-sdk/network-plugin.ts";
import { readVxlanConfig, type VxlanConfig } from "./config.ts";
import type { Underlay } from "./underlay.ts";

/** A segment as this node shall have it. */
export interface SegmentPlan {
  readonly config: VxlanConfig;
  readonly network: string;
  readonly linkName: string;
  /** Of the vxlan link: by it a segment is known to be ours. It names no attachment. */
  readonly alias: string;
  readonly local: IpAddress;
  readonly parent: Link | undefined;
  /** Of the link, the bridge and the pods: what the underlay carries less what VXLAN adds. */
  readonly mtu: number;
  readonly port: BridgePort;
  readonly entries: readonly ForwardingEntry[];
}

/** A MAC address behind a peer; all-zero: whatever nobody knows better (head-end replication). */
export interface ForwardingEntry {
  readonly mac: string;
  readonly peer: IpAddress;
}

/** Outer Ethernet 14, IP 20 or 40, UDP 8, VXLAN 8 (RFC 7348, section 5). */
const OVERHEAD: Readonly<Record<4 | 6, number>> = { 4: 50, 6: 70 };

const FLOOD_MAC = "00:00:00:00:00:00";

/** NUD_PERMANENT, linux/neighbour.h: what is set, not what is learnt. */
const NUD_PERMANENT = 0x80;

export function planSegment(
  request: { readonly network: string; readonly configJson: string },
  options: { readonly underlay: Underlay; readonly holder: string },
): SegmentPlan {
  const { underlay, holder } = options;
  const { network } = request;
  const config = readVxlanConfig(request.configJson);
  const { link, local } = underlay;
  const isOther = (peer: IpAddress) =>
    // One link has ends of one family (vxlan_fdb_parse()); a list may name both of each node.
    peer.family === local.family && !underlay.own.some((own) => isSame(own, peer));
  return {
    config,
    network,
    linkName: `vxlan${config.vni}`,
    alias: formatSegmentAlias({ plugin: holder, network }),
    local,
    parent: config.parent === "" ? undefined : link,
    mtu: link.mtu - OVERHEAD[local.family],
    // Another one on each node: a bridge warns of frames that come in with its own address.
    port: {
      bridge: config.bridge,
      bridgeMac: macOfName(`${config.bridge}/${formatAddress(local)}`),
    },
    entries: [
      ...config.peers.filter(isOther).map((peer) => ({ mac: FLOOD_MAC, peer })),
      ...config.fdb.filter(({ peer }) => isOther(peer)),
    ],
  };
}

/** A pod of the segment. Throws PluginError "invalid-config" for what the underlay does not carry. */
export function planPod(request: AttachRequest, segment: SegmentPlan, holder: string): BridgedPod {
  if (request.mtu > segment.mtu) {
    const why = `mtu is ${request.mtu}, but what carries the segment leaves ${segment.mtu}`;
    throw new PluginError("invalid-config", why);
  }
  return planBridgedPod(request, { port: segment.port, defaultMtu: segment.mtu, holder });
}

/** The bridge, and the gateways on it where the network asks for it. */
export function networkBatches(request: AttachRequest, segment: SegmentPlan): NetnsBatch[] {
  const { port, config } = segment;
  return [{ operations: bridgeOperations(request, { port, holdsGateways: config.isGateway }) }];
}

/** The vxlan link on its bridge. */
export function segmentBatches(segment: SegmentPlan, isThere: boolean): NetnsBatch[] {
  const { config, linkName: name, local, parent, mtu, port } = segment;
  const { vni, isGateway } = config;
  const create: KernelOperation = {
    kind: "add-link",
    name,
    mtu,
    link: {
      type: "vxlan",
      vni,
      port: config.port,
      local,
      ...(parent ? { parent: parent.name } : {}),
      learning: true,
    },
  };
  return [
    {
      operations: [
        ...(isThere ? [] : [create]),
        { kind: "set-link", name, alias: segment.alias, mtu, addrGenMode: 1, master: port.bridge },
        // Each node has the gateway: nobody asks the others for it.
        { kind: "set-link", name, neighSuppress: isGateway },
        { kind: "set-link", name, up: true },
      ],
    },
  ];
}

/** True when the link was made with what the plan says: none of it can be changed. */
export function isMadeAs(link: Link, segment: SegmentPlan): boolean {
  const { vxlan } = link;
  const { config, local, parent } = segment;
  return (
    vxlan !== undefined &&
    vxlan.vni === config.vni &&
    vxlan.port === config.port &&
    vxlan.local !== undefined &&
    isSame(vxlan.local, local) &&
    vxlan.parentIfindex === parent?.ifindex
  );
}

/** What is missing of the forwarding entries, and what is too much. */
export function compareEntries(
  segment: SegmentPlan,
  link: Link,
  found: readonly Neighbour[],
): { readonly missing: ForwardingEntry[]; readonly extra: ForwardingEntry[] } {
  const set = found
    .filter(
      ({ forwarding, ifindex, state }) =>
        forwarding && ifindex === link.ifindex && (state & NUD_PERMANENT) !== 0,
    )
    .map(({ mac, address }): ForwardingEntry => ({ mac, peer: address }));
  const wanted = new Set(segment.entries.map(entryText));
  const present = new Set(set.map(entryText));
  return {
    missing: segment.entries.filter((entry) => !present.has(entryText(entry))),
    extra: set.filter((entry) => !wanted.has(entryText(entry))),
  };
}

/** Extra ones first: a MAC address that moved has one place. */
export function entryOperations(
  segment: SegmentPlan,
  changes: {
    readonly missing: readonly ForwardingEntry[];
    readonly extra: readonly ForwardingEntry[];
  },
): KernelOperation[] {
  const link = segment.linkName;
  return [
    ...changes.extra.map(
      ({ mac, peer }): KernelOperation => ({
        kind: "delete-neighbour",
        link,
        mac,
        address: peer,
        forwarding: true,
      }),
    ),
    ...changes.missing.map(
      ({ mac, peer }): KernelOperation => ({
        kind: "add-neighbour",
        link,
        mac,
        address: peer,
        forwarding: true,
        ifExists: "replace",
      }),
    ),
  ];
}

export function entryText({ mac, peer }: ForwardingEntry): string {
  return `${mac === FLOOD_MAC ? "all" : mac} by ${formatAddress(peer)}`;
}

function isSame(one: IpAddress, other: IpAddress): boolean {
  return one.family === other.family && one.value === other.value;
}
