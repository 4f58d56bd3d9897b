import { addressBits, formatAddress, formatPrefix, type IpAddress } from "../ip/address.ts";
import type { Kernel, Link, NetnsPath, Route } from "../kernel/kernel.ts";
import { LOCAL_TABLE } from "../plugin-sdk/findings.ts";
import { readAddresses } from "../plugin-sdk/pod-addresses.ts";
import type { AttachRequest } from "../plugin-sdk/network-plugin.ts";

/** An interface inside a pod, as the kernel has it; what the kernel adds by itself is left out. */
export interface PodInterface {
  readonly link: Pick<Link, "ifindex" | "name" | "mac" | "mtu" | "up">;
  /** "10.251.0.2/24", sorted. */
  readonly addresses: readonly string[];
  /** "0.0.0.0/0 via 10.251.0.1", sorted. */
  readonly routes: readonly string[];
}

/** Undefined: no such interface, or no such namespace. */
export async function lookAtPod(
  kernel: Kernel,
  place: { readonly netns: string; readonly ifname: string },
): Promise<PodInterface | undefined> {
  const netns = place.netns as NetnsPath;
  if ((await kernel.netnsIdentity(netns)) === undefined) return undefined;
  const link = await kernel.findLink(place.ifname, netns);
  if (!link) return undefined;
  const { ifindex, name, mac, mtu, up } = link;
  const isOwn = (entry: { readonly ifindex?: number }) => entry.ifindex === ifindex;
  const addresses = (await kernel.addresses(netns)).filter(isOwn);
  const routes = (await kernel.routes(netns)).filter(isOwn);
  return {
    link: { ifindex, name, mac, mtu, up },
    addresses: addresses
      .filter(({ address }) => !isLinkLocal(address))
      .map(({ address }) => formatPrefix(address))
      .toSorted(),
    routes: routes
      .filter(({ table, destination }) => table !== LOCAL_TABLE && !isLinkLocal(destination))
      .map(routeText)
      .toSorted(),
  };
}

/** Gateways of a pod's default routes, by any interface and in the main table. */
export async function lookForDefaultRoutes(kernel: Kernel, netns: string): Promise<string[]> {
  const routes = await kernel.routes(netns as NetnsPath);
  return routes.filter(isDefault).map(routeText).toSorted();
}

/** What the node holds that an attachment could have left there. */
export interface NodeLook {
  /** "name ifindex" */
  readonly links: ReadonlySet<string>;
}

export async function lookAtNode(kernel: Kernel): Promise<NodeLook> {
  const links = await kernel.links();
  return { links: new Set(links.map(({ name, ifindex }) => `${name} (link ${ifindex})`)) };
}

/**
 * What is on the node that was not there before, as sentences: links, and routes to and proxy entries
 * for the addresses of pods that are gone. What the kernel adds to links of the network by itself
 * (link-local addresses, routes when a carrier comes) is nothing of theirs.
 */
export async function lookForTraces(
  kernel: Kernel,
  before: NodeLook,
  gone: readonly Pick<AttachRequest, "addresses">[],
): Promise<string[]> {
  const after = await lookAtNode(kernel);
  const links = [...after.links].filter((link) => !before.links.has(link));
  const addresses = gone.flatMap((request) => readAddresses(request).map((own) => own.address));
  const isGone = (entry: IpAddress) =>
    addresses.some(({ family, value }) => family === entry.family && value === entry.value);
  const routes = (await kernel.routes()).filter(
    ({ destination, table }) =>
      table !== LOCAL_TABLE &&
      destination.prefixLength === addressBits(destination.family) &&
      isGone(destination),
  );
  const neighbours = await kernel.neighbours();
  return [
    ...links.map((link) => `link ${link}`),
    ...routes.map((route) => `route ${routeText(route)}`),
    ...neighbours
      .filter(({ proxy, address }) => proxy && isGone(address))
      .map(({ address }) => `proxy entry for ${formatAddress(address)}`),
  ];
}

function routeText(route: Route): string {
  const via = route.gateway ? ` via ${formatAddress(route.gateway)}` : "";
  const table = route.table === 254 ? "" : ` table ${route.table}`;
  return `${formatPrefix(route.destination)}${via}${table}`;
}

function isDefault({ destination, table }: Route): boolean {
  return destination.prefixLength === 0 && table === 254;
}

/** fe80::/10 and ff00::/8. */
function isLinkLocal({ family, value }: IpAddress): boolean {
  return family === 6 && (value >> 118n === 0x3fan || value >> 120n === 0xffn);
}
