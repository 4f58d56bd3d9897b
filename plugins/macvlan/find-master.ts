import type { Kernel, Link, NetnsPath } from "../../src/kernel/kernel.ts";
import { PluginError } from "../../src/plugin-sdk/network-plugin.ts";
import { findUplink } from "../../src/plugin-sdk/uplink.ts";
import type { MacvlanConfig } from "./config.ts";

/** The link that macvlans are made on. Throws PluginError "transient" when it is not there or cannot carry them. */
export async function findMaster(
  kernel: Kernel,
  config: MacvlanConfig,
  podNetns: NetnsPath,
): Promise<Link> {
  const netns = config.linkInContainer ? podNetns : undefined;
  const place = netns ?? "the node";
  const master =
    config.master === ""
      ? await findUplink(kernel, netns === undefined ? {} : { netns })
      : await kernel.findLink(config.master, netns);
  if (!master) {
    const what =
      config.master === ""
        ? `no master is named and ${place} has no default route`
        : `there is no link ${config.master} in ${place}`;
    throw new PluginError("transient", `Cannot make a macvlan: ${what}`);
  }
  if (master.masterIfindex !== undefined) {
    const links = await kernel.links(netns);
    const upper = links.find(({ ifindex }) => ifindex === master.masterIfindex);
    const name = upper?.name ?? `link ${master.masterIfindex}`;
    throw new PluginError(
      "transient",
      `Cannot make a macvlan on ${master.name}: it is a port of ${name}, which may be the master instead`,
    );
  }
  return master;
}
