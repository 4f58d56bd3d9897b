import type { IpAddress } from "../../ip/address.ts";
import type { PoolCursor } from "../../ipam/lease.ts";
import type { NetnsIdentity, NetnsPath } from "../../kernel/kernel.ts";
import type { NetworkPlugin } from "../../plugin-sdk/network-plugin.ts";
import type { InvokeRequest__Output } from "../../rpc/generated/patchbay/shim/v1/InvokeRequest.ts";
import type { NetworkDefinition } from "../networks/network-definition.ts";
import type { AttachmentId, AttachmentRecord } from "./attachment.ts";
import type { StepName } from "./steps.ts";

/**
 * All that the host's core needs of the world. The composition root (main.ts) gives the real ones;
 * the simulator gives fakes that crash, delay and fail by seed.
 */
export interface HostPorts {
  readonly clock: Clock;
  readonly store: Store;
  readonly plugins: PluginDirectory;
  readonly netns: NetnsProbe;
  readonly journal: DelJournal;
  readonly trace: Trace;
  readonly events: EventSink;
  readonly services: AttachmentServices;
  readonly definitions: NetworkDefinitions;
  readonly node: NodeView;
  readonly podWitnesses: PodWitnesses;
}

/** Time. Wall time may jump; monotonic time does not, and starts anywhere. */
export interface Clock {
  wallMs(): number;
  monotonicMs(): number;
  /** Calls once after a delay; the returned function cancels. */
  after(delayMs: number, call: () => void): () => void;
}

/** What survives the death of the process; see store-sqlite.ts for what survives power loss. */
export interface Store {
  load(): StoredState;
  /** One transaction: all or nothing. Throws PatchbayError IO_FAILURE and then nothing changed. */
  commit(changes: readonly StoreChange[]): void;
  /** Resolves when everything committed before the call survives power loss. */
  flush(): Promise<void>;
}

export interface StoredState {
  /** Boot id of the writer, "" when new. */
  readonly bootId: string;
  readonly networks: readonly { readonly name: string; readonly configJson: string }[];
  readonly attachments: readonly AttachmentRecord[];
  readonly leases: readonly StoredLease[];
  readonly cursors: readonly { readonly network: string; readonly cursor: PoolCursor }[];
}

/** An address that is held, or cooling since releasedWallMs. */
export interface StoredLease {
  readonly network: string;
  readonly address: IpAddress;
  readonly prefixLength: number;
  readonly gateway: IpAddress | undefined;
  readonly sequence: number;
  readonly attachmentId: AttachmentId;
  readonly containerId: string;
  readonly ifname: string;
  readonly podUid: string;
  readonly releasedWallMs: number | undefined;
}

export type StoreChange =
  | { readonly kind: "set-boot"; readonly bootId: string }
  | { readonly kind: "put-network"; readonly name: string; readonly configJson: string }
  /** With its cursor and what cooled on it. */
  | { readonly kind: "delete-network"; readonly name: string }
  | { readonly kind: "put-attachment"; readonly attachment: AttachmentRecord }
  | { readonly kind: "delete-attachment"; readonly id: AttachmentId }
  | { readonly kind: "put-lease"; readonly lease: StoredLease }
  /** Drops the cooling addresses of a network that were released before. */
  | {
      readonly kind: "forget-cooled";
      readonly network: string;
      readonly releasedBeforeWallMs: number;
    }
  | { readonly kind: "put-cursor"; readonly network: string; readonly cursor: PoolCursor };

/** Plugins by name, built in or connected. */
export interface PluginDirectory {
  /** Also one that cannot be called now: its information stays known. */
  find(name: string): NetworkPlugin | undefined;
  names(): readonly string[];
  /** Why a call would be refused at once: it is down, hung or has too many calls under way. Absent or "": it can be called. */
  troubleOf?(name: string): string;
}

/** What pods may ask for by name: NetworkAttachmentDefinitions and IPAMClaims. Answers from memory. */
export interface NetworkDefinitions {
  /** False until the first list: what is not there may yet come. */
  readonly isComplete: boolean;
  /** What of the source cannot be read and may be about networks, each with its place. */
  readonly problems: readonly string[];
  /** Throws PatchbayError INVALID_NETWORK_CONFIG: it is there, and this is wrong with it. */
  find(namespace: string, name: string): NetworkDefinition | undefined;
  list(): readonly DefinitionEntry[];
  hasClaim(namespace: string, name: string): boolean;
}

/** What the cluster says of this node, from memory. Without a cluster: NO_NODE_VIEW. */
export interface NodeView {
  /** Name of its Node object. Absent: there is no cluster. */
  readonly name?: string;
  /** Address ranges of the node's pods (Node spec.podCIDRs), canonical, at most one of a family; none: not known. */
  readonly podCidrs: readonly string[];
  /** Why pods should not come to this node yet; "": nothing is against it. CNI STATUS says so. */
  readonly unready: string;
}

