import type { IpPrefix } from "../ip/address.ts";
import type { Kernel, NetnsBatch, NetnsPath } from "../kernel/kernel.ts";
import { isRefusal } from "../kernel/kernel-error.ts";
import { cannotAttach, takenBySomebody } from "./attach-errors.ts";
import { aliasNetworkOf, findLinkOwner } from "./link-names.ts";
import { type ListedAttachment, PluginError } from "./network-plugin.ts";
import { enableIpv6, hasLocalRoutes, isIpv6Off } from "./pod-ipv6.ts";
import type { AttachMode } from "./pod-side.ts";

/** Milliseconds at least: the kernel needs less than one when it is not busy. */
const REACHABLE_LIMIT_MS = 5000;

/** A veth pair that belongs to an attachment. */
export interface VethPlan {
  readonly names: { readonly hostIfname: string };
  readonly alias: string;
  readonly netns: NetnsPath;
  readonly ifname: string;
  readonly podAddresses: readonly IpPrefix[];
}

/**
 * Makes an attachment, or completes one that is there. Batches of another mode than "create" must be
 * idempotent. Throws PluginError; the caller's Detach removes what was made.
 */
export async function applyVethAttach(
  kernel: Kernel,
  plan: VethPlan,
  batchesOf: (mode: AttachMode) => readonly NetnsBatch[],
): Promise<void> {
  try {
    await kernel.apply(batchesOf("create"));
  } catch (error) {
    if (isRefusal(error, "add-link", "EEXIST")) await requireOwnPair(kernel, plan, error);
    else if (isIpv6Off(error)) await enableIpv6(kernel, plan);
    // A route that needs more than the first try does for it: see the plans.
    else if (!isRefusal(error, "add-route", "EINVAL")) throw cannotAttach(plan, error);
    try {
      await kernel.apply(batchesOf("repeat"));
    } catch (again) {
      throw cannotAttach(plan, again);
    }
  }
  try {
    await untilReachable(kernel, plan);
  } catch (error) {
    throw error instanceof PluginError ? error : cannotAttach(plan, error);
  }
}

/**
 * Makes an attachment as it was recorded, whatever became of it. Throws PluginError. A pair that has
 * lost its end in the pod (renamed, moved) is made anew.
 */
export async function repairVethAttach(
  kernel: Kernel,
  plan: VethPlan,
  batchesOf: (mode: AttachMode) => readonly NetnsBatch[],
): Promise<void> {
  const { hostIfname } = plan.names;
  if ((await kernel.findLink(plan.ifname, plan.netns)) === undefined) {
    await kernel.removeLinks([hostIfname]);
  }
  await applyVethAttach(kernel, plan, (mode) => batchesOf(mode === "create" ? mode : "repair"));
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
 * - an IPv6 address is the pod's own only later: hasLocalRoutes().
 */
async function untilReachable(kernel: Kernel, plan: VethPlan): Promise<void> {
  const { netns, ifname, podAddresses, names } = plan;
  const hasIpv6 = podAddresses.some(({ family }) => family === 6);
  for (let waitedMs = 0; ; waitedMs++) {
    const [link, routes] = await Promise.all([
      kernel.findLink(names.hostIfname),
      hasIpv6 ? kernel.routes(netns) : [],
    ]);
    if (link?.running && hasLocalRoutes(routes, podAddresses)) return;
    // Its namespace has gone and took it along: nothing comes up any more.
    if (!link || waitedMs >= REACHABLE_LIMIT_MS) {
      throw new PluginError("transient", `${ifname} in ${netns} does not come up`);
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** EEXIST says neither which end exists nor whose it is. */
async function requireOwnPair(kernel: Kernel, plan: VethPlan, cause: unknown): Promise<void> {
  const host = await kernel.findLink(plan.names.hostIfname);
  // Without an alias: made by an Attach that was killed before it could set one.
  if (host?.type === "veth" && (host.alias === plan.alias || host.alias === "")) return;
  throw takenBySomebody(plan, { cause });
}
