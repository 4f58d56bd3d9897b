import { formatAddress, type IpAddress } from "../../src/ip/address.ts";
import type { Kernel, Link } from "../../src/kernel/kernel.ts";
import { isRefusal } from "../../src/kernel/kernel-error.ts";
import { compareLink, finding } from "../../src/plugin-sdk/findings.ts";
import { findLinkOwner, findSegmentNetwork } from "../../src/plugin-sdk/link-names.ts";
import { type Finding, PluginError } from "../../src/plugin-sdk/network-plugin.ts";
import {
  compareEntries,
  entryOperations,
  entryText,
  isMadeAs,
  type SegmentPlan,
  segmentBatches,
} from "./plan.ts";

/**
 * Makes the vxlan link of a segment and its entries, or completes and corrects what is there; the bridge
 * must be there. Throws PluginError "transient".
 */
export async function applySegment(kernel: Kernel, segment: SegmentPlan): Promise<void> {
  const { linkName, config } = segment;
  try {
    const found = await kernel.findLink(linkName);
    if (found) await requireOwn(kernel, found, segment);
    const isThere = found !== undefined && isMadeAs(found, segment);
    // Pods are on the bridge: they do without it for a moment.
    if (found && !isThere) await kernel.removeLinks([linkName]);
    await kernel.apply(segmentBatches(segment, isThere));
    const link = await kernel.findLink(linkName);
    if (!link) throw new Error(`${linkName} went away`);
    const changes = compareEntries(segment, link, await kernel.neighbours());
    const operations = entryOperations(segment, changes);
    if (operations.length > 0) await kernel.apply([{ operations }]);
  } catch (cause) {
    if (cause instanceof PluginError) throw cause;
    const why = isRefusal(cause, "add-link", "EEXIST")
      ? `: another link of the node has VNI ${config.vni} on port ${config.port}`
      : "";
    throw new PluginError("transient", `Cannot make segment ${linkName}${why}`, { cause });
  }
}

/** Every difference between a segment and what the kernel holds; its entries only where they are known to be in force. */
export async function checkSegment(
  kernel: Kernel,
  segment: SegmentPlan,
  options: { readonly withEntries: boolean },
): Promise<Finding[]> {
  const { linkName: name, mtu, port } = segment;
  const [link, bridge] = [await kernel.findLink(name), await kernel.findLink(port.bridge)];
  const master = bridge ? { masterIfindex: bridge.ifindex } : {};
  const findings = compareLink({ name, mtu, ...master }, link);
  if (!link) return findings;
  if (!isMadeAs(link, segment)) {
    findings.push(finding("vxlan", name, describeMade(segment), describeLink(link)));
  }
  if (!options.withEntries) return findings;
  const { missing, extra } = compareEntries(segment, link, await kernel.neighbours());
  return [
    ...findings,
    ...missing.map((entry) => finding("peer-missing", name, entryText(entry), "")),
    ...extra.map((entry) => finding("peer-extra", name, "", entryText(entry))),
  ];
}

/** A VNI is one network's. What a network that has no pods any more left is taken over. */
async function requireOwn(kernel: Kernel, link: Link, segment: SegmentPlan): Promise<void> {
  const { alias, network, linkName } = segment;
  if (link.alias === alias) return;
  const other = findSegmentNetwork(link.alias);
  const isOurs = other !== undefined;
  if (
    link.type !== "vxlan" ||
    (!isOurs && link.alias !== "") ||
    (!isOurs && !isMadeAs(link, segment))
  ) {
    const type = link.type || "hardware";
    throw new PluginError("transient", `Link ${linkName} exists and is not ours but ${type}`);
  }
  if (other === undefined || link.masterIfindex === undefined) return;
  const ports = (await kernel.links()).filter(
    ({ masterIfindex }) => masterIfindex === link.masterIfindex,
  );
  const hasPods = ports.some((port) => findLinkOwner(port.alias)?.network === other);
  if (!hasPods) return;
  const why = `VNI ${segment.config.vni} is network ${other}'s, which has pods on this node`;
  throw new PluginError("transient", `Cannot make the segment of network ${network}: ${why}`);
}

function describeMade({ config, local, parent }: SegmentPlan): string {
  return describe({ vni: config.vni, port: config.port, local, parentIfindex: parent?.ifindex });
}

function describeLink({ vxlan }: Link): string {
  return vxlan ? describe(vxlan) : "no vxlan";
}

function describe(made: {
  readonly vni: number;
  readonly port: number;
  readonly local?: IpAddress | undefined;
  readonly parentIfindex?: number | undefined;
}): string {
  const local = made.local ? ` local ${formatAddress(made.local)}` : "";
  const parent = made.parentIfindex === undefined ? "" : ` on link ${made.parentIfindex}`;
  return `vni ${made.vni} port ${made.port}${local}${parent}`;
}