export const NO_NODE_VIEW: NodeView = { podCidrs: [], unready: "" };

/** Others who know which pods there are: the container runtime, the API server. */
export interface PodWitnesses {
  /** What each of them says now. Who cannot say anything now (no connection, no list yet) is left out. Never rejects. */
  ask(): Promise<readonly PodTestimony[]>;
}

export const NO_POD_WITNESSES: PodWitnesses = { ask: () => Promise.resolve([]) };

export interface PodTestimony {
  /** What it says against a pod that it does not have. */
  readonly witness: "not-in-sandbox-list" | "not-in-pod-list";
  /** False just after it came back: what it has counts, what it lacks may come yet. */
  readonly isSettled: boolean;
  /** Another one each time that it came back: what it knew before says nothing then. */
  readonly life: string;
  has(record: AttachmentRecord): boolean;
}

export interface DefinitionEntry {
  readonly namespace: string;
  readonly name: string;
  /** "networks.yaml:12", "" when unknown. */
  readonly place: string;
  /** Undefined: it cannot be read, for the reason given. */
  readonly definition: NetworkDefinition | undefined;
  readonly problem: string;
}

/** Looks at network namespaces. */
export interface NetnsProbe {
  /** Undefined: nothing, or not a network namespace, is there. */
  identify(path: NetnsPath): Promise<NetnsIdentity | undefined>;
}

/** DELs that the shim wrote while the host was down. */
export interface DelJournal {
  /** Oldest first, at most LIMITS.journalBatchMax. */
  read(): Promise<readonly DelJournalEntry[]>;
  /** Absent is success. */
  remove(name: string): Promise<void>;
  /** Puts an entry aside that cannot be read, so that a person can look at it. */
  setAside(name: string): Promise<void>;
}

export interface DelJournalEntry {
  readonly name: string;
  /** When the shim wrote it: an attachment made later is not meant. */
  readonly writtenWallMs: number;
  /** Undefined: not a request. */
  readonly request: InvokeRequest__Output | undefined;
}

/** Follows one call through its steps. */
export interface Trace {
  begin(verb: string): CallTrace;
}

export interface CallTrace {
  reached(step: StepName): void;
  end(outcome: "ok" | "error"): void;
}

/** The node's Services, as far as attachments are concerned. */
export interface AttachmentServices {
  /** After a start: all attachments that stand. */
  restore(records: readonly AttachmentRecord[]): void;
  /** Makes its host ports lead to an attachment, and resolves when they do. Throws PatchbayError; withdraw() follows then. */
  publish(record: AttachmentRecord): Promise<void>;
  /** Its host ports lead nowhere any more. What has none is success. */
  withdraw(id: AttachmentId): void;
  /**
   * Waits until the Services of this moment are programmed, for a bounded time, where the host is
   * configured to; undefined: it is not. Never rejects.
   */
  settle(record: AttachmentRecord): Promise<void> | undefined;
}

/** Something that an operator may want to know. */
export interface HostEvent {
  readonly kind: EventKind;
  readonly subject: string;
  readonly message: string;
  /** The attachment that came, or that went. */
  readonly attachment?: AttachmentRecord;
  /** For people who look at the object, not at the host. */
  readonly about?: AboutObject;
}

/** An object of the cluster that an event is about, and what is to be told there. */
export interface AboutObject {
  readonly kind: "Pod" | "NetworkAttachmentDefinition";
  readonly namespace: string;
  readonly name: string;
  /** "": not known. */
  readonly uid: string;
  /** What went wrong, without whom it is about. */
  readonly sentence: string;
}

export type EventKind =
  | "started"
  | "rebooted"
  | "attached"
  | "attach-failed"
  | "detached"
  | "detach-failed"
  | "claim-released"
  | "definition-failed"
  | "drift-found"
  | "drift-repaired"
  | "plugin-misbehaved"
  | "leak-candidate"
  | "leak-freed"
  | "orphan-removed"
  | "journal-replayed"
  | "journal-set-aside"
  | "imported"
  | "flush-failed"
  | "reconcile-failed"
  | "network-repaired"
  | "stop-incomplete"
  | "plugin-joined"
  | "plugin-left"
  | "plugin-failed"
  | "plugin-recovered"
  | "services-failed"
  | "services-recovered"
  | "services-refused"
  | "services-repaired"
  | "services-source-failed"
  | "services-edge-failed"
  | "services-plane-joined"
  | "services-plane-left"
  | "services-wait-failed"
  | "kubernetes-connected"
  | "kubernetes-failed"
  | "kubernetes-relisted"
  | "kubernetes-publish-failed"
  | "runtime-failed"
  | "runtime-recovered";

export interface EventSink {
  emit(event: HostEvent): void;
}
