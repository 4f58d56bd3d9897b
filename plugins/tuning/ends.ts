import type { Kernel, Link, NetnsPath } from "../../src/kernel/kernel.ts";
import type { AttachRequest } from "../../src/plugin-sdk/network-plugin.ts";
import { linkNamesOf } from "../../src/plugin-sdk/link-names.ts";
import type { Ends } from "./plan.ts";

/** The ends of an attachment as they are now; undefined where the pod has no such interface. */
export async function findEnds(
  kernel: Kernel,
  request: Pick<AttachRequest, "attachmentId" | "netns" | "ifname">,
): Promise<Ends | undefined> {
  const netns = request.netns as NetnsPath;
  const pod = await kernel.findLink(request.ifname, netns);
  if (!pod) return undefined;
  return {
    netns,
    pod,
    node: await findNodeEnd(kernel, { pod, attachmentId: request.attachmentId }),
  };
}

/** The other end of a veth, where it is on the node. Built-in plugins name it after the attachment. */
async function findNodeEnd(
  kernel: Kernel,
  { pod, attachmentId }: { readonly pod: Link; readonly attachmentId: string },
): Promise<Link | undefined> {
  if (pod.type !== "veth" || pod.linkIfindex === undefined) return undefined;
  const named = await kernel.findLink(linkNamesOf(attachmentId).hostIfname);
  if (named && isPair(named, pod)) return named;
  return (await kernel.links()).find((link) => isPair(link, pod));
}

/** Indexes are a namespace's own: both must name each other, across namespaces. */
function isPair(link: Link, pod: Link): boolean {
  return (
    link.type === "veth" &&
    link.ifindex === pod.linkIfindex &&
    link.linkIfindex === pod.ifindex &&
    link.linkNetnsId !== undefined
  );
}
