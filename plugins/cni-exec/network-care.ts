import {
  type Finding,
  PluginError,
  type RepairNetworkRequest,
  type StatusRequest,
  type StatusResponse,
} from "../../src/plugin-sdk/network-plugin.ts";
import type { ExecBudget } from "./budget.ts";
import { callCapable, type ChainCall, type ChainDeps } from "./chain.ts";
import { type DelegateConfig, readDelegateConfig } from "./config.ts";
import type { ValidAttachment } from "./plan.ts";
import type { AttachmentRecords } from "./records.ts";
import type { NetworkGate } from "./turns.ts";

export interface NetworkCareDeps {
  readonly chain: ChainDeps;
  readonly budget: ExecBudget;
  readonly gate: NetworkGate;
  readonly records: AttachmentRecords;
}

/** Shortest pause between two GCs of a CNI network, ms. */
const GC_PAUSE_MS = 600_000;
/** All executions of one round, ms. */
const ROUND_MS = 20_000;

/** What a network needs without a pod asking: STATUS, and GC of those delegates that have it. */
export class NetworkCare {
  readonly #deps: NetworkCareDeps;
  /** Why delegates said that they cannot serve, by network. */
  readonly #reasons = new Map<string, string>();
  /** performance.now() of the last GC, by CNI name. */
  readonly #collectedMs = new Map<string, number>();

  constructor(deps: NetworkCareDeps) {
    this.#deps = deps;
  }

  /** From memory: whether the binaries are there, and what STATUS said last. */
  status({ network, configJson }: StatusRequest): StatusResponse {
    try {
      this.#deps.chain.binaries.requireAll(readDelegateConfig(configJson).chain);
    } catch (error) {
      return { ready: false, reason: error instanceof Error ? error.message : String(error) };
    }
    const reason = this.#reasons.get(network) ?? "";
    return { ready: reason === "", reason };
  }

  /** Asks STATUS, and GCs when it is time. Throws PluginError when a GC failed. */
  async repair(request: RepairNetworkRequest): Promise<readonly Finding[]> {
    const { network, attachments } = request;
    const configJson = request.configJson || attachments[0]?.configJson;
    if (!configJson) return [];
    const config = readDelegateConfig(configJson);
    // What is not there is told by status().
    if (!this.status({ network, configJson }).ready && !this.#reasons.has(network)) return [];
    await this.#askStatus(network, config);
    await this.#collect(config, attachments);
    return [];
  }

  async #askStatus(network: string, config: DelegateConfig): Promise<void> {
    const [failure] = await this.#run(config, (call) =>
      callCapable(this.#deps.chain, call, "STATUS"),
    );
    if (failure) this.#reasons.set(network, failure.message);
    else this.#reasons.delete(network);
  }

  async #collect(
    config: DelegateConfig,
    attachments: RepairNetworkRequest["attachments"],
  ): Promise<void> {
    const { gate, chain, records } = this.#deps;
    // Where the folder was lost nobody knows them all, and GC removes what it is not told of.
    const isUnsure =
      records.entries().some(({ cniName }) => cniName === "") ||
      attachments.some(({ attachmentId }) => !records.has(attachmentId));
    if (config.disableGc || isUnsure) return;
    const nowMs = performance.now();
    const lastMs = this.#collectedMs.get(config.name) ?? -Infinity;
    if (nowMs - lastMs < GC_PAUSE_MS) return;
    const failures = await gate.close(config.name, () => {
      this.#collectedMs.set(config.name, nowMs);
      const validAttachments = this.#validOf(config.name);
      return this.#run(config, (call) => callCapable(chain, { ...call, validAttachments }, "GC"));
    });
    if (!failures || failures.length === 0) return;
    const texts = failures.map(({ message }) => message);
    throw new PluginError("transient", `GC of CNI network ${config.name}: ${texts.join("; ")}`);
  }

  /**
   * Everything of the CNI name, by whichever definition it came: GC names attachments by container
   * and interface alone, so a list of one definition would have a sibling's removed (cni#1086).
   */
  #validOf(cniName: string): readonly ValidAttachment[] {
    const entries = this.#deps.records.entries().filter((entry) => entry.cniName === cniName);
    const pairs = entries.map(
      ({ sandboxId, ifname }) =>
        [`${sandboxId} ${ifname}`, { containerID: sandboxId, ifname }] as const,
    );
    return [...new Map(pairs).values()];
  }

  #run<T>(config: DelegateConfig, work: (call: ChainCall) => Promise<T>): Promise<T> {
    const call = { config, env: {}, deadlineMs: performance.now() + ROUND_MS };
    return this.#deps.budget.run(config.name, ROUND_MS, () => work(call));
  }
}
