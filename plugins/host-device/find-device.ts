import type { Kernel, Link } from "../../src/kernel/kernel.ts";
import type { PciDevices } from "../../src/kernel/pci-devices.ts";
import type { HeldAttachment, HeldAttachments } from "../../src/plugin-sdk/held-attachments.ts";
import { findLinkOwner } from "../../src/plugin-sdk/link-names.ts";
import { PluginError } from "../../src/plugin-sdk/network-plugin.ts";
import { isOwnedBy } from "../../src/plugin-sdk/pod-link.ts";
import { findUplink } from "../../src/plugin-sdk/uplink.ts";
import type { DeviceKey } from "./config.ts";
import { type Original, parseDeviceAlias } from "./original.ts";

/** What is written down of a device that a pod has. */
export interface HostDeviceDetail {
  readonly original: Original;
  /** "": not on a PCI bus. */
  readonly pciAddress: string;
  /** "namespace/name", "" when unknown. */
  readonly pod: string;
  /** The kernel sends it home when the pod's namespace dies; others die with it. */
  readonly isHardware: boolean;
}

export interface DeviceSearch {
  readonly kernel: Kernel;
  readonly pci: PciDevices;
  readonly held: HeldAttachments<HostDeviceDetail>;
  /** holderName() of the plugin. */
  readonly holder: string;
}

/**
 * A device on the node that the attachment may have. Throws PluginError: "transient" when it is not there or
 * somebody has it, "invalid-config" when no pod may have it.
 */
export async function findDevice(
  search: DeviceSearch,
  key: DeviceKey,
  attachmentId: string,
): Promise<Link> {
  const { kernel, holder } = search;
  const link = (await look(search, key)) ?? (await lookForLateOne(search, key));
  if (!link) {
    const other = search.held.list().find((each) => isMeant(each, key, attachmentId));
    if (other) throw refuse("transient", `${describe(key)} is held by ${describeHolder(other)}`);
    throw refuse("transient", `${describe(key)} is not on the node`);
  }
  const owner = findLinkOwner(link.alias);
  if (owner && !isOwnedBy(link, holder, attachmentId) && !isLate(search, link)) {
    const other = search.held.find(owner.attachmentId);
    const who = other ? describeHolder(other) : `attachment ${owner.attachmentId}`;
    throw refuse("transient", `${describe(key)} is held by ${who} of network ${owner.network}`);
  }
  await requireFree(kernel, link);
  return link;
}

async function look({ kernel, pci }: DeviceSearch, key: DeviceKey): Promise<Link | undefined> {
  switch (key.kind) {
    case "device":
      return kernel.findLink(key.value);
    case "hwaddr": {
      const same = (await kernel.links()).filter(({ mac }) => mac === key.value);
      // A VLAN or a bridge on a card has the card's address.
      return same.find(({ type }) => type === "") ?? same[0];
    }
    case "pciBusID": {
      const names = await pci.linksOf(key.value);
      const [name] = names ?? [];
      return name === undefined ? undefined : kernel.findLink(name);
    }
  }
}

/**
 * A device that came home when its attachment was forgotten already: the kernel takes a dead namespace apart
 * in its own time. It has the name and the address that the pod gave it, and its alias tells the others.
 */
async function lookForLateOne(search: DeviceSearch, key: DeviceKey): Promise<Link | undefined> {
  if (key.kind === "pciBusID") return undefined;
  return (await search.kernel.links()).find((link) => {
    const original = isLate(search, link) ? parseDeviceAlias(link.alias) : undefined;
    return key.value === (key.kind === "device" ? original?.name : original?.mac);
  });
}

/** Marked by us, and nobody holds it. */
function isLate({ held, holder }: DeviceSearch, { alias }: Link): boolean {
  const owner = findLinkOwner(alias);
  return owner?.plugin === holder && held.find(owner.attachmentId) === undefined;
}

/** What the node itself lives by, and what the kernel does not move. */
async function requireFree(kernel: Kernel, link: Link): Promise<void> {
  const { name, type, masterIfindex } = link;
  // netns_immutable: lo, bridges, and tunnels' own devices.
  if (name === "lo" || type === "bridge") {
    throw refuse("invalid-config", `${name} cannot be moved: it is ${type || "the loopback"}`);
  }
  if ((await findUplink(kernel))?.ifindex === link.ifindex) {
    throw refuse("invalid-config", `${name} carries the node's default route`);
  }
  if (masterIfindex !== undefined) {
    const master = (await kernel.links()).find(({ ifindex }) => ifindex === masterIfindex);
    throw refuse("transient", `${name} is a port of ${master?.name ?? `link ${masterIfindex}`}`);
  }
}

function isMeant(
  { detail, attachmentId }: HeldAttachment<HostDeviceDetail>,
  { kind, value }: DeviceKey,
  own: string,
): boolean {
  if (attachmentId === own) return false;
  const { original, pciAddress } = detail;
  return { device: original.name, hwaddr: original.mac, pciBusID: pciAddress }[kind] === value;
}

function describeHolder(held: HeldAttachment<HostDeviceDetail>): string {
  const { ifname, netns, detail } = held;
  return detail.pod === "" ? `${ifname} in ${netns}` : `pod ${detail.pod} as ${ifname}`;
}

function describe({ kind, value }: DeviceKey): string {
  return {
    device: `Device ${value}`,
    hwaddr: `The device with MAC address ${value}`,
    pciBusID: `PCI device ${value}`,
  }[kind];
}

function refuse(kind: PluginError["kind"], why: string): PluginError {
  return new PluginError(kind, why);
}
