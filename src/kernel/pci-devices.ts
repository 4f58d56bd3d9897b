import { readdir, realpath } from "node:fs/promises";
import { join } from "node:path";

/** "0000:3b:00.1", as sysfs has it. */
const PCI_ADDRESS = /^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/;

/** Which links belong to which PCI devices: sysfs; see fake-pci-devices.ts. */
export interface PciDevices {
  /**
   * Names of the links that a device has in the node's own namespace: one for most, several for cards
   * with a function for several ports. Empty: it has none, or they are elsewhere. Undefined: no such device.
   */
  linksOf(address: string): Promise<readonly string[] | undefined>;
  /** Address of the device behind a link of the node. Undefined: it is not on a PCI bus. */
  addressOf(link: string): Promise<string | undefined>;
}

/** The real one; `root` is where sysfs is mounted. */
export function openPciDevices(root = "/sys"): PciDevices {
  return {
    async linksOf(address) {
      if (!PCI_ADDRESS.test(address)) return undefined;
      const device = join(root, "bus/pci/devices", address);
      const entries = await list(device);
      if (entries === undefined) return undefined;
      // A virtio device stands between the PCI function and its link.
      const folders = ["", ...entries.filter((name) => /^virtio\d+$/.test(name))];
      const lists = await Promise.all(folders.map((each) => list(join(device, each, "net"))));
      return lists.flatMap((names) => names ?? []).sort();
    },

    async addressOf(link) {
      if (link.includes("/") || link === "." || link === "..") return undefined;
      let path: string;
      try {
        path = await realpath(join(root, "class/net", link, "device"));
      } catch (error) {
        if (isAbsent(error)) return undefined;
        throw error;
      }
      return path.split("/").findLast((segment) => PCI_ADDRESS.test(segment));
    },
  };
}

async function list(folder: string): Promise<string[] | undefined> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

function isAbsent(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENOTDIR";
}
