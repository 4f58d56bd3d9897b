import type { Kernel, Link, NetnsPath } from "../../src/kernel/kernel.ts";
import type { AttachRequest, AttachResponse } from "../../src/plugin-sdk/network-plugin.ts";
import { linkNamesOf } from "../../src/plugin-sdk/link-names.ts";
import type { Ends } from "./plan.ts";

/** The ends of an attachment as they are now; undefined where the pod has no such interface. */
export async function findEnds(
  kernel: Kernel,
  order: {
    readonly request: Pick<AttachRequest, "attachmentId" | "netns" | "ifname">;
    readonly attached: Pick<AttachResponse, "interfaces">;
  },
): Promise<Ends | undefined> {
  const { request, attached } = order;
  const netns = request.netns as NetnsPath;
  const pod = await kernel.findLink(request.ifname, netns);
  if (!pod) return undefined;
  // Built-in plugins name it after the attachment, others name it in their answer. The other end of a veth that
  // was only lent to the pod (host-device) is somebody else's.
  const names = new Set([
    linkNamesOf(request.attachmentId).hostIfname,
    ...attached.interfaces.filter(({ sandbox }) => sandbox === "").map(({ name }) => name),
  ]);
  return { netns, pod, node: await findPeer(kernel, { pod, names }) };
}

async function findPeer(
  kernel: Kernel,
  { pod, names }: { readonly pod: Link; readonly names: ReadonlySet<string> },
): Promise<Link | undefined> {
  if (pod.type !== "veth") return undefined;
  for (const name of names) {
    const link = await kernel.findLink(name);
    if (link && isPair(link, pod)) return link;
  }
  return undefined;
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
