import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync, writeSync } from "node:fs";

export interface DaemonOptions {
  readonly name: string;
  readonly argv: readonly string[];
  /** Network namespace to run in, asked for at each start. */
  readonly netns: () => string;
  readonly logFile: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

const STOP_LIMIT_MS = 20_000;

/** A long-running program of the node: started, killed, started again. What it says goes to a file. */
export class Daemon {
  readonly name: string;
  readonly #options: DaemonOptions;
  #child: ChildProcess | undefined;

  constructor(options: DaemonOptions) {
    this.name = options.name;
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.isRunning ? this.#child?.pid : undefined;
  }

  get isRunning(): boolean {
    const child = this.#child;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  start(): void {
    if (this.isRunning) throw new Error(`${this.name} runs already`);
    const { argv, netns, logFile, env } = this.#options;
    const log = openSync(logFile, "a");
    writeSync(log, `# ${new Date().toISOString()} ${argv.join(" ")}\n`);
    const environment = { ...process.env, ...env };
    // The test runner's own channel is not for its grandchildren.
    delete environment["NODE_TEST_CONTEXT"];
    this.#child = spawn("nsenter", [`--net=${netns()}`, "--", ...argv], {
      env: environment,
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    this.#child.on("error", () => {});
  }

  /** Sends the signal and resolves when the process is gone; one that does not go is killed. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const child = this.#child;
    if (!child || !this.isRunning) return;
    const exited = once(child, "exit");
    child.kill(signal);
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
    await exited;
    clearTimeout(timer);
  }

  log(): string {
    const { logFile } = this.#options;
    return existsSync(logFile) ? readFileSync(logFile, "utf8") : "";
  }
}
