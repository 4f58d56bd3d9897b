import { formatAddress, type IpAddress } from "../../src/ip/address.ts";
import type { Kernel, Link, LinkAddress } from "../../src/kernel/kernel.ts";
import { PluginError } from "../../src/plugin-sdk/network-plugin.ts";
import { findUplink } from "../../src/plugin-sdk/uplink.ts";
import type { VxlanConfig } from "./config.ts";

/** What carries a segment on this node. */
export interface Underlay {
  readonly link: Link;
  readonly local: IpAddress;
  /** All addresses of the node: peers that it is itself. */
  readonly own: readonly IpAddress[];
}

/** RT_SCOPE_UNIVERSE, linux/rtnetlink.h. */
const GLOBAL_SCOPE = 0;

/** Throws PluginError "transient" when the link or its address is not there (yet). */
export async function findUnderlay(kernel: Kernel, config: VxlanConfig): Promise<Underlay> {
  const addresses = await kernel.addresses();
  const family = (config.local ?? config.peers[0])?.family ?? 4;
  const link = await findLink(kernel, config, { addresses, family });
  const local =
    config.local ??
    addresses.find(
      ({ ifindex, address, scope }) =>
        ifindex === link.ifindex && address.family === family && scope === GLOBAL_SCOPE,
    )?.address;
  if (!local) throw refuse(`${link.name} has no IPv${family} address`);
  const own = addresses.map(({ address }) => address);
  return { link, local: { family: local.family, value: local.value }, own };
}

async function findLink(
  kernel: Kernel,
  config: VxlanConfig,
  found: { readonly addresses: readonly LinkAddress[]; readonly family: 4 | 6 },
): Promise<Link> {
  const { parent, local } = config;
  if (parent !== "") {
    const link = await kernel.findLink(parent);
    if (link) return link;
    throw refuse(`there is no link ${parent} on the node`);
  }
  if (local) {
    const own = found.addresses.find(({ address }) => isSame(address, local));
    const link = (await kernel.links()).find(({ ifindex }) => ifindex === own?.ifindex);
    if (link) return link;
    throw refuse(`no link of the node has ${formatAddress(local)}`);
  }
  const uplink = await findUplink(kernel, { family: found.family });
  if (uplink) return uplink;
  throw refuse(
    `neither local nor parent is named, and the node has no IPv${found.family} default route`,
  );
}

function isSame(one: IpAddress, other: IpAddress): boolean {
  return one.family === other.family && one.value === other.value;
}

function refuse(why: string): PluginError {
  return new PluginError("transient", `Cannot join the segment: ${why}`);
}
