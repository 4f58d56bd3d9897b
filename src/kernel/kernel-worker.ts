import { Worker } from "node:worker_threads";
import { errnoCode } from "./errno.ts";
import { KernelError } from "./kernel-error.ts";

/** What a call does, and to what: the words of its errors. */
export interface CallPlace {
  readonly operation: string;
  readonly object: string;
}

/**
 * Starts a worker thread of this folder in the namespace of this process; resolves at its first message.
 * Throws KernelError with code WORKER_GONE.
 */
export async function startKernelWorker(
  name: "rtnetlink" | "nfnetlink",
  where: CallPlace,
): Promise<Worker> {
  // A published package holds .js files, a checkout .ts: the worker's file is called as this one is.
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const worker = new Worker(new URL(`./${name}-worker.${extension}`, import.meta.url), {
    name,
    // Its heap is a few buffers; dumps, records and messages are outside of it.
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4, stackSizeMb: 1 },
    execArgv: [],
    // Without the compiled code of the run before, the worker would load the TypeScript stripper: 25 MB.
    env: pickEnvironment("NODE_COMPILE_CACHE"),
  });
  await new Promise<void>((resolve, reject) => {
    const failed = (cause: unknown): void => reject(workerGone(where, cause));
    worker.once("error", failed);
    worker.once("exit", failed);
    worker.once("message", () => {
      worker.off("error", failed);
      worker.off("exit", failed);
      resolve();
    });
  });
  return worker;
}

/** An answer that says what went wrong. */
export function callError(
  where: CallPlace,
  failure: { readonly errno: number; readonly text: string },
): KernelError {
  const code = failure.errno === 0 ? "UNKNOWN" : errnoCode(failure.errno);
  return new KernelError({ ...where, errno: failure.errno, code, extendedAck: failure.text });
}

export function workerGone(where: CallPlace, cause?: unknown): KernelError {
  return new KernelError({ errno: 0, code: "WORKER_GONE", ...where }, { cause });
}

/** The variable alone, when it is set. */
function pickEnvironment(name: string): Record<string, string> {
  const value = process.env[name];
  return value === undefined ? {} : { [name]: value };
}
