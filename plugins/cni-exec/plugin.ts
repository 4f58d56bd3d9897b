import type { Kernel, NetnsPath } from "../../src/kernel/kernel.ts";
import { finding } from "../../src/plugin-sdk/findings.ts";
import {
  type AttachRequest,
  type DetachRequest,
  detachRequestOf,
  type Finding,
  type NetworkPlugin,
  PluginError,
} from "../../src/plugin-sdk/network-plugin.ts";
import { findNetnsIdentity, isNetns } from "../../src/plugin-sdk/pod-link.ts";
import { checkAndRepair } from "../../src/plugin-sdk/repair.ts";
import { PluginBinaries } from "./binaries.ts";
import { ExecBudget } from "./budget.ts";
import { addChain, type ChainDeps, checkChain, CniFailure, delChain } from "./chain.ts";
import { chainName, type DelegateConfig, readDelegateConfig } from "./config.ts";
import { applyRoutes } from "./default-routes.ts";
import { type Exec, processExec } from "./exec.ts";
import { CNI_EXEC_INFO } from "./info.ts";
import { Leftovers, OWNER_VARIABLE, ownerOf } from "./leftovers.ts";
import { NetworkCare } from "./network-care.ts";
import { type AttachmentArgs, planArgs, planArgsOfDel } from "./plan.ts";
import { findDrift, mendPodSide, setMtu } from "./pod-link.ts";
import { type AttachmentFile, AttachmentRecords } from "./records.ts";
import { type CniResult, toAttachResponse, withPodInterface } from "./result.ts";
import { NetworkGate, Turns } from "./turns.ts";

export interface CniExecDeps {
  readonly kernel: Kernel;
  /** Where attachments are remembered; made when it is not there. */
  readonly folder: string;
  /** Where CNI plugins are looked for, in order. */
  readonly binDirs: readonly string[];
  /** The host's environment: delegates get it without what is the host's own. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly limits: CniExecLimits;
  /** Hears of what a detach gave up, a sentence each. Absent: nobody does. */
  readonly onGivenUp?: (attachmentId: string, message: string) => void;
  /** Absent: real processes. */
  readonly exec?: Exec;
}

export interface CniExecLimits {
  /** One execution of one plugin, ms. */
  readonly execTimeoutMs: number;
  /** All executions of one Attach, Detach or Check with the wait for a place, ms: what its caller waits. */
  readonly attachMs: number;
  readonly detachMs: number;
  readonly checkMs: number;
  /** Chains that run at the same time. */
  readonly runningMax: () => number;
}

/** Left of the caller's time for our own answer, ms. */
const ANSWER_MS = 500;

