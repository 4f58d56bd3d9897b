import type { IpAddress, IpPrefix } from "../ip/address.ts";
import type {
  AddQdisc,
  DeleteQdisc,
  Qdisc,
  QdiscPlace,
  Redirect,
  SetRedirect,
} from "./traffic-control.ts";

/** Path of a network namespace, for example "/run/netns/x" or "/proc/12/ns/net". Checked by whoever brands it. */
export type NetnsPath = string & { readonly __brand: "NetnsPath" };

/**
 * Everything that Patchbay asks of Linux networking. The real one talks rtnetlink from one worker
 * thread (rtnetlink-kernel.ts), the fake keeps tables in memory (fake-kernel.ts); both pass
 * kernel-suite.ts. Every failure is a KernelError.
 */
export interface Kernel {
  /**
   * Runs operations in order, batch by batch, each batch in its namespace. The first failure is
   * the one reported, and no later batch runs. What ran before it stays, and operations after it in
   * the SAME batch may have run as well: netlink has no transaction, and messages that share one
   * send are all tried. The caller undoes everything that its batches could have done.
   */
  apply(batches: readonly NetnsBatch[]): Promise<ApplyResult>;

  /**
   * Removes links by name and answers when the kernel has removed them. Calls that arrive while
   * a removal runs share the next one (a removal costs 20-40 ms, however many links it has).
   * An absent link or namespace is success.
   */
  removeLinks(names: readonly string[], netns?: NetnsPath): Promise<void>;

  /** Links of a namespace, in the kernel's order. */
  links(netns?: NetnsPath): Promise<readonly Link[]>;
  /** One link, without a dump. */
  findLink(name: string, netns?: NetnsPath): Promise<Link | undefined>;
  addresses(netns?: NetnsPath): Promise<readonly LinkAddress[]>;
  /** Routes of every table and both families. */
  routes(netns?: NetnsPath): Promise<readonly Route[]>;
  neighbours(netns?: NetnsPath): Promise<readonly Neighbour[]>;

  /** A link's queueing discipline; undefined where there is none, or no such link. */
  findQdisc(
    at: { readonly ifindex: number; readonly place: QdiscPlace },
    netns?: NetnsPath,
  ): Promise<Qdisc | undefined>;
  /** Where what a link receives is redirected to. */
  redirects(ifindex: number, netns?: NetnsPath): Promise<readonly Redirect[]>;

  /** Reads net.* sysctl, path by segments, for example ["net","ipv4","ip_forward"]. */
  readSysctl(path: readonly string[], netns?: NetnsPath): Promise<string>;

  /** Identity of the namespace behind a path; undefined when nothing or no network namespace is there. */
  netnsIdentity(path: NetnsPath): Promise<NetnsIdentity | undefined>;
  /** Makes a namespace and mounts it at the path (file made when absent, its folder must exist). */
  createNetns(path: NetnsPath): Promise<void>;
  /** Unmounts and removes the path. Absent is success. */
  deleteNetns(path: NetnsPath): Promise<void>;

  /**
   * Tells of changes in the node's own namespace until the returned function is called. After the
   * kernel dropped events (ENOBUFS) a "resync" event says that everything may have changed. `kinds` are those
   * that the listener wants; absent: all. What nobody wants is not even made.
   */
  monitor(
    listener: (event: KernelEvent) => void,
    kinds?: readonly MonitoredKind[],
  ): Promise<() => Promise<void>>;

  /** Closes sockets and the worker. */
  close(): Promise<void>;
}

export interface NetnsBatch {
  /** Absent: the node's own namespace. */
  readonly netns?: NetnsPath;
  readonly operations: readonly KernelOperation[];
}

export interface ApplyResult {
  /** Interface index by link name of each "add-link" in the node's own namespace. */
  readonly ifindexes: ReadonlyMap<string, number>;
}

/** What to do when the object exists: report EEXIST, leave it, or overwrite it. */
export type IfExists = "fail" | "keep" | "replace";

/** One change. Links are named; names are resolved inside the batch's namespace. */
export type KernelOperation =
  | AddLink
  | SetLink
  | AddAddress
  | DeleteAddress
  | AddRoute
  | DeleteRoute
  | AddNeighbour
  | DeleteNeighbour
  | AddQdisc
  | DeleteQdisc
  | SetRedirect
  | SetSysctl;

