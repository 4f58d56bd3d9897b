import { createBridgePlugin } from "../../plugins/bridge/plugin.ts";
import { createRoutedPlugin } from "../../plugins/routed/plugin.ts";
import { formatPrefix } from "../../src/ip/address.ts";
import { errno } from "../../src/kernel/errno.ts";
import { FakeKernel } from "../../src/kernel/fake-kernel.ts";
import { FakeNftables } from "../../src/kernel/fake-nftables.ts";
import type {
  Kernel,
  KernelOperation,
  NetnsBatch,
  NetnsIdentity,
  NetnsPath,
} from "../../src/kernel/kernel.ts";
import type { Nftables } from "../../src/kernel/nftables.ts";
import { findLinkOwner, formatAlias, linkNamesOf } from "../../src/plugin-sdk/link-names.ts";
import type { NetworkPlugin } from "../../src/plugin-sdk/network-plugin.ts";
import { drawKernelError } from "./kernel-errors.ts";
import type { CallOwner, PortCalls } from "./port-calls.ts";
import type { Rng } from "./rng.ts";
import type { Held, World, WorldListener } from "./world.ts";

/** The two ends of a veth pair that a plugin asked for. */
interface Pair {
  readonly id: string;
  readonly network: string;
  readonly hostIfname: string;
  readonly netns: NetnsPath | undefined;
  readonly ifname: string;
}

/** The built-in plugins on a fake kernel: a scheduler action is one call of the kernel. */
export class KernelWorld implements World {
  readonly #listener: WorldListener;
  readonly #rng: () => Rng;
  readonly #pairs = new Map<string, Pair>();
  readonly #held = new Map<string, Held>();
  #kernel: FakeKernel;
  #nftables = new FakeNftables();
  /** Operations that still run before one fails; undefined: none fails. */
  #failAfter: number | undefined;

  constructor(listener: WorldListener, rng: () => Rng) {
    this.#listener = listener;
    this.#rng = rng;
    this.#kernel = this.#boot();
  }

  async makeNetns(path: string): Promise<void> {
    await this.#kernel.createNetns(path as NetnsPath);
  }

  async removeNetns(path: string): Promise<void> {
    await this.#kernel.deleteNetns(path as NetnsPath);
    await this.#lookAt((pair) => pair.netns === path);
  }

  async reboot(): Promise<void> {
    this.#kernel = this.#boot();
    this.#nftables = new FakeNftables();
    await this.#lookAt(() => true);
  }

  identify(path: string): Promise<NetnsIdentity | undefined> {
    return this.#kernel.netnsIdentity(path as NetnsPath);
  }

  plugins(owner: CallOwner, calls: PortCalls): ReadonlyMap<string, NetworkPlugin> {
    const kernel = this.#kernelOf(owner, calls);
    const nftables = this.#nftablesOf(owner, calls);
    return new Map([
      ["routed", createRoutedPlugin({ kernel, nftables })],
      ["bridge", createBridgePlugin({ kernel, nftables })],
    ]);
  }

