import { PluginError } from "../../src/plugin-sdk/network-plugin.ts";
import type { PluginBinaries, PluginBinary } from "./binaries.ts";
import { type ChainMember, chainName, type DelegateConfig } from "./config.ts";
import { type Exec, type ExecAnswer, ExecError } from "./exec.ts";
import {
  type AttachmentArgs,
  planEnvironment,
  planStdin,
  type ValidAttachment,
  type Verb,
} from "./plan.ts";
import { type CniResult, readResult, writeResult } from "./result.ts";
import { type CniVersion, isAtLeast, negotiate } from "./versions.ts";

export interface ChainDeps {
  readonly exec: Exec;
  readonly binaries: PluginBinaries;
  /** What delegates get of the environment beside CNI's. */
  readonly env: Readonly<Record<string, string>>;
  /** Longest execution of one plugin, ms. */
  readonly execTimeoutMs: number;
}

/** One call of a chain. */
export interface ChainCall {
  readonly config: DelegateConfig;
  /** By which leftovers are found. */
  readonly env: Readonly<Record<string, string>>;
  /** performance.now() at which all of it must have come to its end. */
  readonly deadlineMs: number;
}

export interface AttachmentCall extends ChainCall {
  readonly args: AttachmentArgs;
  /** That of the ADD. Absent: unknown. */
  readonly result?: CniResult | undefined;
}

/** A failure that a CNI plugin explains by an error object or by its exit. */
export class CniFailure extends PluginError {
  /** Code of the error object; undefined where there was none. */
  readonly cniCode: number | undefined;

  constructor(message: string, cniCode: number | undefined) {
    super(INVALID_CODES.has(cniCode ?? 0) ? "invalid-config" : "transient", message);
    this.cniCode = cniCode;
  }
}

/** CNI 1.1, "Error": version, unsupported field, environment, configuration. */
const INVALID_CODES: ReadonlySet<number> = new Set([1, 2, 4, 7]);
const UNKNOWN_CONTAINER = 3;

/**
 * ADD forward through the chain. Throws PluginError at the first failure; the caller DELs then.
 * `onBegin` hears the index of each member before its execution.
 */
export async function addChain(
  deps: ChainDeps,
  call: AttachmentCall,
  onBegin: (index: number) => void,
): Promise<CniResult> {
  let result: CniResult | undefined;
  for (const [index, member] of call.config.chain.entries()) {
    const onStart = () => onBegin(index);
    const order: MemberOrder = { verb: "ADD", member, onStart };
    const { answer } = await execMember(deps, { ...call, result }, order);
    result = readAnswer(member, answer);
  }
  return result as CniResult;
}

/** CHECK forward through those of the chain that know it. Throws CniFailure at the first that differs. */
export async function checkChain(deps: ChainDeps, call: AttachmentCall): Promise<void> {
  for (const member of call.config.chain) {
    await execMember(deps, call, { verb: "CHECK", member, since: "0.4.0" });
  }
}

/**
 * Plugins whose DEL fails without the pod's namespace, for ever, although all that they made was in
 * it: of containernetworking-plugins 1.1.1 this one (CNI 1.1, "DEL", wants success).
 */
const IN_POD_ONLY: ReadonlySet<string> = new Set(["sbr"]);

export interface DelProgress {
  /** True for members that a DEL has nothing to do for: never begun, or removed already. */
  readonly isDone: (index: number) => boolean;
  /** Hears the index of each member that was removed. */
  readonly onRemoved: (index: number) => void;
  /** Hears of each DEL that failed; true when the member is given up. */
  readonly onFailed: (index: number, error: unknown) => boolean;
}

/**
 * DEL backward through the chain. Unlike libcni it goes on after a member that fails, so that one
 * that fails for ever keeps nothing before it from being removed. Throws PluginError with all failures.
 */
export async function delChain(
  deps: ChainDeps,
  call: AttachmentCall,
  progress: DelProgress,
): Promise<void> {
  const failures: unknown[] = [];
  for (const [index, member] of [...call.config.chain.entries()].toReversed()) {
    if (progress.isDone(index)) continue;
    if (call.args.netns === "" && IN_POD_ONLY.has(member.type)) {
      progress.onRemoved(index);
      continue;
    }
    // Another member took all of it: nothing is known of this one.
    const isLate = call.deadlineMs <= performance.now();
    try {
      await execMember(deps, call, { verb: "DEL", member });
      progress.onRemoved(index);
    } catch (error) {
      const isUnknown = error instanceof CniFailure && error.cniCode === UNKNOWN_CONTAINER;
      const isOver = isUnknown || (!isLate && progress.onFailed(index, error));
      if (isOver) progress.onRemoved(index);
      else failures.push(error);
    }
  }
  if (failures.length === 0) return;
  const [first] = failures;
  if (failures.length === 1) throw first;
  const texts = failures.map((error) => (error instanceof Error ? error.message : String(error)));
  throw new PluginError("transient", texts.join("; "), { cause: first });
}