export interface AddLink {
  readonly kind: "add-link";
  readonly name: string;
  readonly link: LinkKind;
  readonly mtu?: number;
  /** "02:00:00:00:00:01" */
  readonly mac?: string;
  /** Name of the bridge (or other master) in the same namespace. */
  readonly master?: string;
  /** Default "fail". "replace" is refused: a link cannot be replaced. */
  readonly ifExists?: "fail" | "keep";
}

export type LinkKind =
  | { readonly type: "veth"; readonly peer: VethPeer }
  | { readonly type: "bridge"; readonly vlanFiltering?: boolean; readonly ageingSeconds?: number }
  /** An intermediate functional block: what is redirected to it waits in its qdisc and goes on where it was. */
  | { readonly type: "ifb" }
  | {
      readonly type: "macvlan";
      /** Link in the namespace of the batch. */
      readonly parent: string;
      /** With "passthru" the link has its parent's MAC address, whatever `mac` says. */
      readonly mode: MacvlanMode;
      /** Mode "source": the only senders that are heard. */
      readonly sourceMacs?: readonly string[];
      /** Where the new link is put. Absent: the batch's namespace. */
      readonly netns?: NetnsPath;
    }
  | {
      readonly type: "vxlan";
      readonly vni: number;
      readonly port?: number;
      readonly local?: IpAddress;
      readonly parent?: string;
      readonly learning?: boolean;
    };

export type MacvlanMode = "private" | "vepa" | "bridge" | "passthru" | "source";

export interface VethPeer {
  readonly name: string;
  /** Made there at once, so that it never shows up in the node. Absent: the batch's namespace. */
  readonly netns?: NetnsPath;
  readonly mac?: string;
  readonly mtu?: number;
}

export interface SetLink {
  readonly kind: "set-link";
  readonly name: string;
  readonly up?: boolean;
  readonly mtu?: number;
  readonly mac?: string;
  /** Packets that may wait in a default qdisc. */
  readonly txQueueLength?: number;
  /** IFF_PROMISC, IFF_ALLMULTI: frames for other MAC addresses, all multicast ones. */
  readonly promisc?: boolean;
  readonly allMulticast?: boolean;
  /** Text of at most 255 bytes that the kernel keeps with the link. */
  readonly alias?: string;
  /** null: no master. */
  readonly master?: string | null;
  readonly rename?: string;
  /** Move to another namespace; null: the node's own. With `rename` at once, also where the old name is taken there. */
  readonly netns?: NetnsPath | null;
  /** IPv6 link-local address: 0 from MAC, 1 none (IFLA_INET6_ADDR_GEN_MODE). */
  readonly addrGenMode?: 0 | 1;
  /** Bridge port flags. */
  readonly hairpin?: boolean;
  readonly isolated?: boolean;
  /** Bridge port: ARP and NDP for what the bridge itself has are not sent there. */
  readonly neighSuppress?: boolean;
  /** Bridge: VLAN filtering, where the kernel has it. */
  readonly vlanFiltering?: boolean;
  /** Bridge port: access VLAN (pvid, untagged). */
  readonly accessVlan?: number;
}

export interface AddAddress {
  readonly kind: "add-address";
  readonly link: string;
  readonly address: IpPrefix;
  /** IFA_F_NODAD. Default true: IPAM guarantees uniqueness. */
  readonly noDad?: boolean;
  /** IFA_F_NOPREFIXROUTE. Default false. */
  readonly noPrefixRoute?: boolean;
  readonly scope?: "global" | "link" | "host";
  /** Default "fail". */
  readonly ifExists?: IfExists;
}

export interface DeleteAddress {
  readonly kind: "delete-address";
  readonly link: string;
  readonly address: IpPrefix;
  /** Default true: absent is success. */
  readonly missingOk?: boolean;
}

export interface AddRoute {
  readonly kind: "add-route";
  /** Host bits must be clear; 0.0.0.0/0 and ::/0 are the default routes. */
  readonly destination: IpPrefix;
  readonly gateway?: IpAddress;
  readonly link?: string;
  /** RTNH_F_ONLINK: the gateway needs no route of its own. */
  readonly onlink?: boolean;
  readonly table?: number;
  readonly mtu?: number;
  readonly advmss?: number;
  readonly metric?: number;
  readonly source?: IpAddress;
  readonly scope?: "universe" | "link" | "host";
  /** Default "fail". */
  readonly ifExists?: IfExists;
}

