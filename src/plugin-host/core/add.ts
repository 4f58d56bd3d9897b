import { IpamError } from "../../ipam/ipam-error.ts";
import type { Lease } from "../../ipam/lease.ts";
import type { NetnsPath } from "../../kernel/kernel.ts";
import {
  type AttachResponse,
  type NetworkPlugin,
  PluginError,
} from "../../plugin-sdk/network-plugin.ts";
import {
  checkMtu,
  checkPluginConfig,
  MAC_PATTERN,
  mergeRequested,
  parseRequested,
} from "../cni/network-config.ts";
import type { CniRequest } from "../cni/request.ts";
import { toCniResult } from "../cni/result.ts";
import { type ErrorCode, formatErrorChain, PatchbayError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { type AttachmentRecord, attachmentIdOf } from "./attachment.ts";
import { type HostContext, requirePlugin } from "./context.ts";
import { describePod, detachRecord, rollBackRecord } from "./detach.ts";
import { requireFreeHostPorts } from "./host-ports.ts";
import { identifyNetns } from "./netns.ts";
import { planAttach } from "./plan.ts";
import type { CallTrace } from "./ports.ts";

type AddRequest = Extract<CniRequest, { verb: "ADD" }>;

/**
 * CNI ADD: check, plan and allocate, record, attach, record the outcome, answer. The caller holds
 * the container's lock. A failure leaves nothing: what was done is undone, and what cannot be
 * undone now stands as "detaching" and is finished by reconciliation.
 */
export async function add(
  context: HostContext,
  request: AddRequest,
  trace: CallTrace,
): Promise<object> {
  const { config } = request;
  if (config.prevResult !== undefined) {
    throw new PatchbayError(
      "INVALID_NETWORK_CONFIG",
      "prevResult is given, expected nothing: patchbay must be the first plugin of its list",
    );
  }
  const plugin = requirePlugin(context, config.plugin);
  checkMtu(config);
  checkPluginConfig(config.configJson, plugin.info.configSchemaJson);
  const identity = await requireNetns(context, request.netns);

  const id = attachmentIdOf({ network: config.name, ...request });
  const existing = context.state.attachments.get(id);
  if (existing?.state.kind === "attached" && existing.netnsIdentity === identity) {
    const again = await attachAgain(context, existing);
    return toCniResult(again, config.dns, config.cniVersion);
  }
  // Half made, half removed, or of a namespace that is gone: away with it before the new one.
  if (existing) await detachRecord(context, existing, trace);

  const record = recordAttachment(context, request, identity, trace);
  try {
    const response = await attachByPlugin(context, plugin, record);
    trace.reached("add.attached");
    const attachment: AttachmentRecord = { ...record, state: { kind: "attached", response } };
    await publish(context, attachment);
    trace.reached("add.published");
    context.state.commit([{ kind: "put-attachment", attachment }]);
    trace.reached("add.confirmed");
    context.ports.events.emit({
      kind: "attached",
      subject: id,
      attachment,
      message: `${record.ifname} of ${describePod(record)} joined network ${record.network}`,
    });
    return toCniResult(response, config.dns, config.cniVersion);
  } catch (error) {
    context.ports.events.emit({
      kind: "attach-failed",
      subject: id,
      message: `${record.ifname} of ${describePod(record)}: ${formatErrorChain(error)}`,
    });
    await rollBack(context, record, trace);
    throw error;
  }
}

/**
 * ADD of what is attached: the same answer, by the plugin that made it, whatever the configuration
 * names by now. From here on it is a new wish: a DEL that the journal still holds came before it
 * and must not hit it, and whoever doubted it was wrong.
 */
async function attachAgain(
  context: HostContext,
  existing: AttachmentRecord,
): Promise<AttachResponse> {
  const plugin = requirePlugin(context, existing.plugin);
  const response = await attachByPlugin(context, plugin, existing);
  await publish(context, existing);
  const createdWallMs = context.ports.clock.wallMs();
  context.state.commit([{ kind: "put-attachment", attachment: { ...existing, createdWallMs } }]);
  context.leaks.clear(existing.id);
  return response;
}

/** Whoever is told that the pod runs may dial it by its host ports, and it may dial Services. */
async function publish(context: HostContext, attachment: AttachmentRecord): Promise<void> {
  const { services } = context.ports;
  try {
    if (attachment.portMappings) await services.publish(attachment);
  } catch (cause) {
    if (cause instanceof PatchbayError) throw cause;
    const what = `Cannot open the host ports of ${describePod(attachment)}`;
    throw new PatchbayError("NOT_PROGRAMMED", what, { cause });
  }
  await services.settle(attachment);
}

/** Allocates and records in one go: nothing can come between the two. */
function recordAttachment(
  context: HostContext,
  request: AddRequest,
  netnsIdentity: string,
  trace: CallTrace,
): AttachmentRecord {
  const { state, ports } = context;
  const { config, containerId, ifname, args } = request;
  state.requireRoomFor(1);
  const id = attachmentIdOf({ network: config.name, containerId, ifname });
  requireFreeHostPorts(state.attachments.values(), { containerId, mappings: config.portMappings });
  const network = state.ensureNetwork(config);
  const mac = config.requestedMac ?? parseMac(args.mac);
  const requested = mergeRequested([
    ...config.requestedAddresses,
    ...(args.ip === undefined ? [] : parseRequested(args.ip.split(","), "CNI_ARGS IP")),
  ]);
  let leases: readonly Lease[];
  try {
    leases = network.pool.allocate({
      owner: { attachmentId: id, containerId, ifname, podUid: args.podUid },
      requested,
      nowMs: ports.clock.monotonicMs(),
    });
  } catch (cause) {
    throw toPatchbayIpamError(cause, `Cannot allocate addresses of network ${network.name}`);
  }
  trace.reached("add.planned");
  const record: AttachmentRecord = {
    id,
    network: network.name,
    containerId,
    ifname,
    netns: request.netns,
    netnsIdentity,
    plugin: network.plugin,
    cniNetwork: network.name,
    primaryId: id,
    after: [],
    request: planAttach({ ...request, id, network, leases, mac }),
    ...(config.portMappings.length > 0 && { portMappings: config.portMappings }),
    state: { kind: "attaching" },
    createdWallMs: ports.clock.wallMs(),
  };
  try {
    state.commit([
      { kind: "put-attachment", attachment: record },
      ...state.leaseChanges(network, leases),
    ]);
  } catch (error) {
    network.pool.cancel(leases);
    throw error;
  }
  trace.reached("add.recorded");
  return record;
}

async function attachByPlugin(
  context: HostContext,
  plugin: NetworkPlugin,
  record: AttachmentRecord,
): Promise<AttachResponse> {
  const what = `Attach of ${record.ifname} of ${describePod(record)} by ${record.plugin}`;
  const options = { limitMs: LIMITS.attachMs, what };
  try {
    return await context.pluginCalls.run(record.id, options, () => plugin.attach(record.request));
  } catch (cause) {
    if (cause instanceof PatchbayError) throw cause;
    throw new PatchbayError(codeOfPluginFailure(cause), `${what} failed`, { cause });
  }
}

function codeOfPluginFailure(cause: unknown): ErrorCode {
  if (!(cause instanceof PluginError)) return "ATTACH_FAILED";
  switch (cause.kind) {
    case "invalid-config":
      return "INVALID_NETWORK_CONFIG";
    case "interface-exists":
      return "INTERFACE_EXISTS";
    case "transient":
      return "ATTACH_FAILED";
  }
}

/** The ADD has failed already: what cannot be undone now is undone by reconciliation. */
async function rollBack(
  context: HostContext,
  record: AttachmentRecord,
  trace: CallTrace,
): Promise<void> {
  try {
    await rollBackRecord(context, record, trace);
  } catch (error) {
    context.ports.events.emit({
      kind: "detach-failed",
      subject: record.id,
      message: `Undoing a failed ADD goes on in the background: ${formatErrorChain(error)}`,
    });
  }
}

/** Identity of the pod's namespace; refuses what is none, and the node's own. */
async function requireNetns(context: HostContext, path: NetnsPath): Promise<string> {
  const identity = await identifyNetns(context, path, "ATTACH_FAILED");
  if (identity === undefined) {
    throw new PatchbayError("INVALID_ENVIRONMENT", `CNI_NETNS ${path} is no network namespace`);
  }
  if (identity === context.ownNetns) {
    throw new PatchbayError("OWN_NETNS", `CNI_NETNS ${path} is the node's own network namespace`);
  }
  return identity;
}

function parseMac(text: string | undefined): string | undefined {
  if (text === undefined || new RegExp(MAC_PATTERN).test(text)) return text;
  throw new PatchbayError(
    "INVALID_ENVIRONMENT",
    `CNI_ARGS MAC is ${JSON.stringify(text)}, expected six hex bytes joined by ':'`,
  );
}

const IPAM_CODES: Readonly<Record<string, ErrorCode>> = {
  "pool-empty": "POOL_EMPTY",
  "address-taken": "ADDRESS_TAKEN",
};

function toPatchbayIpamError(cause: unknown, what: string): unknown {
  if (!(cause instanceof IpamError)) return cause;
  return new PatchbayError(IPAM_CODES[cause.code] ?? "ADDRESS_NOT_IN_POOL", what, { cause });
}
