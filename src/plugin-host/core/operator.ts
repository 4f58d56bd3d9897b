import { formatAddress, formatPrefix } from "../../ip/address.ts";
import { type HostLocalFile, parseHostLocalFolder } from "../../ipam/host-local-import.ts";
import type { Lease } from "../../ipam/lease.ts";
import type { NetnsPath } from "../../kernel/kernel.ts";
import { NO_WISHES } from "../../plugin-sdk/network-plugin.ts";
import type { Attachment } from "../../rpc/generated/patchbay/host/v1/Attachment.ts";
import type { AttachmentFindings } from "../../rpc/generated/patchbay/host/v1/AttachmentFindings.ts";
import type { CheckAttachmentsRequest__Output } from "../../rpc/generated/patchbay/host/v1/CheckAttachmentsRequest.ts";
import type { ImportHostLocalResponse } from "../../rpc/generated/patchbay/host/v1/ImportHostLocalResponse.ts";
import type { IpamLease } from "../../rpc/generated/patchbay/host/v1/IpamLease.ts";
import type { IpamPool } from "../../rpc/generated/patchbay/host/v1/IpamPool.ts";
import type { ListAttachmentsRequest__Output } from "../../rpc/generated/patchbay/host/v1/ListAttachmentsRequest.ts";
import type { NetworkStatus } from "../../rpc/generated/patchbay/host/v1/NetworkStatus.ts";
import type { PodNetworkStatus } from "../../rpc/generated/patchbay/host/v1/PodNetworkStatus.ts";
import { parseNetworkConfig, requireNodeRanges } from "../cni/network-config.ts";
import { isContainerId, isIfname } from "../cni/request.ts";
import { CNI_VERSION_NEWEST } from "../cni/versions.ts";
import { formatErrorChain, PatchbayError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { forEachAtOnce } from "./at-once.ts";
import { type AttachmentId, type AttachmentRecord, attachmentIdOf } from "./attachment.ts";
import { checkRecord, describeFinding } from "./check.ts";
import type { HostContext } from "./context.ts";
import { withDeadline } from "./deadline.ts";
import { describePod, detachRecords } from "./detach.ts";
import { witnessesOf } from "./gc.ts";
import { networkStatusOf } from "../networks/network-status.ts";
import { describeConfig } from "../networks/describe-config.ts";
import { findPod } from "./plug.ts";
import type { CallTrace, StoreChange } from "./ports.ts";
import type { Network } from "./state.ts";

/** Attachments that fit the request, oldest first. */
export function listAttachments(
  context: HostContext,
  request: ListAttachmentsRequest__Output,
): Attachment[] {
  return [...context.state.attachments.values()]
    .filter((record) => matches(record, request))
    .sort((left, right) => left.createdWallMs - right.createdWallMs)
    .map(toAttachment);
}

/** True when the attachment is one of those asked for. */
export function matches(
  record: AttachmentRecord,
  request: ListAttachmentsRequest__Output,
): boolean {
  return (
    (request.network === "" || record.network === request.network) &&
    record.containerId.startsWith(request.containerId) &&
    (request.pod === "" || describePod(record) === request.pod)
  );
}

/** A record in the words of host.v1. */
export function toAttachment(record: AttachmentRecord): Attachment {
  const response = record.state.kind === "attached" ? record.state.response : undefined;
  const link = response?.interfaces.find(
    ({ name, sandbox }) => sandbox !== "" && name === record.ifname,
  );
  const nodeLinks = (response?.interfaces ?? []).filter(({ sandbox }) => sandbox === "");
  return {
    attachmentId: record.id,
    network: record.network,
    plugin: record.plugin,
    containerId: record.containerId,
    netns: record.netns,
    ifname: record.ifname,
    podNamespace: record.request.pod?.namespace ?? "",
    podName: record.request.pod?.name ?? "",
    podUid: record.request.pod?.uid ?? "",
    state: record.state.kind,
    addresses: (response ?? record.request).addresses.map((ip) => ip.address),
    hostIfname: nodeLinks.at(-1)?.name ?? "",
    createdMs: record.createdWallMs,
    primaryId: record.primaryId,
    isDefault: record.id === record.primaryId,
    mac: link?.mac ?? "",
    mtu: link?.mtu ?? 0,
    defaultRoute: (response?.routes ?? [])
      .filter(({ destination }) => destination === "0.0.0.0/0" || destination === "::/0")
      .map(({ gateway }) => gateway),
    sharedLinks: nodeLinks.slice(0, -1).map((shared) => shared.name),
  };
}

/** Networks with their readiness, as last configured. */
export async function listNetworks(context: HostContext): Promise<NetworkStatus[]> {
  const networks = [...context.state.networks.values()];
  return Promise.all(networks.map((network) => describeNetwork(context, network)));
}

async function describeNetwork(context: HostContext, network: Network): Promise<NetworkStatus> {
  const { name, plugin, configJson } = network;
  const attachments = [...context.state.attachments.values()].filter(
    (record) => record.network === name,
  ).length;
  const found = context.ports.plugins.find(plugin);
  const state = found
    ? await withDeadline(found.status({ network: name, configJson }), {
        clock: context.ports.clock,
        limitMs: LIMITS.pluginStatusMs,
        what: `Status of ${plugin}`,
      }).catch((error: unknown) => ({ ready: false, reason: formatErrorChain(error) }))
    : { ready: false, reason: `plugin ${plugin} is not connected` };
  const { ready, reason } = state;
  return { name, plugin, ready, reason, attachments, ...describeConfig(network) };
}

/** Pools of every network, or of one. */
export function showIpam(
  context: HostContext,
  request: { network: string; leases: boolean },
): IpamPool[] {
  const nowMs = context.ports.clock.monotonicMs();
  return [...context.state.networks.values()]
    .filter((network) => request.network === "" || network.name === request.network)
    .flatMap((network) =>
      network.ipam.families.map((family): IpamPool => {
        const counts = network.pool.counts(family, nowMs);
        return {
          network: network.name,
          family,
          ranges: network.ipam.ranges
            .filter((range) => range.family === family)
            .map((range) => ({
              subnet: formatPrefix(range.subnet),
              first: formatAddress({ family, value: range.first }),
              last: formatAddress({ family, value: range.last }),
              gateway: range.gateway ? formatAddress(range.gateway) : "",
            })),
          capacity: String(counts.capacity),
          used: String(counts.used),
          cooling: String(counts.cooling),
          free: String(counts.free),
          leases: request.leases ? leasesOf(context, network, family, nowMs) : [],
        };
      }),
    );
}

function leasesOf(
  context: HostContext,
  network: Network,
  family: 4 | 6,
  nowMs: number,
): IpamLease[] {
  const wallAheadMs = context.ports.clock.wallMs() - nowMs;
  const held = [...network.pool.leases()]
    .filter((lease) => lease.address.family === family)
    .map((lease) => toIpamLease(lease));
  const cooling = [...network.pool.cooling()]
    .filter((entry) => entry.address.family === family && entry.untilMs > nowMs)
    .map((entry) => ({
      ...toIpamLease({ ...entry, owner: entry.lastOwner }),
      state: "cooling",
      coolingUntilMs: Math.round(entry.untilMs + wallAheadMs),
    }));
  return [...held, ...cooling];
}

function toIpamLease(lease: Pick<Lease, "address" | "sequence" | "owner">): IpamLease {
  return {
    address: formatAddress(lease.address),
    attachmentId: lease.owner.attachmentId,
    containerId: lease.owner.containerId,
    ifname: lease.owner.ifname,
    podUid: lease.owner.podUid,
    sequence: lease.sequence,
    state: "held",
    coolingUntilMs: 0,
  };
}

/** Removes an attachment by an operator's word. Throws IN_USE while its namespace is alive. */
export async function releaseIpam(
  context: HostContext,
  attachmentId: string,
  trace: CallTrace,
): Promise<string[]> {
  const record = context.state.attachments.get(attachmentId as AttachmentId);
  if (!record) throw new PatchbayError("NOT_ATTACHED", `No attachment ${attachmentId} is recorded`);
  return context.locks.run(record.containerId, async () => {
    const current = context.state.attachments.get(record.id);
    if (!current) return [];
    if (current.state.kind === "attached" && (await witnessesOf(context, current)).length === 0) {
      throw new PatchbayError("IN_USE", `${current.ifname} of ${describePod(current)} is in use`);
    }
    const isPod = current.id === current.primaryId;
    const records = isPod ? context.state.recordsOfPod(current.id) : [current];
    await detachRecords(context, records, trace);
    return records.flatMap(({ request }) => request.addresses.map((ip) => ip.address));
  });
}

/** Compares attachments with the kernel, and mends what differs where that is asked for. */
export async function checkAttachments(
  context: HostContext,
  request: CheckAttachmentsRequest__Output,
): Promise<AttachmentFindings[]> {
  const records = [...context.state.attachments.values()].filter((record) =>
    isMeant(record, request),
  );
  if (records.length === 0 && (request.attachmentId !== "" || request.pod !== "")) {
    const what = request.attachmentId || request.pod;
    throw new PatchbayError("NOT_ATTACHED", `No attachment of ${what} is recorded`);
  }
  const answers = new Map<string, AttachmentFindings>();
  const { repair } = request;
  await forEachAtOnce(records, async (record) => {
    const answer = {
      attachment: toAttachment(record),
      findings: [] as string[],
      repaired: [] as string[],
    };
    answers.set(record.id, answer);
    try {
      const found = await checkUnderLock(context, record, repair);
      answer.findings = found.map(describeFinding);
      answer.repaired = found.filter(({ repaired }) => repaired).map(describeFinding);
    } catch (error) {
      answer.findings = [formatErrorChain(error)];
    }
  });
  return records.flatMap(({ id }) => answers.get(id) ?? []);
}

function isMeant(record: AttachmentRecord, request: CheckAttachmentsRequest__Output): boolean {
  const { attachmentId, pod, network } = request;
  return (
    (attachmentId === "" || record.id === attachmentId) &&
    (network === "" || record.network === network) &&
    (pod === "" || describePod(record) === pod || record.containerId.startsWith(pod))
  );
}

/**
 * A repair is a change of the pod, which one at a time may make. Those that need none share what looking
 * costs: on a node with thousands of attachments one after the other takes minutes.
 */
async function checkUnderLock(context: HostContext, record: AttachmentRecord, repair: boolean) {
  const found = await checkRecord(context, record);
  if (!repair || found.length === 0) return found;
  return context.locks.run(record.containerId, async () => {
    const current = context.state.attachments.get(record.id);
    return current ? checkRecord(context, current, { repair }) : [];
  });
}

/** The network-status annotations of pods. */
export function networkStatuses(context: HostContext, pod: string): PodNetworkStatus[] {
  const heads =
    pod === ""
      ? [...context.state.attachments.values()].filter(({ id, primaryId }) => id === primaryId)
      : [findPod(context, pod)];
  return heads
    .map((head) => ({
      pod: describePod(head),
      containerId: head.containerId,
      networkStatusJson: JSON.stringify(
        networkStatusOf(
          context.state.recordsOfPod(head.id).filter(({ state }) => state.kind === "attached"),
        ),
      ),
    }))
    .sort((left, right) => (left.pod < right.pod ? -1 : 1));
}

/** Takes over the addresses that host-local gave out, with an attachment for each owner. */
export function importHostLocal(
  context: HostContext,
  request: {
    files: readonly HostLocalFile[];
    network: string;
    configJson: string;
    dryRun: boolean;
  },
): ImportHostLocalResponse {
  const { state, ports } = context;
  const json = parseConfigObject(request.configJson);
  const { podCidrs } = ports.node;
  const named = { ...json, name: request.network };
  const config = parseNetworkConfig(named, CNI_VERSION_NEWEST, { podCidrs });
  requireNodeRanges(config);
  const pool = request.dryRun
    ? state.copyPool(config, ports.clock.monotonicMs())
    : state.ensureNetwork(config).pool;
  const found = parseHostLocalFolder(request.files);
  const skipped = found.skipped.map(({ name, reason }) => `${name}: ${reason}`);
  const adopted: Lease[] = [];
  /** Not those that an earlier import took over: they stay, whatever becomes of this one. */
  const taken: Lease[] = [];
  const isHeld = ({ address }: Lease) => heldBefore.has(formatAddress(address));
  const heldBefore = new Set([...pool.leases()].map((lease) => formatAddress(lease.address)));
  for (const { address, containerId, ifname } of found.adopt) {
    if (!isContainerId(containerId) || !isIfname(ifname)) {
      skipped.push(`${formatAddress(address)}: no container id and interface of a runtime`);
      continue;
    }
    const id = attachmentIdOf({ network: config.name, containerId, ifname });
    const known = state.attachments.get(id);
    if (known && known.state.kind !== "adopted") {
      skipped.push(`${formatAddress(address)}: ${id} is attached by Patchbay already`);
      continue;
    }
    try {
      const owner = { attachmentId: id, containerId, ifname, podUid: "" };
      const lease = pool.adopt(address, owner, ports.clock.monotonicMs());
      adopted.push(lease);
      if (!isHeld(lease)) taken.push(lease);
    } catch (error) {
      skipped.push(`${formatAddress(address)}: ${formatErrorChain(error)}`);
    }
  }
  if (!request.dryRun) {
    try {
      commitAdopted(context, state.ensureNetwork(config), adopted);
    } catch (error) {
      pool.cancel(taken);
      throw error;
    }
  }
  return { adopted: adopted.map(toIpamLease), skipped };
}

function commitAdopted(context: HostContext, network: Network, adopted: readonly Lease[]): void {
  const { state, ports } = context;
  const byOwner = Map.groupBy(adopted, (lease) => lease.owner.attachmentId);
  const records = [...byOwner.values()].map((leases) =>
    adoptedRecord(network, leases, ports.clock.wallMs()),
  );
  state.requireRoomFor(records.filter(({ id }) => !state.attachments.has(id)).length);
  state.commit([
    ...records.map((attachment): StoreChange => ({ kind: "put-attachment", attachment })),
    ...state.leaseChanges(network, adopted),
  ]);
  const message = `${adopted.length} addresses of host-local were taken over`;
  ports.events.emit({ kind: "imported", subject: network.name, message });
}

function adoptedRecord(
  network: Network,
  leases: readonly Lease[],
  createdWallMs: number,
): AttachmentRecord {
  const owner = leases[0]?.owner ?? { attachmentId: "", containerId: "", ifname: "", podUid: "" };
  return {
    id: owner.attachmentId as AttachmentId,
    network: network.name,
    containerId: owner.containerId,
    ifname: owner.ifname,
    netns: "" as NetnsPath,
    netnsIdentity: "",
    plugin: network.plugin,
    cniNetwork: network.name,
    primaryId: owner.attachmentId as AttachmentId,
    after: [],
    request: {
      attachmentId: owner.attachmentId,
      pod: null,
      sandboxId: owner.containerId,
      netns: "",
      ifname: owner.ifname,
      network: network.name,
      configJson: network.configJson,
      addresses: leases.map((lease) => ({
        address: formatPrefix({ ...lease.address, prefixLength: lease.prefixLength }),
        gateway: lease.gateway ? formatAddress(lease.gateway) : "",
      })),
      routes: [],
      mac: "",
      mtu: 0,
      device: null,
      masquerade: null,
      ...NO_WISHES,
    },
    state: { kind: "adopted" },
    createdWallMs,
  };
}

function parseConfigObject(configJson: string): Record<string, unknown> {
  try {
    const json: unknown = JSON.parse(configJson);
    if (typeof json === "object" && json !== null && !Array.isArray(json)) {
      return json as Record<string, unknown>;
    }
  } catch (cause) {
    throw new PatchbayError("UNDECODABLE_CONTENT", "config_json is not JSON", { cause });
  }
  throw new PatchbayError("INVALID_NETWORK_CONFIG", "config_json is not an object");
}