/** Any CNI plugin or chain as a network. Why it is as it is: docs/decisions/0017. */
export function createCniExecPlugin(deps: CniExecDeps): NetworkPlugin {
  const { kernel, limits, folder } = deps;
  const exec = deps.exec ?? processExec;
  const binaries = new PluginBinaries(deps.binDirs, exec);
  const env = delegateEnvironment(deps.env);
  const chain: ChainDeps = { exec, binaries, env, execTimeoutMs: limits.execTimeoutMs };
  const budget = new ExecBudget({ capacity: limits.runningMax });
  const records = new AttachmentRecords(folder);
  const leftovers = new Leftovers(folder);
  const turns = new Turns();
  const gate = new NetworkGate();
  const care = new NetworkCare({ chain, budget, gate, records });

  /** Runs a chain when it is its turn, within the time that the caller has. */
  function inTurn<T>(
    of: { readonly attachmentId: string; readonly config: DelegateConfig },
    deadlineMs: number,
    work: (call: {
      readonly config: DelegateConfig;
      readonly env: Readonly<Record<string, string>>;
      readonly deadlineMs: number;
    }) => Promise<T>,
  ): Promise<T> {
    const { config, attachmentId } = of;
    const call = { config, deadlineMs, env: { [OWNER_VARIABLE]: ownerOf(folder, attachmentId) } };
    return gate.share(config.name, () =>
      budget.run(config.name, Math.max(1, deadlineMs - performance.now()), () => work(call)),
    );
  }

  async function attach(request: AttachRequest, deadlineMs: number) {
    const { attachmentId, network, configJson, netns, ifname } = request;
    const config = readDelegateConfig(configJson);
    const args = planArgs(config, request);
    const known = records.find(attachmentId);
    if (known?.done && (await isNetns(kernel, netns, known.netnsIdentity))) {
      return known.done.response;
    }
    records.begin(attachmentId);
    // A name that is misspelt leaves nothing for a DEL, which could not be executed either.
    binaries.requireAll(config.chain);
    // Half made: nobody knows how far it came. Or made in a namespace that is gone.
    if (records.has(attachmentId)) await detach(detachRequestOf(request), deadlineMs);
    records.begin(attachmentId);
    const taken = kernel.findLink(ifname, netns as NetnsPath);
    // Beside each other; a namespace that is gone is told by the first.
    taken.catch(() => {});
    const netnsIdentity = await requireNetns(kernel, netns);
    if (await taken) {
      throw new PluginError("interface-exists", `${netns} has an interface ${ifname} already`);
    }
    return inTurn({ attachmentId, config }, deadlineMs, async (call) => {
      let file: AttachmentFile = {
        attachmentId,
        network,
        cniName: config.name,
        chain: chainName(config),
        configJson,
        args,
        netnsIdentity,
        begun: 0,
        removed: [],
      };
      const added = await addChain(chain, { ...call, args }, (index) => {
        // Before its execution: from here on a DEL is due.
        file = { ...file, begun: index + 1 };
        records.write(file);
      });
      const result = await finish(kernel, request, added);
      const response = toAttachResponse(result);
      records.write({ ...file, done: { result, response } });
      return response;
    });
  }

  async function detach(request: DetachRequest, deadlineMs: number): Promise<void> {
    const { attachmentId } = request;
    const file = records.find(attachmentId);
    if (file) return remove(attachmentId, file, deadlineMs);
    // One whose file cannot be read any more was made.
    if (!records.has(attachmentId) && records.wasNeverMade(attachmentId)) return;
    const config = findConfig(request.configJson);
    if (!config || request.sandboxId === "") return records.remove(attachmentId);
    await remove(attachmentId, await assumedFile(kernel, config, request), deadlineMs);
  }

  /** DELs what is remembered, and forgets it. */
  async function remove(
    attachmentId: string,
    file: AttachmentFile,
    deadlineMs: number,
  ): Promise<void> {
    await leftovers.settle(attachmentId, limits.execTimeoutMs);
    const config = readDelegateConfig(file.configJson);
    const args = await argsNow(kernel, file);
    const result = file.done?.result;
    const triesMax = triesMaxOf(file, args.netns);
    let left = file;
    const keep = (change: Partial<AttachmentFile>) => {
      left = { ...left, ...change };
      // After the last the whole file goes.
      if (left.removed.length < left.begun) records.write(left);
    };
    await inTurn({ attachmentId, config }, deadlineMs, (call) =>
      delChain(
        chain,
        { ...call, args, result },
        {
          isDone: (index) => index >= file.begun || file.removed.includes(index),
          onRemoved: (index) => keep({ removed: [...left.removed, index] }),
          onFailed: (index, error) => {
            const tries = (left.failed?.[index] ?? 0) + 1;
            keep({ failed: { ...left.failed, [index]: tries } });
            if (tries < triesMax) return false;
            deps.onGivenUp?.(attachmentId, describeGivenUp(file, { tries, error }));
            return true;
          },
        },
      ),
    );
    records.remove(attachmentId);
  }

  /** What the chain's own CHECK says. */
  async function checkByChain(file: AttachmentFile, deadlineMs: number): Promise<Finding[]> {
    const config = readDelegateConfig(file.configJson);
    if (config.disableCheck) return [];
    try {
      const { attachmentId, args } = file;
      await inTurn({ attachmentId, config }, deadlineMs, (call) =>
        checkChain(chain, { ...call, args, result: file.done?.result }),
      );
      return [];
    } catch (error) {
      if (!(error instanceof CniFailure) || error.cniCode === TRY_LATER) throw error;
      const object = `${file.args.ifname} by ${file.chain}`;
      return [finding("cni-check", object, "", error.message)];
    }
  }

  return {
    info: CNI_EXEC_INFO,

    attach(request) {
      const deadlineMs = performance.now() + limits.attachMs - ANSWER_MS;
      return turns.run(request.sandboxId, () => attach(request, deadlineMs));
    },

    detach(request) {
      const deadlineMs = performance.now() + limits.detachMs - ANSWER_MS;
      const sandboxId = request.sandboxId || records.sandboxOf(request.attachmentId);
      return turns.run(sandboxId, () => detach(request, deadlineMs));
    },

    async check({ attachment, attached, repair }) {
      if (!attachment) return [];
      const deadlineMs = performance.now() + limits.checkMs - ANSWER_MS;
      return turns.run(attachment.sandboxId, async () => {
        const { attachmentId, netns, ifname } = attachment;
        const file = records.find(attachmentId);
        if (!file?.done) {
          const object = `record of ${ifname}`;
          return [finding("record-missing", object, attachmentId, "")];
        }
        const found = await findNetnsIdentity(kernel, netns);
        if (found !== file.netnsIdentity) {
          return [finding("netns", netns, file.netnsIdentity, found ?? "")];
        }
        const pod = { netns: netns as NetnsPath, ifname, result: file.done.result };
        const look = async () => {
          const drift = await findDrift(kernel, pod, attached);
          if (drift.some(({ kind }) => kind === "link-missing")) return drift;
          return [...drift, ...(await checkByChain(file, deadlineMs))];
        };
        return checkAndRepair(look, repair ? () => mendPodSide(kernel, pod) : undefined);
      });
    },

    async list({ network }) {
      return records
        .entries()
        .filter((entry) => network === "" || entry.network === network)
        .map((entry) => ({
          attachmentId: entry.attachmentId,
          object: `${entry.ifname} of ${entry.sandboxId} by ${entry.chain}`,
        }));
    },

    status: async (request) => care.status(request),

    repairNetwork: async (request) => care.repair(request),
  };
}

