import type { Kernel } from "../kernel/kernel.ts";
import { can, type PluginInfo } from "../plugin-sdk/network-plugin.ts";
import { Bench, type BenchOptions } from "./bench.ts";
import { lookAtNode } from "./kernel-look.ts";
import { CONFORMANCE_LIMITS } from "./limits.ts";
import { PluginLife, type PluginLifeOptions } from "./plugin-life.ts";
import type { Pools } from "./pools.ts";
import { type Needs, type Rule, Skip } from "./rule.ts";
import { RULE_GROUPS, RULES } from "./rules.ts";

export interface ConformanceOptions extends PluginLifeOptions {
  readonly kernel: Kernel;
  readonly network: string;
  /** The network's configuration, without its name. */
  readonly config: Readonly<Record<string, unknown>>;
  /** A configuration that the plugin must refuse. Absent: rules about it are skipped. */
  readonly invalidConfig?: Readonly<Record<string, unknown>>;
  readonly pools: Pools;
  /** Attachments that the network can have at the same time. */
  readonly attachmentsMax: number;
  /** An existing folder for the pods' network namespaces. */
  readonly netnsFolder: string;
  /** Begins the names of namespaces; nobody else's begin so. */
  readonly runId: string;
  /** Rules to run, with those that they come after. Absent: all. */
  readonly only?: readonly string[];
  /** Called before each rule: for devices that a test makes. */
  readonly prepare?: () => Promise<void>;
  /** Told of each result as it comes. */
  readonly onResult?: (result: RuleResult) => void;
  readonly signal?: AbortSignal;
}

export interface RuleResult {
  readonly id: string;
  readonly group: string;
  readonly sentence: string;
  readonly result: "pass" | "fail" | "skip";
  readonly ms: number;
  /** Of a failure: what was expected and found. Of a skip: why. */
  readonly reason: string;
}

export interface ConformanceReport {
  /** As GetInfo said at the start. */
  readonly plugin: PluginInfo;
  readonly results: readonly RuleResult[];
}

/**
 * Holds a plugin against the rules, one after the other. Everything that the kit makes is removed,
 * whatever happens. Throws RangeError for a rule in `only` that is not there, PluginUnreachable where
 * nothing answers at the start, KernelError where namespaces cannot be made, and the signal's reason.
 */
export async function runConformance(options: ConformanceOptions): Promise<ConformanceReport> {
  const chosen = withPrerequisites(options.only);
  const life = new PluginLife(options);
  try {
    await life.begin();
    const info = await life.client.getInfo();
    let podNumber = 0;
    const nextPodNumber = () => podNumber++;
    const bench: BenchOptions = { ...options, life, info, nextPodNumber, networkLinks: [] };
    const networkLinks = await findNetworkLinks(bench, options);
    return {
      plugin: info,
      results: await runRules({ ...bench, networkLinks }, { ...options, chosen }),
    };
  } finally {
    await life.end();
  }
}

async function runRules(
  bench: BenchOptions,
  options: ConformanceOptions & { readonly chosen: ReadonlySet<string> | undefined },
): Promise<readonly RuleResult[]> {
  const results: RuleResult[] = [];
  const failed = new Set<string>();
  const { chosen } = options;
  for (const { name: group, rules } of RULE_GROUPS) {
    for (const rule of rules) {
      if (chosen && !chosen.has(rule.id)) continue;
      options.signal?.throwIfAborted();
      const startMs = performance.now();
      const outcome = await runRule(rule, { bench, prepare: options.prepare, failed });
      if (outcome.result === "fail") failed.add(rule.id);
      // What comes after a rule that says nothing says nothing either.
      if (outcome.isVoid) failed.add(rule.id);
      const { id, sentence } = rule;
      const { result, reason } = outcome;
      const ms = Math.round(performance.now() - startMs);
      results.push({ id, group, sentence, result, ms, reason });
      options.onResult?.({ id, group, sentence, result, ms, reason });
    }
  }
  return results;
}

interface Outcome {
  readonly result: RuleResult["result"];
  readonly reason: string;
  /** Skipped because of a rule that failed. */
  readonly isVoid?: true;
}

async function runRule(
  rule: Rule,
  run: {
    readonly bench: BenchOptions;
    readonly prepare: ConformanceOptions["prepare"];
    readonly failed: ReadonlySet<string>;
  },
): Promise<Outcome> {
  const { bench: about, prepare, failed } = run;
  const missing = findMissing(rule.needs ?? {}, about);
  if (missing !== undefined) return { result: "skip", reason: missing };
  const before = rule.after?.find((id) => failed.has(id));
  if (before !== undefined) {
    return { result: "skip", reason: `says nothing where ${before} fails`, isVoid: true };
  }
  const bench = new Bench(about);
  try {
    await prepare?.();
    await bench.life.ensureAlive();
    await withDeadline(rule.check(bench));
    return { result: "pass", reason: "" };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { result: error instanceof Skip ? "skip" : "fail", reason };
  } finally {
    await tidy(bench);
  }
}

/** Ends even where the plugin does not start any more. */
async function tidy(bench: Bench): Promise<void> {
  await bench.life.ensureAlive().catch(() => {});
  await bench[Symbol.asyncDispose]();
}

/** Why a rule cannot be seen with this plugin, or as the kit was started. */
function findMissing(
  needs: Needs,
  { info, pools, life, attachmentsMax }: BenchOptions,
): string | undefined {
  const { capability, start, families = [], addresses, attachments = 1 } = needs;
  if (capability && !can({ info }, capability)) return `the plugin has no ${capability}`;
  if (start && !life.canRestart) return "the kit cannot start the plugin: say --start";
  if (addresses && pools.length === 0) return "no addresses: see --addresses";
  const absent = families.find((wanted) => !pools.some(({ family }) => family === wanted));
  if (absent) return `no IPv${absent} addresses: see --addresses`;
  if (attachments > attachmentsMax) {
    return `needs ${attachments} attachments at once: see --attachments`;
  }
  return undefined;
}

/** What the first attachment of a network brings to the node and its Detach leaves there. */
async function findNetworkLinks(
  about: BenchOptions,
  options: ConformanceOptions,
): Promise<readonly string[]> {
  await options.prepare?.();
  const bench = new Bench(about);
  const before = await lookAtNode(about.kernel);
  try {
    const pod = await bench.pod();
    // What fails here fails in the rules, which say it better.
    await bench.attach(pod).catch(() => {});
    await bench.detach(pod).catch(() => {});
  } finally {
    await tidy(bench);
  }
  const links = await about.kernel.links();
  return links.flatMap(({ name, ifindex, type }) =>
    before.links.has(`${name} (link ${ifindex})`) || type === "veth" ? [] : name,
  );
}

/** The rules asked for and all that they come after; undefined: all. Throws RangeError for one that is not there. */
export function withPrerequisites(
  only: readonly string[] | undefined,
): ReadonlySet<string> | undefined {
  if (!only) return undefined;
  const chosen = new Set<string>();
  const add = (id: string) => {
    const rule = RULES.find((candidate) => candidate.id === id);
    if (!rule) throw new RangeError(`There is no rule ${JSON.stringify(id)}: see --list-rules`);
    chosen.add(id);
    for (const before of rule.after ?? []) add(before);
  };
  for (const id of only) add(id);
  return chosen;
}

async function withDeadline(work: Promise<void>): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`It has not ended within ${CONFORMANCE_LIMITS.ruleMs / 1000} s`)),
    CONFORMANCE_LIMITS.ruleMs,
  );
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    // Should it come to an end after all, nobody hears of it.
    work.catch(() => {});
  }
}
