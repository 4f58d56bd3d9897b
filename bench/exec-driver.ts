import { spawnSync } from "node:child_process";
import { join } from "node:path";

const repository: string = join(import.meta.dirname, "..");
const driver: string = join(repository, "build/bench-exec");

/** What is executed as a CNI plugin; see bench/native/README.md. */
export interface ExecRequest {
  readonly binary: string;
  readonly command: string;
  /** One exec each. */
  readonly calls: readonly ExecCall[];
  /** "{id}" stands for the container id. */
  readonly stdinFile?: string;
  readonly saveFile?: string;
  readonly cniPath?: string;
  /** "eth0" when absent. */
  readonly ifname?: string;
  /** Calls in flight; 1 when absent. */
  readonly concurrency?: number;
  readonly repeat?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Failures are told by `exits` instead of being thrown. */
  readonly mayFail?: boolean;
}

export interface ExecCall {
  readonly containerId: string;
  readonly netns?: string;
  readonly cniArgs?: string;
}

export interface ExecOutcome {
  /** Of each exec, from vfork to wait4. */
  readonly wallMs: readonly number[];
  /** CPU time of each exec itself, user and system. */
  readonly cpuMs: readonly number[];
  /** Exit code of each exec; 128 + signal of what was killed. */
  readonly exits: readonly number[];
  /** From the first start to the last end. */
  readonly totalMs: number;
}

/** Executes plugins and times them. Throws when one of them fails, unless they may. */
export function execPlugins(request: ExecRequest): ExecOutcome {
  const { binary, command, stdinFile, saveFile, cniPath, ifname, concurrency, repeat } = request;
  const args = ["--binary", binary, "--command", command];
  if (stdinFile !== undefined) args.push("--stdin", stdinFile);
  if (saveFile !== undefined) args.push("--save", saveFile);
  if (cniPath !== undefined) args.push("--cni-path", cniPath);
  if (ifname !== undefined) args.push("--ifname", ifname);
  if (request.mayFail) args.push("--quiet");
  if (concurrency !== undefined) args.push("--concurrency", String(concurrency));
  if (repeat !== undefined) args.push("--repeat", String(repeat));
  for (const [name, value] of Object.entries(request.env ?? {}))
    args.push("--env", `${name}=${value}`);
  return runTimed(driver, args, request.calls.map(formatCall), request.mayFail);
}

/** Runs a program that takes a list on standard input and prints a line of JSON for each entry. */
export function runTimed(
  program: string,
  args: readonly string[],
  list: readonly string[],
  mayFail = false,
): ExecOutcome {
  const run = spawnSync(program, args, {
    input: `${list.join("\n")}\n`,
    encoding: "utf8",
    maxBuffer: 64 << 20,
  });
  const what = `${program} ${args.join(" ")}`;
  if (run.error) throw new Error(`Cannot run ${what}`, { cause: run.error });
  const isDone = run.status === 0 || (mayFail && run.status === SOME_FAILED);
  if (!isDone) throw new Error(`${what} failed: ${shorten(run.stderr)}`);
  return parseOutput(run.stdout);
}

/** Exit code of the driver where it could work and not all execs succeeded. */
const SOME_FAILED = 1;

interface OutputLine {
  readonly exit?: number;
  readonly wall_us?: number;
  readonly user_us?: number;
  readonly sys_us?: number;
  readonly total?: { readonly wall_us: number };
}

function parseOutput(text: string): ExecOutcome {
  const wallMs: number[] = [];
  const cpuMs: number[] = [];
  const exits: number[] = [];
  let totalMs = 0;
  for (const line of text.trimEnd().split("\n")) {
    const {
      total,
      wall_us = 0,
      user_us = 0,
      sys_us = 0,
      exit = 0,
    } = JSON.parse(line) as OutputLine;
    if (total) {
      totalMs = total.wall_us / 1000;
    } else {
      wallMs.push(wall_us / 1000);
      cpuMs.push((user_us + sys_us) / 1000);
      exits.push(exit);
    }
  }
  return { wallMs, cpuMs, exits, totalMs };
}

function formatCall({ containerId, netns, cniArgs }: ExecCall): string {
  return `${containerId} ${netns ?? "-"} ${cniArgs ?? "-"}`;
}

function shorten(text: string): string {
  const lines = text.trimEnd().split("\n");
  return lines.length <= 5 ? text : `${lines.slice(0, 5).join("\n")}\n(${lines.length} lines)`;
}
