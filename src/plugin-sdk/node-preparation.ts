import type { Kernel, NetnsBatch } from "../kernel/kernel.ts";
import { KernelError } from "../kernel/kernel-error.ts";
import type { Nftables } from "../kernel/nftables.ts";
import { planMasquerade, removeMasquerade } from "./masquerade.ts";
import { type AttachRequest, PluginError, type StatusResponse } from "./network-plugin.ts";

/** What a pod gets where nothing says otherwise: Ethernet's. */
const MTU_FALLBACK = 1500;

interface Prepared {
  readonly configJson: string;
  /** MTU for pods, by what was prepared: see keysOf. */
  readonly done: Map<string, Promise<number>>;
  /** Does all of it again. */
  readonly repairs: Map<string, () => Promise<void>>;
}

interface Failure {
  readonly configJson: string;
  readonly reason: string;
  readonly retry: () => Promise<unknown>;
}

/** How a network is prepared. */
export interface PreparationPlan {
  /** The bridge that the batches make or find. */
  readonly bridge: string;
  readonly batches: () => readonly NetnsBatch[];
}

/**
 * What a network needs of the node before its first pod - gateway addresses, forwarding, the
 * masquerade table - done once for each gateway of a network, and again when its settings change.
 */
export class NodePreparation {
  readonly #kernel: Kernel;
  readonly #nftables: Nftables;
  readonly #prepared = new Map<string, Prepared>();
  readonly #failures = new Map<string, Failure>();

  constructor(deps: { kernel: Kernel; nftables: Nftables }) {
    this.#kernel = deps.kernel;
    this.#nftables = deps.nftables;
  }

  /**
   * Applies the plan's batches and the masquerade wish unless that was done before. The batches may
   * depend on the network's configuration and on the gateways of the request. Returns the MTU for
   * pods: that of the link with the default route.
   */
  async ensure(request: AttachRequest, plan: PreparationPlan): Promise<number> {
    const { done, repairs } = this.#preparedOf(request);
    const keys = keysOf(request);
    const missing = keys.filter((key) => !done.has(key));
    if (missing.length > 0) {
      const mtu = this.#prepare(request, plan).catch((error: unknown) => {
        for (const key of missing) done.delete(key);
        throw error;
      });
      for (const key of missing) done.set(key, mtu);
      repairs.set(missing.join(" "), () => this.#repair(request, plan));
    }
    const [mtu = MTU_FALLBACK] = await Promise.all(keys.flatMap((key) => done.get(key) ?? []));
    return mtu;
  }

  /**
   * From memory; what failed is tried again beside, so that a mended node recovers without an ADD. A
   * failure says nothing about another configuration: who mends that gets its pods.
   */
  status({ network, configJson }: { network: string; configJson: string }): StatusResponse {
    const failure = this.#failures.get(network);
    if (failure?.configJson !== configJson) return { ready: true, reason: "" };
    void failure.retry().catch(() => {});
    return { ready: false, reason: failure.reason };
  }

  /**
   * Makes again what somebody took away since: `nft flush ruleset`, a deleted bridge, a sysctl. Leaves
   * alone what is there, and networks that no ensure() has prepared. Throws as ensure().
   */
  async repair(network: string): Promise<void> {
    for (const repair of this.#prepared.get(network)?.repairs.values() ?? []) await repair();
  }

  /** Does everything anew at the next ensure of the network: somebody took it away. */
  forget(network: string): void {
    this.#prepared.delete(network);
  }

  #preparedOf({ network, configJson }: AttachRequest): Prepared {
    const known = this.#prepared.get(network);
    if (known?.configJson === configJson) return known;
    const fresh: Prepared = { configJson, done: new Map(), repairs: new Map() };
    this.#prepared.set(network, fresh);
    return fresh;
  }

  async #prepare(request: AttachRequest, plan: PreparationPlan): Promise<number> {
    const { network, configJson, masquerade } = request;
    try {
      await this.#requireBridge(plan.bridge);
      await this.#kernel.apply(plan.batches());
      await this.#setMasquerade(network, masquerade?.subnets ?? []);
      const mtu = await findDefaultMtu(this.#kernel);
      this.#failures.delete(network);
      return mtu;
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      this.#failures.set(network, { configJson, reason, retry: () => this.ensure(request, plan) });
      throw new PluginError("transient", `Cannot prepare the node for network ${network}`, {
        cause,
      });
    }
  }

  async #repair({ network, masquerade }: AttachRequest, plan: PreparationPlan): Promise<void> {
    await this.#requireBridge(plan.bridge);
    await this.#kernel.apply(plan.batches());
    const subnets = masquerade?.subnets ?? [];
    if (subnets.length === 0) return;
    const { name, ruleset } = planMasquerade(network, subnets);
    if ((await this.#nftables.list(`inet ${name}`)) === undefined) {
      await this.#nftables.load(ruleset);
    }
  }

  /** A link of that name that something else made must not get our addresses. */
  async #requireBridge(name: string): Promise<void> {
    const link = await this.#kernel.findLink(name);
    if (!link || link.type === "bridge") return;
    const type = link.type || "hardware";
    throw new PluginError("transient", `Link ${name} exists and is no bridge but ${type}`);
  }

  async #setMasquerade(network: string, subnets: readonly string[]): Promise<void> {
    if (subnets.length > 0) {
      await this.#nftables.load(planMasquerade(network, subnets).ruleset);
      return;
    }
    try {
      // The network may have masqueraded before.
      await this.#nftables.load(removeMasquerade(network));
    } catch (error) {
      // Who never masquerades need not install nft.
      if (!(error instanceof KernelError && error.operation === "run-nft")) throw error;
    }
  }
}

/** What the batches may depend on besides the configuration: each address's gateway or family. */
function keysOf({ addresses }: AttachRequest): string[] {
  if (addresses.length === 0) return ["none"];
  return addresses.map(({ address, gateway }) => {
    const prefixLength = address.slice(address.lastIndexOf("/"));
    return `${gateway || (address.includes(":") ? "IPv6" : "IPv4")}${prefixLength}`;
  });
}

async function findDefaultMtu(kernel: Kernel): Promise<number> {
  const routes = await kernel.routes();
  const uplink = routes.find(
    (route) => route.destination.prefixLength === 0 && route.ifindex !== undefined && route.gateway,
  );
  if (!uplink) return MTU_FALLBACK;
  const links = await kernel.links();
  return links.find((link) => link.ifindex === uplink.ifindex)?.mtu ?? MTU_FALLBACK;
}
