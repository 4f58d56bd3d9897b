import type { IpPrefix } from "../ip/address.ts";
import type { Kernel, NetnsBatch } from "../kernel/kernel.ts";
import { KernelError } from "../kernel/kernel-error.ts";
import type { Nftables } from "../kernel/nftables.ts";
import { planMasquerade, removeMasquerade } from "./masquerade.ts";
import { compareAddresses, compareLink, finding } from "./findings.ts";
import {
  type AttachRequest,
  type Finding,
  PluginError,
  type StatusResponse,
} from "./network-plugin.ts";

/** What a pod gets where nothing says otherwise: Ethernet's. */
const MTU_FALLBACK = 1500;

interface Prepared {
  readonly configJson: string;
  /** MTU for pods, by what was prepared: see keysOf. */
  readonly done: Map<string, Promise<number>>;
  /** What repair() looks after, by the keys that each brought. */
  readonly wishes: Map<string, Wish>;
  /** Keys of all wishes. */
  readonly known: Set<string>;
}

interface Wish {
  readonly request: AttachRequest;
  readonly plan: PreparationPlan;
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
  /** Lists under way, by table: checks of many pods at once ask once. */
  readonly #lists = new Map<string, Promise<string | undefined>>();

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
    const prepared = this.#preparedOf(request);
    const { done } = prepared;
    const keys = keysOf(request);
    const missing = keys.filter((key) => !done.has(key));
    if (missing.length > 0) {
      const mtu = this.#prepare(request, plan).catch((error: unknown) => {
        for (const key of missing) done.delete(key);
        throw error;
      });
      for (const key of missing) done.set(key, mtu);
      lookAfter(prepared, { request, plan });
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
   * From now on repair() looks after what an attachment needs that an earlier process made. The next
   * ensure() prepares as if this had not been. Of several configurations the first one counts.
   */
  adopt(request: AttachRequest, plan: PreparationPlan): void {
    const known = this.#prepared.get(request.network);
    if (known && known.configJson !== request.configJson) return;
    lookAfter(known ?? this.#preparedOf(request), { request, plan });
  }

  /**
   * Makes again what somebody took away since: `nft flush ruleset`, a deleted bridge, a sysctl. Leaves
   * alone what is there, and networks that neither ensure() nor adopt() was told of. Answers what was
   * missing; sysctls are set without a word. Throws as ensure().
   */
  async repair(network: string): Promise<Finding[]> {
    const findings: Finding[] = [];
    for (const { request, plan } of this.#prepared.get(network)?.wishes.values() ?? []) {
      findings.push(...(await this.#repair(request, plan)));
    }
    return findings;
  }

  /** Everything of it that is not there: the bridge, its addresses, the masquerade table. */
  async check(request: AttachRequest, plan: PreparationPlan): Promise<Finding[]> {
    const { network, configJson, masquerade } = request;
    const findings = await this.#checkBridge(plan);
    const subnets = masquerade?.subnets ?? [];
    // A newer configuration may have another wish, for all pods of the network.
    const isOutdated = (this.#prepared.get(network)?.configJson ?? configJson) !== configJson;
    if (subnets.length === 0 || isOutdated) return findings;
    const table = `inet ${planMasquerade(network, subnets).name}`;
    if ((await this.#list(table)) !== undefined) return findings;
    return [...findings, finding("masquerade-missing", `table ${table}`, "present", "")];
  }

  /** Does everything anew at the next ensure of the network: somebody took it away. */
  forget(network: string): void {
    this.#prepared.delete(network);
  }

  #preparedOf({ network, configJson }: AttachRequest): Prepared {
    const known = this.#prepared.get(network);
    if (known?.configJson === configJson) return known;
    const fresh = { configJson, done: new Map(), wishes: new Map(), known: new Set<string>() };
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

  async #repair(request: AttachRequest, plan: PreparationPlan): Promise<Finding[]> {
    const { network, masquerade } = request;
    await this.#requireBridge(plan.bridge);
    const findings = await this.check(request, plan);
    await this.#kernel.apply(plan.batches());
    if (findings.some(({ kind }) => kind === "masquerade-missing")) {
      await this.#nftables.load(planMasquerade(network, masquerade?.subnets ?? []).ruleset);
    }
    return findings.map((finding) => ({ ...finding, repaired: true }));
  }

  async #checkBridge({ bridge, batches }: PreparationPlan): Promise<Finding[]> {
    const link = await this.#kernel.findLink(bridge);
    const findings = compareLink({ name: bridge }, link);
    const expected = batches().flatMap(({ operations }) =>
      operations.flatMap((operation) =>
        operation.kind === "add-address" && operation.link === bridge ? operation.address : [],
      ),
    );
    if (!link || expected.length === 0) return findings;
    const found = await this.#kernel.addresses();
    // An address that is there keeps the prefix length that an older configuration gave it.
    const isThere = ({ family, value }: IpPrefix) =>
      found.some(
        ({ ifindex, address }) =>
          ifindex === link.ifindex && address.family === family && address.value === value,
      );
    const gone = expected.filter((address) => !isThere(address));
    return [...findings, ...compareAddresses(gone, link, [])];
  }

  #list(table: string): Promise<string | undefined> {
    const running = this.#lists.get(table);
    if (running) return running;
    const listing = this.#nftables.list(table).finally(() => this.#lists.delete(table));
    this.#lists.set(table, listing);
    return listing;
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

function lookAfter({ known, wishes }: Prepared, wish: Wish): void {
  const fresh = keysOf(wish.request).filter((key) => !known.has(key));
  if (fresh.length === 0) return;
  for (const key of fresh) known.add(key);
  wishes.set(fresh.join(" "), wish);
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
