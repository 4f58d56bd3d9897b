import type { IpPrefix } from "../ip/address.ts";
import type { Kernel, KernelOperation, Link, NetnsBatch, NetnsPath } from "../kernel/kernel.ts";
import { KernelError } from "../kernel/kernel-error.ts";
import type { HeldAttachment } from "./held-attachments.ts";
import { findLinkOwner } from "./link-names.ts";
import { type AttachRequest, type DetachRequest, PluginError } from "./network-plugin.ts";
import { cannotAttach } from "./attach-errors.ts";
import { enableIpv6, hasLocalRoutes, isIpv6Off } from "./pod-ipv6.ts";

/** Milliseconds at least: the kernel needs less than one when it is not busy. */
const LOCAL_LIMIT_MS = 5000;

/** A link that lies in the pod and has no end on the node. */
export interface PodLink {
  readonly netns: NetnsPath;
  readonly ifname: string;
  readonly podMac: string;
  readonly addresses: readonly { readonly address: IpPrefix }[];
}

/**
 * Applies what makes or completes a pod's link. `batchesOf(true)` must not create it and must be
 * idempotent. Afterwards peers on the link know its addresses. Throws PluginError; `explain` may
 * know better than "Cannot attach".
 */
export async function applyPodLink(
  kernel: Kernel,
  pod: PodLink,
  options: {
    readonly isRepeat: boolean;
    readonly batchesOf: (isRepeat: boolean) => readonly NetnsBatch[];
    readonly explain?: (error: KernelError) => PluginError | undefined;
  },
): Promise<void> {
  const { isRepeat, batchesOf, explain } = options;
  try {
    try {
      await kernel.apply(batchesOf(isRepeat));
    } catch (error) {
      if (!isIpv6Off(error)) throw error;
      await enableIpv6(kernel, pod);
      await kernel.apply(batchesOf(true));
    }
    await untilLocal(kernel, pod);
    await announce(kernel, pod);
  } catch (cause) {
    if (cause instanceof PluginError) throw cause;
    const better = cause instanceof KernelError ? explain?.(cause) : undefined;
    throw better ?? cannotAttach(pod, cause);
  }
}

/** "device:inode" of the pod's namespace. Throws PluginError "transient" when it is gone. */
export async function requireNetns(kernel: Kernel, request: AttachRequest): Promise<string> {
  const identity = await findNetnsIdentity(kernel, request.netns);
  if (identity !== undefined) return identity;
  throw cannotAttach(request, new Error("The namespace is gone"));
}

/** True when the path still leads to the namespace of that identity. */
export async function isNetns(kernel: Kernel, path: string, identity: string): Promise<boolean> {
  return (await findNetnsIdentity(kernel, path)) === identity;
}

/** "device:inode" of the namespace at the path; undefined where none is. */
export async function findNetnsIdentity(kernel: Kernel, path: string): Promise<string | undefined> {
  if (path === "") return undefined;
  const identity = await kernel.netnsIdentity(path as NetnsPath);
  return identity && `${identity.device}:${identity.inode}`;
}

/** Namespaces that may have an attachment's link: the one that it was made in, and the one that Detach names. */
export async function findPlaces(
  kernel: Kernel,
  held: HeldAttachment<unknown> | undefined,
  request: Pick<DetachRequest, "netns">,
): Promise<ReadonlySet<NetnsPath>> {
  const places = new Set<NetnsPath>();
  if (held && (await isNetns(kernel, held.netns, held.netnsIdentity))) {
    places.add(held.netns as NetnsPath);
  }
  const { netns } = request;
  if ((await findNetnsIdentity(kernel, netns)) !== undefined) places.add(netns as NetnsPath);
  return places;
}

/** True when the link's alias says that it belongs to the attachment. */
export function isOwnedBy(link: Link, plugin: string, attachmentId: string): boolean {
  const owner = findLinkOwner(link.alias);
  return owner?.plugin === plugin && owner.attachmentId === attachmentId;
}

/**
 * Tells the others on the link who has the pod's addresses now (arp_notify, ndisc_notify of
 * Documentation/networking/ip-sysctl): an address that another pod had is in their tables with that one's
 * MAC address. Whoever does not hear it asks when its entry is old. Throws PluginError "transient".
 */
export async function announce(kernel: Kernel, pod: PodLink): Promise<void> {
  const { ifname, netns, podMac } = pod;
  const has = (family: 4 | 6) => pod.addresses.some(({ address }) => address.family === family);
  const switches = [
    ...(has(4) ? [["net", "ipv4", "conf", ifname, "arp_notify"]] : []),
    ...(has(6) ? [["net", "ipv6", "conf", ifname, "ndisc_notify"]] : []),
  ].map((path): KernelOperation => ({ kind: "set-sysctl", path, value: "1" }));
  if (switches.length === 0) return;
  // The MAC address that it has: NETDEV_CHANGEADDR, which the announcement follows.
  const again: KernelOperation = { kind: "set-link", name: ifname, mac: podMac };
  try {
    await kernel.apply([{ netns, operations: [...switches, again] }]);
  } catch (error) {
    if (error instanceof KernelError && REFUSALS.has(error.code)) return;
    throw cannotAttach(pod, error);
  }
}

/** Some drivers refuse while the link is up, and /proc/sys where it is read-only: nothing to wait for. */
const REFUSALS: ReadonlySet<string> = new Set(["EBUSY", "EOPNOTSUPP", "EPERM", "EACCES", "EROFS"]);

async function untilLocal(kernel: Kernel, pod: PodLink): Promise<void> {
  const own = pod.addresses.map(({ address }) => address);
  if (!own.some(({ family }) => family === 6)) return;
  for (let waitedMs = 0; ; waitedMs++) {
    if (hasLocalRoutes(await kernel.routes(pod.netns), own)) return;
    if (waitedMs >= LOCAL_LIMIT_MS) {
      throw new PluginError("transient", `${pod.ifname} in ${pod.netns} does not come up`);
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
