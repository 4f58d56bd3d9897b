import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const repository: string = join(import.meta.dirname, "..");
const startLimitMs = 20_000;

/** A plugin host, started as a user starts it. */
export interface HostProcess extends AsyncDisposable {
  readonly root: string;
  readonly pid: number;
  /** Standard error goes to a file, as a service manager would have it: no reader competes for CPUs. */
  readonly logFile: string;
}

export interface StartHostOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** More arguments of `patchbay host`. */
  readonly args?: readonly string[];
  /** A command in front of node, for example to limit resources; must exec. */
  readonly wrapper?: readonly string[];
}

/** Starts `patchbay host --root` and resolves when it serves. */
export async function startHost(
  root: string,
  options: StartHostOptions = {},
): Promise<HostProcess> {
  mkdirSync(root, { recursive: true });
  const logFile = join(root, "host.log");
  const log = openSync(logFile, "w");
  const program = join(repository, "src/cli/patchbay.js");
  const host = [process.execPath, program, "host", "--root", root, ...(options.args ?? [])];
  const [file = "", ...args] = [...(options.wrapper ?? []), ...host];
  const env = { ...process.env, ...options.env };
  const child = spawn(file, args, { stdio: ["ignore", "ignore", log], env });
  closeSync(log);
  await untilReady(child, logFile);
  return {
    root,
    pid: child.pid ?? 0,
    logFile,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}

async function untilReady(child: ChildProcess, logFile: string): Promise<void> {
  const deadlineMs = Date.now() + startLimitMs;
  while (!readFileSync(logFile, "utf8").includes("Plugin host is ready")) {
    if (child.exitCode !== null || Date.now() > deadlineMs) {
      child.kill("SIGKILL");
      throw new Error(`The host did not start: ${readFileSync(logFile, "utf8").slice(-2000)}`);
    }
    await delay(20);
  }
}

/** Resident memory of a process in MB (10^6 bytes), shared pages included. */
export function readRssMegabytes(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const kibibytes = /^Rss:\s+(\d+) kB$/m.exec(text)?.[1];
  if (kibibytes === undefined) throw new Error(`Cannot read the memory of process ${pid}`);
  return (Number(kibibytes) * 1024) / 1e6;
}

/** The most that was resident since the process was executed, MB (10^6 bytes). */
export function readPeakMegabytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kibibytes === undefined) throw new Error(`Cannot read the memory of process ${pid}`);
  return (Number(kibibytes) * 1024) / 1e6;
}
