import type { Kernel, NetnsBatch } from "../kernel/kernel.ts";
import type { Nftables } from "../kernel/nftables.ts";
import { planMasquerade } from "./masquerade.ts";
import { type AttachRequest, PluginError, type StatusResponse } from "./network-plugin.ts";

/** What a pod gets where nothing says otherwise: Ethernet's. */
const MTU_FALLBACK = 1500;

interface Prepared {
  readonly key: string;
  readonly mtu: Promise<number>;
}

/**
 * What a network needs of the node before its first pod - gateway addresses, forwarding, the
 * masquerade table - done once for each network and again when its settings change, or when the
 * link that carries it is deleted by somebody.
 */
export class NodePreparation {
  readonly #kernel: Kernel;
  readonly #nftables: Nftables;
  readonly #prepared = new Map<string, Prepared>();
  readonly #failures = new Map<string, string>();
  readonly #retries = new Map<string, () => Promise<number>>();

  constructor(deps: { kernel: Kernel; nftables: Nftables }) {
    this.#kernel = deps.kernel;
    this.#nftables = deps.nftables;
  }

  /**
   * Applies the batches and the masquerade wish unless that was done before. Returns the MTU for
   * pods: that of the link with the default route.
   */
  ensure(request: AttachRequest, batches: readonly NetnsBatch[]): Promise<number> {
    const { network, configJson, masquerade } = request;
    const known = this.#prepared.get(network);
    if (known?.key === configJson) return known.mtu;
    const subnets = masquerade?.subnets ?? [];
    const mtu = this.#prepare(network, subnets, batches);
    this.#prepared.set(network, { key: configJson, mtu });
    this.#retries.set(network, () => this.ensure(request, batches));
    return mtu;
  }

  /** From memory; what failed is tried again beside, so that a mended node recovers without an ADD. */
  status(network: string): StatusResponse {
    const reason = this.#failures.get(network);
    if (reason === undefined) return { ready: true, reason: "" };
    void this.#retries
      .get(network)?.()
      .catch(() => {});
    return { ready: false, reason };
  }

  /** Does everything anew at the next ensure. */
  forget(): void {
    this.#prepared.clear();
  }

  async #prepare(
    network: string,
    subnets: readonly string[],
    batches: readonly NetnsBatch[],
  ): Promise<number> {
    try {
      await this.#kernel.apply(batches);
      if (subnets.length > 0) await this.#nftables.load(planMasquerade(network, subnets).ruleset);
      const mtu = await findDefaultMtu(this.#kernel);
      this.#failures.delete(network);
      return mtu;
    } catch (cause) {
      this.#prepared.delete(network);
      const message = cause instanceof Error ? cause.message : String(cause);
      this.#failures.set(network, message);
      throw new PluginError("transient", `Cannot prepare the node for network ${network}`, {
        cause,
      });
    }
  }
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
