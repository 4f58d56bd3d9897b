import { type IpAddress, parsePrefix, prefixContains } from "../../ip/address.ts";
import type { Kernel, KernelEvent, Link, LinkAddress, Route } from "../../kernel/kernel.ts";
import { GATEWAY_LINK } from "../../plugin-sdk/link-names.ts";
import type { Clock } from "../core/ports.ts";
import { formatErrorChain } from "../errors.ts";
import { LIMITS } from "../limits.ts";

/** RT_SCOPE_UNIVERSE, linux/rtnetlink.h. */
const SCOPE_UNIVERSE = 0;
/** IFA_F_TENTATIVE, IFA_F_DEPRECATED, IFA_F_DADFAILED, linux/if_addr.h: not to be used. */
const UNUSABLE = 0x40 | 0x20 | 0x08;
/** IFA_F_TEMPORARY (IFA_F_SECONDARY for IPv6): privacy addresses come and go. */
const TEMPORARY = 0x01;
const LINK_LOCAL = parsePrefix("fe80::/10");
const RT_TABLE_MAIN = 254;

export interface NodeAddressesOptions {
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly listener: (addresses: readonly IpAddress[]) => void;
  readonly onError: (message: string) => void;
}

/** The node's addresses as the kernel has them, for as long as nobody else says which they are. */
export class NodeAddresses {
  readonly #options: NodeAddressesOptions;
  #stopMonitor: Promise<() => Promise<void>> | undefined;
  #reading: Promise<void> | undefined;
  #isDirty = false;
  #cancel: () => void = () => {};
  /** Links of ours, whose addresses come with pods: they are no news. */
  #own: ReadonlySet<number> = new Set();

  constructor(options: NodeAddressesOptions) {
    this.#options = options;
  }

  /** Tells the addresses of now, then each change. Resolves when the first were told. */
  async start(): Promise<void> {
    if (this.#stopMonitor) return;
    const { kernel } = this.#options;
    this.#stopMonitor = kernel.monitor((event) => this.#onEvent(event), ["address"]);
    // A monitor that fails costs the changes, not the addresses.
    this.#stopMonitor.catch((error: unknown) => this.#options.onError(formatErrorChain(error)));
    await this.#read();
  }

  async stop(): Promise<void> {
    this.#cancel();
    const stop = this.#stopMonitor;
    this.#stopMonitor = undefined;
    await (await stop?.catch(() => undefined))?.();
    await this.#reading;
  }

  #onEvent(event: KernelEvent): void {
    if (event.kind === "resync") this.#mark();
    else if (event.kind === "address" && !this.#own.has(event.address.ifindex)) this.#mark();
  }

  /** A burst of changes is read once. */
  #mark(): void {
    if (this.#isDirty) return;
    this.#isDirty = true;
    this.#cancel = this.#options.clock.after(LIMITS.nodeAddressesMs, () => {
      this.#isDirty = false;
      if (this.#stopMonitor) void this.#read();
    });
  }

  #read(): Promise<void> {
    this.#reading ??= this.#readNow().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readNow(): Promise<void> {
    const { kernel, listener, onError } = this.#options;
    try {
      const [links, addresses, routes] = await Promise.all([
        kernel.links(),
        kernel.addresses(),
        kernel.routes(),
      ]);
      this.#own = new Set(links.filter(isOurs).map(({ ifindex }) => ifindex));
      listener(pickNodeAddresses({ links, addresses, routes }));
    } catch (error) {
      onError(`Cannot read the node's addresses: ${formatErrorChain(error)}`);
    }
  }
}

/** Addresses that others reach this node by; first those of the link with the default route. Pure. */
export function pickNodeAddresses(kernel: {
  readonly links: readonly Link[];
  readonly addresses: readonly LinkAddress[];
  readonly routes: readonly Route[];
}): IpAddress[] {
  const links = new Map(kernel.links.map((link) => [link.ifindex, link]));
  const uplinks = new Set(
    kernel.routes
      .filter(({ destination, table }) => destination.prefixLength === 0 && table === RT_TABLE_MAIN)
      .map(({ ifindex }) => ifindex),
  );
  const bridges = new Set(kernel.links.filter(isOurs).map(({ masterIfindex }) => masterIfindex));
  const usable = kernel.addresses.filter(({ ifindex, address, scope, flags }) => {
    const link = links.get(ifindex);
    if (!link || link.name === "lo" || isOurs(link)) return false;
    // A bridge of pods holds gateways, unless it is the node's way out itself.
    if (bridges.has(ifindex) && !uplinks.has(ifindex)) return false;
    if (scope !== SCOPE_UNIVERSE || (flags & UNUSABLE) !== 0) return false;
    if (address.family === 6 && (flags & TEMPORARY) !== 0) return false;
    return !prefixContains(LINK_LOCAL, address);
  });
  const isUplink = ({ ifindex }: LinkAddress) => uplinks.has(ifindex);
  const ordered = [...usable.filter(isUplink), ...usable.filter((entry) => !isUplink(entry))];
  return ordered.map(({ address: { family, value } }) => ({ family, value }));
}

/** Gateways and ends of pods' links. */
function isOurs(link: Link): boolean {
  return link.name === GATEWAY_LINK || link.alias.startsWith("patchbay");
}
