import type { IpPrefix } from "../ip/address.ts";
import type { Kernel, NetnsBatch, NetnsPath } from "../kernel/kernel.ts";
import { KernelError } from "../kernel/kernel-error.ts";
import { aliasNetworkOf, findLinkOwner } from "./link-names.ts";
import { type ListedAttachment, PluginError } from "./network-plugin.ts";

/** Milliseconds at least: the kernel needs less than one when it is not busy. */
const REACHABLE_LIMIT_MS = 5000;

/** RT_TABLE_LOCAL, linux/rtnetlink.h. */
const LOCAL_TABLE = 255;

/** A veth pair that belongs to an attachment. */
export interface VethPlan {
  readonly names: { readonly hostIfname: string };
  readonly alias: string;
  readonly netns: NetnsPath;
  readonly ifname: string;
  readonly podAddresses: readonly IpPrefix[];
}

/**
 * Makes an attachment, or completes one that is there. `batchesOf(true)` must not create the pair
 * and must be idempotent. Throws PluginError; the caller's Detach removes what was made.
 */
export async function applyVethAttach(
  kernel: Kernel,
  plan: VethPlan,
  batchesOf: (isRepeat: boolean) => readonly NetnsBatch[],
): Promise<void> {
  try {
    await kernel.apply(batchesOf(false));
  } catch (error) {
    if (isFailure(error, "add-link", "EEXIST")) await requireOwnPair(kernel, plan, error);
    else if (isFailure(error, "add-address", "EACCES")) await enableIpv6(kernel, plan);
    // A route that needs more than the first try does for it: see the plans.
    else if (!isFailure(error, "add-route", "EINVAL")) throw toPluginError(error, plan);
    try {
      await kernel.apply(batchesOf(true));
    } catch (again) {
      throw toPluginError(again, plan);
    }
  }
  try {
    await untilReachable(kernel, plan);
  } catch (error) {
    throw error instanceof PluginError ? error : toPluginError(error, plan);
  }
}

/**
 * How an Attach goes about its pair: "create" makes it; "repeat" finds it and completes what a dead
 * process began; "repair" sets also what somebody changed since (MAC address, MTU).
 */
export type VethMode = "create" | "repeat" | "repair";

/**
 * Makes an attachment as it was recorded, whatever became of it. Throws PluginError. A pair that has
 * lost its end in the pod (renamed, moved) is made anew.
 */
export async function repairVethAttach(
  kernel: Kernel,
  plan: VethPlan,
  batchesOf: (mode: VethMode) => readonly NetnsBatch[],
): Promise<void> {
  const { hostIfname } = plan.names;
  if ((await kernel.findLink(plan.ifname, plan.netns)) === undefined) {
    await kernel.removeLinks([hostIfname]);
  }
  await applyVethAttach(kernel, plan, (isRepeat) => batchesOf(isRepeat ? "repair" : "create"));
}

/** Links of a plugin's attachments; of one network where it is named. */
export async function listVethLinks(
  kernel: Kernel,
  filter: { readonly plugin: string; readonly network: string },
): Promise<ListedAttachment[]> {
  const links = await kernel.links();
  return links.flatMap((link) => {
    const owner = findLinkOwner(link.alias);
    if (owner?.plugin !== filter.plugin) return [];
    if (filter.network !== "" && owner.network !== aliasNetworkOf(filter.network)) return [];
    return [{ attachmentId: owner.attachmentId, object: link.name }];
  });
}

/**
 * Waits for what the kernel does later, from work queues, and without which the pod's first packets
 * are lost. On a busy node that is one pod of 25:
 * - the node's end was set up before it had a carrier, and until it is activated
 *   (net/core/link_watch.c) it drops what is sent to the pod; since Linux 6.8 asking for the link
 *   does that work at once;
 * - an IPv6 address is the pod's own only when the route to it is there (addrconf_dad_work() of
 *   net/ipv6/addrconf.c, without DAD as well).
 */
async function untilReachable(kernel: Kernel, plan: VethPlan): Promise<void> {
  const { hostIfname } = plan.names;
  const own = plan.podAddresses.filter(({ family }) => family === 6);
  for (let waitedMs = 0; ; waitedMs++) {
    const [link, routes] = await Promise.all([
      kernel.findLink(hostIfname),
      own.length > 0 ? kernel.routes(plan.netns) : [],
    ]);
    const isOwn = ({ value }: IpPrefix) =>
      routes.some((route) => route.table === LOCAL_TABLE && route.destination.value === value);
    if (link?.running && own.every(isOwn)) return;
    // Its namespace has gone and took it along: nothing comes up any more.
    if (!link || waitedMs >= REACHABLE_LIMIT_MS) {
      throw new PluginError("transient", `${plan.ifname} in ${plan.netns} does not come up`);
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** EEXIST says neither which end exists nor whose it is. */
async function requireOwnPair(kernel: Kernel, plan: VethPlan, cause: unknown): Promise<void> {
  const host = await kernel.findLink(plan.names.hostIfname);
  // Without an alias: made by an Attach that was killed before it could set one.
  if (host?.type === "veth" && (host.alias === plan.alias || host.alias === "")) return;
  throw new PluginError(
    "interface-exists",
    `${plan.ifname} exists in ${plan.netns} and is not ours`,
    { cause },
  );
}

/** Some runtimes (Docker) make namespaces with IPv6 switched off. */
async function enableIpv6(kernel: Kernel, plan: VethPlan): Promise<void> {
  const path = ["net", "ipv6", "conf", plan.ifname, "disable_ipv6"];
  await kernel.apply([
    { netns: plan.netns, operations: [{ kind: "set-sysctl", path, value: "0" }] },
  ]);
}

function isFailure(error: unknown, operation: string, code: string): boolean {
  return error instanceof KernelError && error.operation === operation && error.code === code;
}

function toPluginError(cause: unknown, plan: VethPlan): PluginError {
  return new PluginError("transient", `Cannot attach ${plan.ifname} in ${plan.netns}`, { cause });
}
