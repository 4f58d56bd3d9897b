import type { AttachRequest__Output } from "../rpc/generated/patchbay/plugin/v1/AttachRequest.ts";
import type { AttachResponse__Output } from "../rpc/generated/patchbay/plugin/v1/AttachResponse.ts";
import type { Bandwidth__Output } from "../rpc/generated/patchbay/plugin/v1/Bandwidth.ts";
import type { CheckRequest__Output } from "../rpc/generated/patchbay/plugin/v1/CheckRequest.ts";
import type { DetachRequest__Output } from "../rpc/generated/patchbay/plugin/v1/DetachRequest.ts";
import type { Finding__Output } from "../rpc/generated/patchbay/plugin/v1/Finding.ts";
import type { GetInfoResponse__Output } from "../rpc/generated/patchbay/plugin/v1/GetInfoResponse.ts";
import type { ListedAttachment__Output } from "../rpc/generated/patchbay/plugin/v1/ListedAttachment.ts";
import type { ListRequest__Output } from "../rpc/generated/patchbay/plugin/v1/ListRequest.ts";
import type { RepairNetworkRequest__Output } from "../rpc/generated/patchbay/plugin/v1/RepairNetworkRequest.ts";
import type { StatusRequest__Output } from "../rpc/generated/patchbay/plugin/v1/StatusRequest.ts";
import type { StatusResponse__Output } from "../rpc/generated/patchbay/plugin/v1/StatusResponse.ts";

export type AttachRequest = AttachRequest__Output;
export type AttachResponse = AttachResponse__Output;
export type Bandwidth = Bandwidth__Output;
export type CheckRequest = CheckRequest__Output;
export type DetachRequest = DetachRequest__Output;
export type Finding = Finding__Output;
export type ListedAttachment = ListedAttachment__Output;
export type ListRequest = ListRequest__Output;
export type PluginInfo = GetInfoResponse__Output;
export type RepairNetworkRequest = RepairNetworkRequest__Output;
export type StatusRequest = StatusRequest__Output;
export type StatusResponse = StatusResponse__Output;

/**
 * patchbay.plugin.v1.Plugin and NetworkPlugin in TypeScript: the same messages, as plain objects.
 * proto/patchbay/plugin/v1/network.proto says what each call and field means. A failure is thrown;
 * PluginError says whether a retry may help.
 */
export interface NetworkPlugin {
  readonly info: PluginInfo;
  attach(request: AttachRequest, call?: PluginCall): Promise<AttachResponse>;
  detach(request: DetachRequest, call?: PluginCall): Promise<void>;
  check(request: CheckRequest, call?: PluginCall): Promise<readonly Finding[]>;
  list(request: ListRequest, call?: PluginCall): Promise<readonly ListedAttachment[]>;
  status(request: StatusRequest, call?: PluginCall): Promise<StatusResponse>;
  /** Only with CAPABILITY_REPAIR_NETWORK. */
  repairNetwork?(request: RepairNetworkRequest, call?: PluginCall): Promise<readonly Finding[]>;
}

/** What a call carries beside its request, where it comes over a socket. */
export interface PluginCall {
  /** Aborts when the caller hangs up, when its deadline passes, or when the plugin is stopped. */
  readonly signal: AbortSignal;
}

export type Capability = Exclude<PluginInfo["capabilities"][number], number>;

/** True when the plugin says that it can. */
export function can({ info }: Pick<NetworkPlugin, "info">, capability: Capability): boolean {
  return info.capabilities.includes(capability);
}

/** The part of an order that says what pods ask for, where nobody asks for anything. */
export const NO_WISHES: Pick<
  AttachRequest,
  | "requestedAddresses"
  | "bandwidth"
  | "infinibandGuid"
  | "portMappings"
  | "cniArgsJson"
  | "defaultRoute"
> = {
  requestedAddresses: [],
  bandwidth: null,
  infinibandGuid: "",
  portMappings: [],
  cniArgsJson: "",
  defaultRoute: "DEFAULT_ROUTE_UNSPECIFIED",
};

/** The order to take away what an order made. */
export function detachRequestOf(request: AttachRequest): DetachRequest {
  const { attachmentId, network, configJson, netns, ifname, addresses, sandboxId, pod } = request;
  return { attachmentId, network, configJson, netns, ifname, addresses, sandboxId, pod };
}

/** The order to take away an attachment of which only the id is known: an orphan. */
export function detachRequestOfId(attachmentId: string): DetachRequest {
  const unknown = { network: "", configJson: "{}", netns: "", ifname: "", sandboxId: "" };
  return { attachmentId, ...unknown, addresses: [], pod: null };
}

/** Why a plugin call failed. */
export type PluginErrorKind =
  /** The network's configuration cannot work, here or ever. */
  | "invalid-config"
  /** The interface name is taken inside the pod. */
  | "interface-exists"
  /** May pass: the kernel, a peer, a lack of memory. */
  | "transient";

/** A failure that a plugin explains. */
export class PluginError extends Error {
  override readonly name = "PluginError";
  readonly kind: PluginErrorKind;

  constructor(kind: PluginErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
