import type { Kernel, NetnsBatch, NetnsPath } from "../kernel/kernel.ts";
import { KernelError } from "../kernel/kernel-error.ts";
import { findLinkOwner } from "./link-names.ts";
import { type ListedAttachment, PluginError } from "./network-plugin.ts";

/** A veth pair that belongs to an attachment. */
export interface VethPlan {
  readonly names: { readonly hostIfname: string };
  readonly alias: string;
  readonly netns: NetnsPath;
  readonly ifname: string;
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
    else throw toPluginError(error, plan);
    try {
      await kernel.apply(batchesOf(true));
    } catch (again) {
      throw toPluginError(again, plan);
    }
  }
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
    if (filter.network !== "" && owner.network !== filter.network) return [];
    return [{ attachmentId: owner.attachmentId, object: link.name }];
  });
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
