/** A node and its pods, for tests of plugins that join pods by veth pairs. */
import { formatAddress, formatPrefix } from "../ip/address.ts";
import type { FakeKernel } from "../kernel/fake-kernel.ts";
import { FakeNftables } from "../kernel/fake-nftables.ts";
import type { Kernel, NetnsPath, Route } from "../kernel/kernel.ts";
import type { AttachRequest, Finding, NetworkPlugin } from "./network-plugin.ts";
import { attachRequest, hostOf } from "./sample-request.ts";
import type { Damage } from "./veth-damages.ts";

export interface PluginDeps {
  readonly kernel: Kernel;
  readonly nftables: FakeNftables;
}

export interface PluginUnderTest {
  readonly name: string;
  readonly create: (deps: PluginDeps) => NetworkPlugin;
  /** Configuration of a network, which must not share links with another of the same suite. */
  readonly configOf: (network: string) => object;
  /** Whether it sets addresses that the pod asks for and no IPAM gave. */
  readonly setsRequestedAddresses?: boolean;
  /** Differences that this plugin sees and mends besides those of every veth. */
  readonly damages?: readonly Damage[];
}

export interface PluginWorld extends AsyncDisposable {
  readonly kernel: Kernel;
  readonly nftables: FakeNftables;
  readonly plugin: NetworkPlugin;
  /** An order for a pod whose namespace was made. */
  pod(name: string, change?: Partial<AttachRequest>): Promise<AttachRequest>;
  /** Takes an order's links away at the end, whatever becomes of it. */
  own(request: AttachRequest): void;
}

let worlds = 0;

export async function openPluginWorld(
  tested: PluginUnderTest,
  kernel: Kernel,
): Promise<PluginWorld> {
  const prefix = `pbw${process.pid}-${++worlds}`;
  const nftables = new FakeNftables();
  const plugin = tested.create({ kernel, nftables });
  const namespaces: NetnsPath[] = [];
  const links = new Set<string>();
  const own = (request: AttachRequest): void => {
    const { bridge } = JSON.parse(request.configJson) as { readonly bridge?: string };
    if (bridge !== undefined) links.add(bridge);
    links.add(hostOf(request));
  };
  return {
    kernel,
    nftables,
    plugin,
    async pod(name, change = {}) {
      const netns = `/run/netns/${prefix}-${name}` as NetnsPath;
      await kernel.createNetns(netns);
      namespaces.push(netns);
      const network = change.network ?? prefix;
      const config = tested.configOf(network);
      const request = attachRequest({
        attachmentId: `${prefix}-${name}`,
        netns,
        network,
        configJson: JSON.stringify({ name: network, ...config }),
        ...change,
      });
      own(request);
      return request;
    },
    own,
    async [Symbol.asyncDispose]() {
      await kernel.removeLinks([...links]);
      for (const netns of namespaces) await kernel.deleteNetns(netns);
      await kernel.close();
    },
  };
}

/** Attaches, and says what check() finds of it. */
export async function check(
  { plugin }: { readonly plugin: NetworkPlugin },
  request: AttachRequest,
): Promise<readonly Finding[]> {
  const attached = await plugin.attach(request);
  return plugin.check({ attachment: request, attached, repair: false });
}

/** "0.0.0.0/0 via 10.1.0.1 table 254". */
export function routeText({ destination, gateway, table }: Route): string {
  const via = gateway ? formatAddress(gateway) : "-";
  return `${formatPrefix(destination)} via ${via} table ${table}`;
}

/** What the kernel holds; whether lo is up is the pod's affair. */
export function withoutLo(kernel: FakeKernel): string {
  return kernel
    .toString()
    .split("\n")
    .filter((line) => !/\blo\b/.test(line))
    .join("\n");
}
