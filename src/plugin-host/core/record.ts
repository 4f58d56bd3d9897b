import { IpamError } from "../../ipam/ipam-error.ts";
import type { Lease } from "../../ipam/lease.ts";
import type { NetnsPath } from "../../kernel/kernel.ts";
import { can } from "../../plugin-sdk/network-plugin.ts";
import type { CniArgs } from "../cni/request.ts";
import { type ErrorCode, PatchbayError } from "../errors.ts";
import { type AttachmentId, type AttachmentRecord, attachmentIdOf } from "./attachment.ts";
import { requireClaimsOnce, takeClaimed } from "./claims.ts";
import { type HostContext, requirePlugin } from "./context.ts";
import { requireFreeHostPorts } from "./host-ports.ts";
import { requireFreeIfnames } from "./ifnames.ts";
import type { NetworkWish } from "./network-wish.ts";
import { planOrder } from "./order.ts";
import { planAttach } from "./plan.ts";
import type { StoreChange } from "./ports.ts";
import type { Network } from "./state.ts";

/** Whose attachments are recorded. */
export interface RecordedPod {
  readonly containerId: string;
  readonly netns: NetnsPath;
  readonly netnsIdentity: string;
  readonly args: Pick<CniArgs, "podNamespace" | "podName" | "podUid">;
  /** Name of the network in the CNI call. */
  readonly cniNetwork: string;
  /** Id of the first attachment; undefined: the first wish is it. */
  readonly primaryId: AttachmentId | undefined;
  /** Attachments of the pod that stand: those to come may depend on them. */
  readonly standing: readonly AttachmentRecord[];
}

interface Given {
  readonly wish: NetworkWish;
  readonly id: AttachmentId;
  readonly network: Network;
  readonly leases: readonly Lease[];
  /** As if nothing had been given. */
  readonly undo: () => void;
}

/**
 * Gives all wishes their addresses and records them, in one transaction: all or nothing. Nothing can
 * come between the allocation and the record. Throws PatchbayError; then nothing is changed.
 */
export function recordWishes(
  context: HostContext,
  pod: RecordedPod,
  options: { readonly wishes: readonly NetworkWish[]; readonly onPlanned: () => void },
): AttachmentRecord[] {
  const { state } = context;
  const { wishes } = options;
  state.requireRoomFor(wishes.length);
  requireClaimsOnce(wishes);
  const order = planOrderOf(context, pod, wishes);
  const ids = wishes.map((wish, index) => idOf(pod, wish, index));
  const primaryId = pod.primaryId ?? ids[0];
  if (primaryId === undefined) return [];
  requireFreeIfnames(state.recordsOfContainer(pod.containerId), {
    netnsIdentity: pod.netnsIdentity,
    attachments: wishes.map(({ ifname }, index) => ({ ifname, id: ids[index] as AttachmentId })),
  });
  requireFreeHostPorts(state.attachments.values(), {
    containerId: pod.containerId,
    primaryId: pod.primaryId,
    mappings: wishes.map((wish) => hostMappingsOf(context, wish)),
  });
  const given: Given[] = [];
  try {
    for (const [index, wish] of wishes.entries()) {
      given.push(give(context, pod, { wish, id: ids[index] as AttachmentId }));
    }
    options.onPlanned();
    const createdWallMs = context.ports.clock.wallMs();
    const records = given.map((each, index) => {
      const after = [
        ...standingBefore(context, pod, each.wish),
        ...(order[index] ?? []).map((place) => ids[place] as AttachmentId),
      ];
      const place = { primaryId, after, createdWallMs };
      return toRecord(context, pod, { ...each, ...place });
    });
    state.commit([
      ...records.map((attachment): StoreChange => ({ kind: "put-attachment", attachment })),
      ...given.flatMap(({ network, leases }) => state.leaseChanges(network, leases)),
    ]);
    return records;
  } catch (error) {
    for (const { undo } of given.toReversed()) undo();
    throw error;
  }
}

/** A CNI call finds its attachment by the conflist's name, whatever network stands in for it. */
function idOf(pod: RecordedPod, wish: NetworkWish, index: number): AttachmentId {
  const isPrimary = pod.primaryId === undefined && index === 0;
  const network = isPrimary ? pod.cniNetwork : wish.config.name;
  return attachmentIdOf({ network, containerId: pod.containerId, ifname: wish.ifname });
}