  async injectOrphan(id: string, plugin: string): Promise<void> {
    const { hostIfname } = linkNamesOf(id);
    const alias = formatAlias({ plugin, network: "lost", attachmentId: id });
    const peer = { name: `p${hostIfname.slice(0, 12)}` };
    await this.#apply([
      {
        operations: [
          { kind: "add-link", name: hostIfname, link: { type: "veth", peer } },
          { kind: "set-link", name: hostIfname, alias },
        ],
      },
    ]);
  }

  held(): ReadonlyMap<string, Held> {
    return this.#held;
  }

  toString(): string {
    return String(this.#kernel);
  }

  #boot(): FakeKernel {
    const rng = this.#rng();
    return new FakeKernel({
      failOperation: () => this.#takeFailure(),
      afterFailure: rng.oneOf("stop", "continue"),
    });
  }

  #takeFailure(): number | undefined {
    if (this.#failAfter === undefined || this.#failAfter-- > 0) return undefined;
    this.#failAfter = undefined;
    return errno.ENOBUFS;
  }

  /** The kernel as one host process has it. */
  #kernelOf(owner: CallOwner, calls: PortCalls): Kernel {
    const submit = <T>(label: string, work: (partly: boolean) => Promise<T>): Promise<T> =>
      calls.submit({ label: `kernel.${label}`, owner, work, error: drawError });
    return {
      apply: (batches) =>
        submit(`apply ${describeBatches(batches)}`, (partly) => this.#apply(batches, partly)),
      removeLinks: (names, netns) =>
        submit(`removeLinks ${names.join(" ")}`, async () => {
          await this.#kernel.removeLinks(names, netns);
          await this.#lookAt((pair) => names.includes(pair.hostIfname));
        }),
      links: (netns) => submit("links", () => this.#kernel.links(netns)),
      findLink: (name, netns) =>
        submit(`findLink ${name}`, () => this.#kernel.findLink(name, netns)),
      addresses: (netns) => submit("addresses", () => this.#kernel.addresses(netns)),
      routes: (netns) => submit("routes", () => this.#kernel.routes(netns)),
      neighbours: (netns) => submit("neighbours", () => this.#kernel.neighbours(netns)),
      findQdisc: (at, netns) => submit("findQdisc", () => this.#kernel.findQdisc(at, netns)),
      redirects: (ifindex, netns) =>
        submit("redirects", () => this.#kernel.redirects(ifindex, netns)),
      readSysctl: (path, netns) => submit("readSysctl", () => this.#kernel.readSysctl(path, netns)),
      netnsIdentity: (path) => submit("netnsIdentity", () => this.#kernel.netnsIdentity(path)),
      createNetns: (path) => submit("createNetns", () => this.#kernel.createNetns(path)),
      deleteNetns: (path) => submit("deleteNetns", () => this.#kernel.deleteNetns(path)),
      monitor: (listener) => this.#kernel.monitor(listener),
      close: async () => {},
    };
  }

  #nftablesOf(owner: CallOwner, calls: PortCalls): Nftables {
    const submit = <T>(label: string, work: () => Promise<T>): Promise<T> =>
      calls.submit({ label: `nftables.${label}`, owner, work, error: drawError });
    return {
      load: (ruleset) => submit("load", () => this.#nftables.load(ruleset)),
      list: (table) => submit("list", () => this.#nftables.list(table)),
    };
  }

  async #apply(batches: readonly NetnsBatch[], partly = false) {
    for (const pair of pairsOf(batches)) this.#pairs.set(pair.hostIfname, pair);
    const names = new Set(batches.flatMap(({ operations }) => operations.map(nameOf)));
    if (partly) this.#failAfter = this.#rng().below(16);
    try {
      return await this.#kernel.apply(batches);
    } finally {
      this.#failAfter = undefined;
      await this.#lookAt((pair) => names.has(pair.hostIfname));
    }
  }

  /** Compares pairs with what the kernel has, and tells of what changed. */
  async #lookAt(isMeant: (pair: Pair) => boolean): Promise<void> {
    for (const pair of [...this.#pairs.values()]) {
      if (!isMeant(pair)) continue;
      const known = this.#held.get(pair.id);
      const held = await this.#find(pair);
      if (held) {
        this.#held.set(pair.id, held);
        if (known?.addresses.length !== held.addresses.length) this.#listener.appeared(held);
        continue;
      }
      this.#pairs.delete(pair.hostIfname);
      this.#held.delete(pair.id);
      if (known) this.#listener.disappeared(known);
    }
  }

  async #find({ id, network, hostIfname, netns, ifname }: Pair): Promise<Held | undefined> {
    const kernel = this.#kernel;
    if (!(await kernel.findLink(hostIfname))) return undefined;
    if (netns === undefined) return { id, network, netns: "", ifname, addresses: [] };
    const link = await kernel.findLink(ifname, netns);
    const addresses = (await kernel.addresses(netns))
      .filter((entry) => entry.ifindex === link?.ifindex && entry.scope === 0)
      .map((entry) => formatPrefix(entry.address));
    return { id, network, netns, ifname, addresses };
  }
}

/** Pairs that batches of an Attach name; their alias says whose they are. */
function pairsOf(batches: readonly NetnsBatch[]): Pair[] {
  const operations = batches.flatMap((batch) => batch.operations);
  const owners = new Map(
    operations.flatMap((operation) => {
      if (operation.kind !== "set-link") return [];
      const owner = findLinkOwner(operation.alias ?? "");
      return owner ? [[operation.name, owner] as const] : [];
    }),
  );
  return operations.flatMap((operation): Pair[] => {
    if (operation.kind !== "add-link" || operation.link.type !== "veth") return [];
    const owner = owners.get(operation.name);
    if (!owner) return [];
    const { name: ifname, netns } = operation.link.peer;
    const { network, attachmentId: id } = owner;
    return [{ id, network, hostIfname: operation.name, netns, ifname }];
  });
}

function nameOf(operation: KernelOperation): string {
  return "name" in operation ? operation.name : "";
}

function describeBatches(batches: readonly NetnsBatch[]): string {
  const names = batches.flatMap(({ operations }) => operations.map(nameOf).filter((name) => name));
  return [...new Set(names)].join(" ");
}

function drawError(rng: Rng): Error {
  return drawKernelError(
    rng,
    rng.oneOf("add-link", "set-link", "add-address", "add-route", "remove-link"),
  );
}