/**
 * DELs of one member that may fail before it counts as removed: a pod that can never be deleted is worse than
 * what the member may have left (docs/decisions/0017).
 */
const TRIES_HALF_MADE = 3;
/** What assigns addresses for many nodes may be away for minutes after a reboot. */
const TRIES_WITHOUT_NETNS = 30;

function triesMaxOf({ done, isAssumed }: AttachmentFile, netns: string): number {
  if (!done && !isAssumed) return TRIES_HALF_MADE;
  return netns === "" ? TRIES_WITHOUT_NETNS : Number.POSITIVE_INFINITY;
}

function describeGivenUp(
  { args, chain, done }: AttachmentFile,
  { tries, error }: { readonly tries: number; readonly error: unknown },
): string {
  const since = done ? "the pod's namespace is gone" : "the ADD never had a result";
  const what = `${args.ifname} of container ${args.sandboxId} by ${chain}`;
  const why = error instanceof Error ? error.message : String(error);
  return `${what}: given up after ${tries} tries, as ${since}; something may be left: ${why}`;
}

/** CNI 1.1, "Error": try again later. */
const TRY_LATER = 11;

/** What is asked beside the chain: the pod's interface is there, and MTU and routes are as ordered. */
async function finish(
  kernel: Kernel,
  request: AttachRequest,
  added: CniResult,
): Promise<CniResult> {
  const { ifname, mtu } = request;
  const netns = request.netns as NetnsPath;
  const link = await kernel.findLink(ifname, netns);
  const result = withPodInterface(added, { netns, ifname, link });
  if (!link || mtu === 0 || link.mtu === mtu) return applyRoutes(kernel, request, result);
  await setMtu(kernel, { netns, ifname, result }, { link, mtu });
  const tuned = withPodInterface(added, { netns, ifname, link: { ...link, mtu } });
  return applyRoutes(kernel, request, tuned);
}

/** What a DEL goes by where nothing is remembered: every member was begun. */
async function assumedFile(
  kernel: Kernel,
  config: DelegateConfig,
  request: DetachRequest,
): Promise<AttachmentFile> {
  const { attachmentId, network, configJson } = request;
  return {
    attachmentId,
    network,
    cniName: config.name,
    chain: chainName(config),
    configJson,
    args: planArgsOfDel(request),
    netnsIdentity: (await findNetnsIdentity(kernel, request.netns)) ?? "",
    begun: config.chain.length,
    removed: [],
    isAssumed: true,
  };
}

/** A path that leads to another namespace by now (a pid used again) must not be touched. */
async function argsNow(kernel: Kernel, file: AttachmentFile): Promise<AttachmentArgs> {
  const { args, netnsIdentity } = file;
  const isSame = await isNetns(kernel, args.netns, netnsIdentity);
  return isSame ? args : { ...args, netns: "" };
}

async function requireNetns(kernel: Kernel, netns: string): Promise<string> {
  const identity = await findNetnsIdentity(kernel, netns);
  if (identity !== undefined) return identity;
  throw new PluginError("transient", `${netns} is no network namespace`);
}

/** Undefined: an order to remove something of which nothing is known. */
function findConfig(configJson: string): DelegateConfig | undefined {
  try {
    return readDelegateConfig(configJson);
  } catch {
    return undefined;
  }
}

/** CNI's own variables are the call's, and Node's and Patchbay's are nobody's business. */
function delegateEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const kept = Object.entries(env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && !/^(CNI_|NODE_|PATCHBAY_)/.test(entry[0]),
  );
  // iptables lies there.
  const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  return { PATH: path, ...Object.fromEntries(kept) };
}
