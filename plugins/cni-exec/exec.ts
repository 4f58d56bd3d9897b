import { KernelError } from "../../src/kernel/kernel-error.ts";
import { type SpawnedProcess, spawnProcess } from "../../src/kernel/spawn.ts";

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

export const STDOUT_BYTES_MAX = 1 << 20;
export const STDERR_BYTES_MAX = 4 << 10;
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

async function runOnce(order: ExecOrder): Promise<ExecAnswer> {
  const child = start(order);
  let stopped: "deadline" | "output" | undefined;
  let killTimer: NodeJS.Timeout | undefined;
  const stop = (why: "deadline" | "output") => {
    if (stopped) return;
    stopped = why;
    signalGroup(child, "SIGTERM");
    killTimer = setTimeout(() => signalGroup(child, "SIGKILL"), TERM_MS);
  };
  const output = new Output(child, () => stop("output"));
  const limitTimer = setTimeout(() => stop("deadline"), order.limitMs);
  const { exitCode, signal } = await child.exited;
  clearTimeout(limitTimer);
  clearTimeout(killTimer);
  if (stopped) {
    // Its children may have outlived it.
    signalGroup(child, "SIGKILL");
    output.close();
    throw new ExecError(stopped, describeStop(stopped, order.limitMs) + output.stderrNote);
  }
  await output.end();
  return { exitCode, signal, stdout: output.stdout, stderr: output.stderr };
}

function start(order: ExecOrder): SpawnedProcess {
  try {
    return spawnProcess(order);
  } catch (cause) {
    throw new ExecError("start", cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/** What a process writes, within bounds. */
class Output {
  readonly #child: SpawnedProcess;
  readonly #closed: Promise<unknown>;
  readonly #stdout: Buffer[] = [];
  #stdoutBytes = 0;
  #stderr: Buffer = Buffer.alloc(0);

  constructor(child: SpawnedProcess, onTooMuch: () => void) {
    this.#child = child;
    child.stdout.on("data", (chunk: Buffer) => {
      this.#stdoutBytes += chunk.length;
      if (this.#stdoutBytes > STDOUT_BYTES_MAX) onTooMuch();
      else this.#stdout.push(chunk);
    });
    child.stderr.on("data", (chunk: Buffer) => {
      this.#stderr = Buffer.concat([this.#stderr, chunk]).subarray(-STDERR_BYTES_MAX);
    });
    this.#closed = Promise.all(
      [child.stdout, child.stderr].map(
        (stream) =>
          new Promise<void>((resolve) => {
            stream.on("error", () => {});
            stream.on("close", () => resolve());
          }),
      ),
    );
  }

  /** Resolves when all was read, or when what the process left behind has held it open for a while. */
  async end(): Promise<void> {
    const timer = setTimeout(() => this.close(), DRAIN_MS);
    await this.#closed;
    clearTimeout(timer);
  }

  close(): void {
    this.#child.stdout.destroy();
    this.#child.stderr.destroy();
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

function signalGroup({ pid }: SpawnedProcess, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Gone already.
  }
}

function isTextBusy(error: unknown): boolean {
  const cause = error instanceof ExecError ? error.cause : undefined;
  return cause instanceof KernelError && cause.code === "ETXTBSY";
}
