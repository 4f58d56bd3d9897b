import { type ChildProcess, spawn } from "node:child_process";

/** One execution of a program. */
export interface ExecOrder {
  readonly file: string;
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
  /** After this time it is told to end, and soon after that killed, ms. */
  readonly limitMs: number;
}

export interface ExecAnswer {
  /** null: a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  /** The last STDERR_BYTES_MAX of it. */
  readonly stderr: string;
}

/** Executes programs; the fake is fake-exec.ts. */
export interface Exec {
  /** Throws ExecError. */
  run(order: ExecOrder): Promise<ExecAnswer>;
}

/** A program that gave no answer. */
export class ExecError extends Error {
  override readonly name = "ExecError";
  /** It could not be started, was too slow, or said too much. */
  readonly kind: "start" | "deadline" | "output";

  constructor(kind: ExecError["kind"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

export const STDOUT_BYTES_MAX: number = 1 << 20;
export const STDERR_BYTES_MAX: number = 4 << 10;
/** Between SIGTERM and SIGKILL, ms. */
const TERM_MS = 500;
/** How long what a plugin started in the background may hold its output open, ms. */
const DRAIN_MS = 200;
/** A file that somebody still writes: libcni waits six times a second. */
const BUSY_PAUSES_MS = [20, 50, 100, 200, 400, 800];

/** Programs as processes, each the leader of a group of its own; no shell. */
export const processExec: Exec = {
  async run(order) {
    for (const pauseMs of BUSY_PAUSES_MS) {
      try {
        return await runOnce(order);
      } catch (error) {
        if (!isTextBusy(error)) throw error;
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
    return runOnce(order);
  },
};

function runOnce({ file, env, stdin, limitMs }: ExecOrder): Promise<ExecAnswer> {
  return new Promise((resolve, reject) => {
    let child: ChildProcess;
    try {
      // detached: a group of its own, so that what the plugin executes ends with it.
      child = spawn(file, [], { env, cwd: "/", stdio: ["pipe", "pipe", "pipe"], detached: true });
    } catch (cause) {
      reject(new ExecError("start", `Cannot execute ${file}`, { cause }));
      return;
    }
    const output = new Output(child, () => stop("output"));
    let stopped: "deadline" | "output" | undefined;
    let killTimer: NodeJS.Timeout | undefined;
    let drainTimer: NodeJS.Timeout | undefined;

    const stop = (why: "deadline" | "output") => {
      if (stopped) return;
      stopped = why;
      signalGroup(child, "SIGTERM");
      killTimer = setTimeout(() => signalGroup(child, "SIGKILL"), TERM_MS);
    };
    const limitTimer = setTimeout(() => stop("deadline"), limitMs);
    const finish = () => {
      for (const timer of [limitTimer, killTimer, drainTimer]) clearTimeout(timer);
      for (const stream of child.stdio) stream?.destroy();
    };

    child.on("error", (cause) => {
      // An error after the start is one of kill(): the process is there, its end is waited for.
      if (child.pid !== undefined) return;
      finish();
      reject(new ExecError("start", `Cannot execute ${file}`, { cause }));
    });
    const end = (exitCode: number | null, signal: string | null) => {
      finish();
      if (stopped) {
        // Its children may have outlived it.
        signalGroup(child, "SIGKILL");
        reject(new ExecError(stopped, describeStop(stopped, limitMs) + output.stderrNote));
        return;
      }
      resolve({ exitCode, signal, stdout: output.stdout, stderr: output.stderr });
    };
    child.on("exit", (exitCode, signal) => {
      drainTimer = setTimeout(() => end(exitCode, signal), DRAIN_MS);
    });
    child.on("close", end);
    // A plugin that does not read its input may have ended before all of it was written.
    child.stdin?.on("error", () => {});
    child.stdin?.end(stdin);
  });
}

/** What a process writes, within bounds. */
class Output {
  readonly #stdout: Buffer[] = [];
  #stdoutBytes = 0;
  #stderr: Buffer = Buffer.alloc(0);

  constructor(child: ChildProcess, onTooMuch: () => void) {
    child.stdout?.on("data", (chunk: Buffer) => {
      this.#stdoutBytes += chunk.length;
      if (this.#stdoutBytes > STDOUT_BYTES_MAX) onTooMuch();
      else this.#stdout.push(chunk);
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      this.#stderr = Buffer.concat([this.#stderr, chunk]).subarray(-STDERR_BYTES_MAX);
    });
    for (const stream of [child.stdout, child.stderr]) stream?.on("error", () => {});
  }

  get stdout(): string {
    return Buffer.concat(this.#stdout).toString("utf8");
  }

  get stderr(): string {
    return this.#stderr.toString("utf8");
  }

  get stderrNote(): string {
    const text = this.stderr.trim();
    return text === "" ? "" : `; it wrote to standard error: ${text}`;
  }
}

function describeStop(why: "deadline" | "output", limitMs: number): string {
  return why === "deadline"
    ? `It had no answer after ${limitMs} ms and was killed`
    : `It wrote more than ${STDOUT_BYTES_MAX} bytes and was killed`;
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Gone already.
  }
}

function isTextBusy(error: unknown): boolean {
  const cause = error instanceof ExecError ? error.cause : undefined;
  return cause instanceof Error && "code" in cause && cause.code === "ETXTBSY";
}
