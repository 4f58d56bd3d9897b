import { formatPrefix, parseAddress, parsePrefix } from "../../src/ip/address.ts";
import type { Kernel, KernelOperation, Link, NetnsPath } from "../../src/kernel/kernel.ts";
import { finding } from "../../src/plugin-sdk/findings.ts";
import type { AttachResponse, Finding } from "../../src/plugin-sdk/network-plugin.ts";
import type { CniResult } from "./result.ts";

/** The pod's interface, and what the chain answered of it. */
export interface PodSide {
  readonly netns: NetnsPath;
  readonly ifname: string;
  readonly result: CniResult;
}

/**
 * Gives the interface an MTU, on both ends where it is a veth whose other end the result names: CNI
 * has no word for it, and not every plugin has a key.
 */
export async function setMtu(
  kernel: Kernel,
  pod: PodSide,
  options: { readonly link: Link; readonly mtu: number },
): Promise<void> {
  const { netns, ifname, result } = pod;
  const { link, mtu } = options;
  const nodeNames = result.interfaces.filter(({ sandbox }) => !sandbox).map(({ name }) => name);
  const nodeLinks = await Promise.all(nodeNames.map((name) => kernel.findLink(name)));
  const peer = nodeLinks.find(
    (found) => found?.type === "veth" && link.type === "veth" && found.ifindex === link.linkIfindex,
  );
  await kernel.apply([
    { operations: peer ? [{ kind: "set-link", name: peer.name, mtu }] : [] },
    { netns, operations: [{ kind: "set-link", name: ifname, mtu }] },
  ]);
}

/** What the kernel lacks of the pod's interface. `attached` is what the pod's network answered. */
export async function findDrift(
  kernel: Kernel,
  pod: PodSide,
  attached: AttachResponse | null,
): Promise<Finding[]> {
  const { netns, ifname } = pod;
  const link = await kernel.findLink(ifname, netns);
  if (!link) return [finding("link-missing", ifname, ifname, "")];
  const known = attached?.interfaces.find(({ name, sandbox }) => name === ifname && sandbox !== "");
  const mac = known?.mac.toLowerCase() || link.mac;
  const present = await kernel.addresses(netns);
  const missing = addressesOf(pod).filter(
    (text) =>
      !present.some(
        ({ ifindex, address }) => ifindex === link.ifindex && formatPrefix(address) === text,
      ),
  );
  return [
    ...(link.up ? [] : [finding("link-down", ifname, "up", "down")]),
    ...(mac === link.mac ? [] : [finding("mac", ifname, mac, link.mac)]),
    ...missing.map((address) => finding("address-missing", ifname, address, "")),
  ];
}

/**
 * Puts the interface back as the chain answered it: up, with its addresses, and with those of its
 * routes that are in no table (sbr moves some to one of its own).
 */
export async function mendPodSide(kernel: Kernel, pod: PodSide): Promise<void> {
  const { netns, ifname, result } = pod;
  const link = await kernel.findLink(ifname, netns);
  if (!link) return;
  const present = await kernel.routes(netns);
  const isThere = (dst: string) =>
    link.up &&
    present.some(
      ({ ifindex, destination }) => ifindex === link.ifindex && formatPrefix(destination) === dst,
    );
  const operations: KernelOperation[] = [
    { kind: "set-link", name: ifname, up: true },
    ...addressesOf(pod).map(
      (address): KernelOperation => ({
        kind: "add-address",
        link: ifname,
        address: parsePrefix(address),
        ifExists: "keep",
      }),
    ),
    ...result.routes
      .filter(({ dst }) => !isThere(formatPrefix(parsePrefix(dst))))
      .map(({ dst, gw, table, priority }): KernelOperation => {
        const destination = parsePrefix(dst);
        const gateway = gw || gatewayOf(result, destination.family);
        return {
          kind: "add-route",
          destination,
          link: ifname,
          ...(gateway && { gateway: parseAddress(gateway), onlink: true }),
          ...(table && { table }),
          ...(priority && { metric: priority }),
          ifExists: "keep",
        };
      }),
  ];
  await kernel.apply([{ netns, operations }]);
}

/** Next hop of a family where a route names none: CNI 1.1, "Success". */
export function gatewayOf({ ips }: CniResult, family: 4 | 6): string | undefined {
  return ips.find((ip) => ip.gateway && ip.address.includes(":") === (family === 6))?.gateway;
}

function addressesOf({ ifname, result }: PodSide): string[] {
  return result.ips
    .filter((ip) => {
      const link = result.interfaces[ip.interface ?? -1];
      return link?.name === ifname && Boolean(link.sandbox);
    })
    .map(({ address }) => formatPrefix(parsePrefix(address)));
}
