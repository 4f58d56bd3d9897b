import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connectHostWithServices } from "../../src/rpc/services-client.ts";
import type { Namespace } from "./namespaces.ts";
import { NODE_NAME } from "./sample-services.ts";

const program: string = join(import.meta.dirname, "../../src/cli/patchbay.js");
const CALL_MS = 60_000;

/** `patchbay host` in a namespace, as a user starts it. */
export interface ServicesHost extends AsyncDisposable {
  readonly root: string;
  readonly pid: number;
  readonly client: ReturnType<typeof connectHostWithServices>;
  /** performance.now() of its start. */
  readonly startedMs: number;
  /** Resolves when every plane holds the Service ("namespace/name") as it is then. Throws at the limit. */
  untilProgrammed(service: string, limitMs: number): Promise<void>;
}

export function startServicesHost(
  namespace: Namespace,
  options: { readonly root: string; readonly manifests?: string },
): ServicesHost {
  const { root, manifests } = options;
  mkdirSync(root, { recursive: true });
  const logFile = join(root, "host.log");
  const log = openSync(logFile, "w");
  const args = [program, "host", "--root", root, "--node-name", NODE_NAME];
  if (manifests !== undefined) args.push("--manifests", manifests);
  const startedMs = performance.now();
  const child = namespace.spawn(process.execPath, args, { stdio: ["ignore", "ignore", log] });
  closeSync(log);
  const socket = join(root, "run/patchbay/host.sock");
  const client = lazily(() => connectHostWithServices(socket, { timeoutMs: CALL_MS }));
  return {
    root,
    pid: child.pid ?? 0,
    get client() {
      return client.get();
    },
    startedMs,
    async untilProgrammed(service, limitMs) {
      const limit = performance.now() + limitMs;
      for (;;) {
        try {
          // A channel that is refused once waits for a second.
          if (!existsSync(socket)) throw new Error("It is not listening");
          await client.get().waitProgrammed({ service, timeoutMs: CALL_MS });
          return;
        } catch (cause) {
          const isOver = child.exitCode !== null || child.signalCode !== null;
          if (!isOver && performance.now() < limit) {
            await delay(5);
            continue;
          }
          const log = readFileSync(logFile, "utf8").slice(-2000);
          throw new Error(`${service} was not programmed: ${log}`, { cause });
        }
      }
    },
    async [Symbol.asyncDispose]() {
      client.found?.close();
      await stop(child);
    },
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
  await exited;
  clearTimeout(timer);
}

function lazily<T>(make: () => T): { get(): T; readonly found: T | undefined } {
  let found: T | undefined;
  return {
    get: () => (found ??= make()),
    get found() {
      return found;
    },
  };
}