export interface DeleteRoute {
  readonly kind: "delete-route";
  readonly destination: IpPrefix;
  readonly gateway?: IpAddress;
  readonly link?: string;
  readonly table?: number;
  readonly metric?: number;
  /** Default true: absent is success. */
  readonly missingOk?: boolean;
}

export interface AddNeighbour {
  readonly kind: "add-neighbour";
  readonly link: string;
  readonly address: IpAddress;
  /** Absent with proxy: an NTF_PROXY entry. */
  readonly mac?: string;
  readonly proxy?: boolean;
  /**
   * Vxlan forwarding entry (AF_BRIDGE): then address is the remote tunnel end. With the unspecified
   * address: an entry in the table of the bridge whose port the link is.
   */
  readonly forwarding?: boolean;
  /** Default "fail". Entries are permanent. */
  readonly ifExists?: IfExists;
}

export interface DeleteNeighbour {
  readonly kind: "delete-neighbour";
  readonly link: string;
  readonly address: IpAddress;
  readonly mac?: string;
  readonly proxy?: boolean;
  readonly forwarding?: boolean;
  /** Default true: absent is success. */
  readonly missingOk?: boolean;
}

/** Writes /proc/sys/… inside the namespace. The first segment must be "net". */
export interface SetSysctl {
  readonly kind: "set-sysctl";
  readonly path: readonly string[];
  readonly value: string;
}

export interface Link {
  readonly ifindex: number;
  readonly name: string;
  /** IFLA_INFO_KIND: "veth", "bridge"…; "" where the kernel gives none (lo, hardware). */
  readonly type: string;
  readonly mac: string;
  readonly mtu: number;
  /** IFF_UP: administratively up. */
  readonly up: boolean;
  /** IFF_RUNNING: carrier as well. */
  readonly running: boolean;
  readonly txQueueLength: number;
  /** Asked for by somebody; a bridge or a packet socket asks elsewhere. */
  readonly promisc: boolean;
  readonly allMulticast: boolean;
  readonly masterIfindex?: number;
  /** IFLA_LINK: the other end of a veth, the parent of a macvlan; in another namespace when linkNetnsId is set. */
  readonly linkIfindex?: number;
  readonly linkNetnsId?: number;
  readonly alias: string;
  readonly group: number;
  readonly macvlanMode?: MacvlanMode;
  readonly vxlan?: VxlanDetail;
  /** Attributes that have no field here, by number: nothing that the kernel said is lost. */
  readonly unknown: ReadonlyMap<number, Uint8Array>;
}

/** IFLA_VXLAN_* */
export interface VxlanDetail {
  readonly vni: number;
  readonly port: number;
  readonly local?: IpAddress;
  readonly parentIfindex?: number;
}

export interface LinkAddress {
  readonly ifindex: number;
  readonly address: IpPrefix;
  readonly scope: number;
  /** IFA_F_* */
  readonly flags: number;
  readonly unknown: ReadonlyMap<number, Uint8Array>;
}

export interface Route {
  readonly destination: IpPrefix;
  readonly gateway?: IpAddress;
  readonly ifindex?: number;
  readonly table: number;
  readonly protocol: number;
  readonly scope: number;
  readonly type: number;
  readonly metric?: number;
  readonly mtu?: number;
  readonly advmss?: number;
  readonly source?: IpAddress;
  readonly onlink: boolean;
  readonly unknown: ReadonlyMap<number, Uint8Array>;
}

export interface Neighbour {
  readonly ifindex: number;
  readonly address: IpAddress;
  readonly mac: string;
  /** NUD_* */
  readonly state: number;
  readonly proxy: boolean;
  /** Of AF_BRIDGE: address is the remote tunnel end. */
  readonly forwarding: boolean;
  readonly unknown: ReadonlyMap<number, Uint8Array>;
}

export interface NetnsIdentity {
  readonly device: bigint;
  readonly inode: bigint;
}

export type MonitoredKind = "link" | "address" | "route";

export type KernelEvent =
  | { readonly kind: "link"; readonly change: "new" | "deleted"; readonly link: Link }
  | { readonly kind: "address"; readonly change: "new" | "deleted"; readonly address: LinkAddress }
  | { readonly kind: "route"; readonly change: "new" | "deleted"; readonly route: Route }
  | { readonly kind: "resync" };
