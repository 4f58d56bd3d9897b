import { serveNetworkPlugin } from "../rpc/network-plugin-server.ts";
import type { NetworkPlugin } from "./network-plugin.ts";
import { callsOf, logTextOf, wireFailureOf } from "./plugin-calls.ts";
import { chooseSocketPath } from "./socket-path.ts";

export interface ServeOptions {
  /**
   * Path of the socket. Default: `--socket PATH` of the command line, else PATCHBAY_PLUGIN_SOCKET, else
   * run/patchbay/plugins/NAME.sock below PATCHBAY_ROOT or "/".
   */
  readonly socket?: string;
  /** How long running calls may take once the plugin is to stop, ms. Default 10,000. */
  readonly graceMs?: number;
  /** Whether SIGTERM and SIGINT stop the plugin and end the process. Default true. */
  readonly handlesSignals?: boolean;
  /** Called after the last call, to close what the plugin holds. */
  readonly onStop?: () => void | Promise<void>;
  /** Takes a line for people, or a stack. Default: standard error. */
  readonly log?: (text: string) => void;
}

/** A plugin that is served. Disposing of it stops it. */
export interface ServedPlugin extends AsyncDisposable {
  readonly socketPath: string;
  /** What grpc.health.v1 says from now on; false makes the host wait with new attachments. */
  setHealthy(isHealthy: boolean): void;
  /** Resolves when the plugin has been stopped, by whomever. */
  readonly stopped: Promise<void>;
  /**
   * Health NOT_SERVING, the socket goes, running calls end or are given up after graceMs. Calling it
   * again waits for the same.
   */
  stop(): Promise<void>;
}

/** Signals that mean "stop". */
const SIGNALS = ["SIGTERM", "SIGINT"] as const;

const GRACE_MS = 10_000;

/** A process that still runs this long after its plugins have stopped is ended, ms. */
const LINGER_MS = 1000;

/**
 * Serves a plugin, one of definePlugin() or any other NetworkPlugin: patchbay.plugin.v1 and
 * grpc.health.v1 on a unix socket, which appears when calls are answered. Rejects with an Error of
 * code "EADDRINUSE" where another process serves the socket, and as the file system does.
 */
export async function serve(
  plugin: NetworkPlugin,
  options: ServeOptions = {},
): Promise<ServedPlugin> {
  const { graceMs = GRACE_MS, log = (text: string) => console.error(text) } = options;
  const { name, version } = plugin.info;
  const place = chooseSocketPath(name, {
    socket: options.socket,
    args: process.argv.slice(2),
    env: process.env,
  });
  const server = await serveNetworkPlugin(place.path, callsOf(plugin), {
    folder: place.isDefault ? "own" : "shared",
    failureOf(error) {
      const text = logTextOf(error);
      if (text !== undefined) log(`${name}: ${text}`);
      return wireFailureOf(error);
    },
  });
  log(`${name} ${version} listens on ${place.path}`);

  let onStopped: (how: void | Promise<void>) => void = () => {};
  const stopped = new Promise<void>((resolve) => {
    onStopped = resolve;
  });
  // Whoever calls stop() sees how it ended.
  stopped.catch(() => {});
  let isStopping = false;
  const stop = () => {
    if (!isStopping) {
      isStopping = true;
      onStopped(server.stop(graceMs).then(() => options.onStop?.()));
    }
    return stopped;
  };
  if (options.handlesSignals ?? true) stopOnSignals({ stop, stopped, name, log });
  return {
    socketPath: place.path,
    setHealthy: (isHealthy) => server.setServing(isHealthy),
    stopped,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Plugins of this process that a signal stops. */
let servedCount = 0;

function stopOnSignals(served: {
  readonly stop: () => Promise<void>;
  readonly stopped: Promise<void>;
  readonly name: string;
  readonly log: (text: string) => void;
}): void {
  const { stop, stopped, name, log } = served;
  let count = 0;
  servedCount++;
  const onSignal = (signal: NodeJS.Signals) => {
    // Somebody is in a hurry.
    if (++count > 1) process.exit(1);
    log(`${name} stops (${signal})`);
    stop().then(
      () => {
        // By an empty loop; where the plugin keeps it busy, not for ever.
        if (servedCount === 0) setTimeout(() => process.exit(), LINGER_MS).unref();
      },
      (error: unknown) => {
        log(`${name} did not stop well: ${stackOf(error)}`);
        process.exit(1);
      },
    );
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  const forget = () => {
    servedCount--;
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
  // Before whatever waits for the end of a signal's stop().
  stopped.then(forget, forget);
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