function planOrderOf(context: HostContext, pod: RecordedPod, wishes: readonly NetworkWish[]) {
  const ordered = wishes.map(({ config, ifname }) => ({
    network: config.name,
    ifname,
    dependsOn: config.dependsOn,
    isParallel: can(requirePlugin(context, config.plugin), "CAPABILITY_ATTACH_IN_PARALLEL"),
  }));
  const standing = pod.standing.flatMap(({ network, ifname }) => [network, ifname]);
  return planOrder(ordered, new Set(standing));
}

/** Of what the pod has, what the network comes after, and goes before: as if all had been asked for at once. */
function standingBefore(
  context: HostContext,
  { primaryId, standing }: RecordedPod,
  { config }: NetworkWish,
): AttachmentId[] {
  const isParallel = (plugin: string) => {
    const found = context.ports.plugins.find(plugin);
    return found !== undefined && can(found, "CAPABILITY_ATTACH_IN_PARALLEL");
  };
  const isBeside = isParallel(config.plugin);
  const isBefore = ({ id, network, ifname, plugin }: AttachmentRecord) =>
    id === primaryId ||
    config.dependsOn.some((name) => name === network || name === ifname) ||
    !(isBeside || isParallel(plugin));
  return standing.filter(isBefore).map(({ id }) => id);
}

function give(
  context: HostContext,
  pod: RecordedPod,
  { wish, id }: { readonly wish: NetworkWish; readonly id: AttachmentId },
): Given {
  const { config, ifname, claim } = wish;
  const network = context.state.ensureNetwork(config);
  const { pool } = network;
  if (network.ipam.ranges.length === 0) {
    if (claim !== undefined) {
      const message = `${wish.field}.ipam-claim-reference is given, expected nothing: the host gives no addresses on network ${network.name}`;
      throw new PatchbayError("INVALID_NETWORK_CONFIG", message);
    }
    return { wish, id, network, leases: [], undo: () => {} };
  }
  const { containerId, args } = pod;
  const owner = { attachmentId: id, containerId, ifname, podUid: args.podUid };
  const nowMs = context.ports.clock.monotonicMs();
  if (claim !== undefined) {
    const claimed = takeClaimed(context, { network, claim, owner });
    if (claimed) return { wish, id, network, ...claimed };
  }
  try {
    const leases = pool.allocate({ owner, requested: wish.addresses, nowMs });
    return { wish, id, network, leases, undo: () => pool.cancel(leases) };
  } catch (cause) {
    throw toPatchbayIpamError(cause, `Cannot allocate addresses of network ${network.name}`);
  }
}

function toRecord(
  context: HostContext,
  pod: RecordedPod,
  given: Given & {
    readonly primaryId: AttachmentId;
    readonly after: readonly AttachmentId[];
    readonly createdWallMs: number;
  },
): AttachmentRecord {
  const { wish, id, network, leases, primaryId, after, createdWallMs } = given;
  const { containerId, netns, netnsIdentity, cniNetwork, args } = pod;
  const portMappings = hostMappingsOf(context, wish);
  const plugin = requirePlugin(context, network.plugin);
  return {
    id,
    network: network.name,
    containerId,
    ifname: wish.ifname,
    netns,
    netnsIdentity,
    plugin: network.plugin,
    cniNetwork,
    primaryId,
    after,
    ...(wish.claim !== undefined && { claim: wish.claim }),
    request: planAttach({
      id,
      containerId,
      netns,
      args,
      wish,
      network,
      leases,
      mapsPorts: can(plugin, "CAPABILITY_PORT_MAPPINGS"),
    }),
    ...(portMappings.length > 0 && { portMappings }),
    state: { kind: "attaching" },
    createdWallMs,
  };
}

/** Host ports that the host maps itself. */
function hostMappingsOf(context: HostContext, { config, portMappings }: NetworkWish) {
  const plugin = requirePlugin(context, config.plugin);
  return can(plugin, "CAPABILITY_PORT_MAPPINGS") ? [] : portMappings;
}

const IPAM_CODES: Readonly<Record<string, ErrorCode>> = {
  "pool-empty": "POOL_EMPTY",
  "address-taken": "ADDRESS_TAKEN",
};

function toPatchbayIpamError(cause: unknown, what: string): unknown {
  if (!(cause instanceof IpamError)) return cause;
  return new PatchbayError(IPAM_CODES[cause.code] ?? "ADDRESS_NOT_IN_POOL", what, { cause });
}