/** GC or STATUS by those of the chain that know it, all of them. Returns what went wrong. */
export async function callCapable(
  deps: ChainDeps,
  call: ChainCall & { readonly validAttachments?: readonly ValidAttachment[] },
  verb: "GC" | "STATUS",
): Promise<readonly PluginError[]> {
  const failures: PluginError[] = [];
  for (const member of call.config.chain) {
    try {
      await execMember(deps, call, { verb, member, since: "1.1.0" });
    } catch (error) {
      if (!(error instanceof PluginError)) throw error;
      failures.push(error);
    }
  }
  return failures;
}

interface MemberOrder {
  readonly verb: Verb;
  readonly member: ChainMember;
  /** First version with the verb: members that speak an older one are left out. */
  readonly since?: CniVersion;
  /** Called immediately before the execution. */
  readonly onStart?: () => void;
}

type AnyCall = ChainCall &
  Partial<Pick<AttachmentCall, "args" | "result">> & {
    readonly validAttachments?: readonly ValidAttachment[];
  };

async function execMember(
  deps: ChainDeps,
  call: AnyCall,
  order: MemberOrder,
): Promise<{ readonly answer: ExecAnswer | undefined }> {
  const { verb, member, since, onStart } = order;
  const what = `CNI plugin ${member.type}, ${verb}`;
  const env = { ...deps.env, ...call.env };
  try {
    const binary = deps.binaries.find(member.type);
    const version = await versionFor(deps, call, { member, binary, env });
    if (since && !isAtLeast(version, since)) return { answer: undefined };
    onStart?.();
    const answer = await deps.exec.run({
      file: binary.file,
      env: { ...env, ...planEnvironment(verb, deps.binaries.binDirs, call.args) },
      stdin: planStdin(member, {
        name: call.config.name,
        version,
        ...(call.args && { args: call.args }),
        prevResult: call.result && writeResult(call.result, version),
        ...(call.validAttachments && { validAttachments: call.validAttachments }),
      }),
      limitMs: remaining(deps, call),
    });
    if (answer.exitCode !== 0) throw failureOf(what, answer);
    return { answer };
  } catch (error) {
    if (!(error instanceof ExecError)) throw error;
    throw new PluginError("transient", `${what}: ${error.message}`, { cause: error.cause });
  }
}

/** The version to speak with a member. Throws PluginError invalid-config where there is none. */
async function versionFor(
  deps: ChainDeps,
  call: ChainCall,
  of: {
    readonly member: ChainMember;
    readonly binary: PluginBinary;
    readonly env: Readonly<Record<string, string>>;
  },
): Promise<CniVersion> {
  const { config } = call;
  const { member, binary, env } = of;
  const limitMs = remaining(deps, call);
  const supported = await deps.binaries.versionsOf(binary, { env, limitMs });
  const version = negotiate(config.cniVersion, supported);
  const isFirst = config.chain[0] === member;
  // prevResult came with 0.3.0.
  if (version && (isFirst || isAtLeast(version, "0.3.0"))) return version;
  const list = supported === "unknown" ? "nothing that it tells" : supported.join(", ");
  const need = isFirst
    ? `cniVersion ${config.cniVersion}`
    : `0.3.0 or newer in ${chainName(config)}`;
  throw new PluginError(
    "invalid-config",
    `CNI plugin ${member.type} supports ${list}, expected ${need}`,
  );
}

function remaining({ execTimeoutMs }: ChainDeps, { deadlineMs }: ChainCall): number {
  const leftMs = deadlineMs - performance.now();
  if (leftMs > 0) return Math.ceil(Math.min(leftMs, execTimeoutMs));
  throw new ExecError("deadline", "No time is left for it");
}

function readAnswer({ type }: ChainMember, answer: ExecAnswer | undefined): CniResult {
  const stdout = answer?.stdout ?? "";
  try {
    return readResult(JSON.parse(stdout));
  } catch (cause) {
    const start = JSON.stringify(stdout.slice(0, 120));
    const why = cause instanceof PluginError ? cause.message : `it is ${start}, expected JSON`;
    throw new PluginError(
      "transient",
      `CNI plugin ${type} gave an answer to ADD that is no result: ${why}`,
    );
  }
}

/** Longest text of a plugin that goes into an error. */
const TEXT_MAX = 2_000;

/** What an exit other than 0 says: an error object on standard output, else standard error (libcni). */
function failureOf(what: string, { exitCode, signal, stdout, stderr }: ExecAnswer): CniFailure {
  const error = parseError(stdout);
  if (error) {
    const details = error.details ? `; ${error.details}` : "";
    return new CniFailure(`${what}: ${error.msg}${details} (code ${error.code})`, error.code);
  }
  const end = signal === null ? `exit code ${exitCode}` : `killed by ${signal}`;
  const text = tidy(stderr.trim() || stdout.trim());
  return new CniFailure(`${what}: ${end}${text && `: ${text}`}`, undefined);
}

function parseError(stdout: string): { code: number; msg: string; details: string } | undefined {
  try {
    const json = JSON.parse(stdout) as { code?: unknown; msg?: unknown; details?: unknown } | null;
    if (typeof json?.code !== "number") return undefined;
    const textOf = (value: unknown) => (typeof value === "string" ? tidy(value) : "");
    return {
      code: json.code,
      msg: textOf(json.msg) || "no message",
      details: textOf(json.details),
    };
  } catch {
    return undefined;
  }
}

function tidy(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, " ").slice(0, TEXT_MAX);
}
