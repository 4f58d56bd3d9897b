import type { PciDevices } from "./pci-devices.ts";

/** PCI devices from a table: address -> names of links, wherever those are now. */
export class FakePciDevices implements PciDevices {
  readonly #devices: ReadonlyMap<string, readonly string[]>;
  readonly #isHere: (link: string) => Promise<boolean>;

  /** `isHere` says whether a link is in the node's own namespace: sysfs shows no others. */
  constructor(
    devices: Readonly<Record<string, readonly string[]>>,
    isHere: (link: string) => Promise<boolean> = async () => true,
  ) {
    this.#devices = new Map(Object.entries(devices));
    this.#isHere = isHere;
  }

  async linksOf(address: string): Promise<readonly string[] | undefined> {
    const links = this.#devices.get(address);
    if (links === undefined) return undefined;
    const isHere = await Promise.all(links.map(this.#isHere));
    return links.filter((_, index) => isHere[index]).sort();
  }

  async addressOf(link: string): Promise<string | undefined> {
    if (!(await this.#isHere(link))) return undefined;
    return [...this.#devices].find(([, links]) => links.includes(link))?.[0];
  }
}
