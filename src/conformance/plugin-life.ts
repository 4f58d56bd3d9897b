import { lstatSync } from "node:fs";
import { connectNetworkPlugin, type NetworkPluginClient } from "../rpc/network-plugin-client.ts";
import { connectNetworkPluginProbe, type NetworkPluginProbe } from "../rpc/network-plugin-probe.ts";
import { isServed } from "../rpc/unix-server.ts";
import { CONFORMANCE_LIMITS } from "./limits.ts";
import type { PluginLauncher, PluginProcess, ProcessExit } from "./plugin-process.ts";

export interface PluginLifeOptions {
  readonly socket: string;
  readonly hostVersion: string;
  readonly timeoutMs: number;
  /** Absent: somebody else runs the plugin. */
  readonly launcher?: PluginLauncher;
}

/** Nothing answers on the socket. */
export class PluginUnreachable extends Error {
  override readonly name = "PluginUnreachable";
}

/** The plugin and the connection to it, over its lives. */
export class PluginLife {
  readonly #options: PluginLifeOptions;
  #process: PluginProcess | undefined;
  #wasKilled = false;
  /** How that process ended. */
  #exit: ProcessExit | undefined;
  #connection: { client: NetworkPluginClient; probe: NetworkPluginProbe } | undefined;

  constructor(options: PluginLifeOptions) {
    this.#options = options;
  }

  get canRestart(): boolean {
    return this.#options.launcher !== undefined;
  }

  get client(): NetworkPluginClient {
    return this.#connected().client;
  }

  get probe(): NetworkPluginProbe {
    return this.#connected().probe;
  }

  /** Starts the plugin where that is the kit's affair, and connects. Throws PluginUnreachable. */
  async begin(): Promise<void> {
    const { socket, launcher } = this.#options;
    if (launcher) {
      // A child that was just being forked has the socket too, until the kernel has killed it.
      const limitMs = this.#wasKilled ? CONFORMANCE_LIMITS.kernelMs : 0;
      if (!(await this.#isFree(limitMs))) {
        throw new PluginUnreachable(
          `Another process serves ${socket}: stop it, or leave out --start`,
        );
      }
      this.#start(launcher);
    }
    await this.#untilServed();
    this.#connect();
  }

  /** kill -9: returns when the process is gone. */
  async kill(): Promise<void> {
    this.#disconnect();
    this.#process?.kill("SIGKILL");
    await this.#process?.exited;
    this.#process = undefined;
    this.#wasKilled = true;
  }

  /** SIGTERM. Undefined: it has not ended within CONFORMANCE_LIMITS.stopMs, and was killed. */
  async stop(): Promise<ProcessExit | undefined> {
    const process = this.#process;
    if (!process) return undefined;
    process.kill("SIGTERM");
    const exit = await within(CONFORMANCE_LIMITS.stopMs, process.exited);
    await this.kill();
    return exit;
  }

  /** True: something is at the socket's path, whether it answers or not. */
  hasSocket(): boolean {
    return lstatSync(this.#options.socket, { throwIfNoEntry: false }) !== undefined;
  }

  /** Starts the plugin again where a rule has left it dead, or where it has died by itself. */
  async ensureAlive(): Promise<void> {
    if (this.#process && this.#exit) await this.kill();
    if (!this.#connection) await this.begin();
  }

  async end(): Promise<void> {
    await this.stop();
    this.#disconnect();
  }

  #start(launcher: PluginLauncher): void {
    const started = launcher.start();
    this.#process = started;
    this.#exit = undefined;
    void started.exited.then((exit) => {
      if (this.#process === started) this.#exit = exit;
    });
  }

  #connect(): void {
    const { socket, hostVersion, timeoutMs } = this.#options;
    const deadlines = {
      greetingMs: timeoutMs,
      attachMs: timeoutMs,
      detachMs: timeoutMs,
      checkMs: timeoutMs,
      listMs: timeoutMs,
      statusMs: timeoutMs,
      repairNetworkMs: timeoutMs,
    };
    const client = connectNetworkPlugin(socket, { hostVersion, deadlines });
    this.#connection = { client, probe: connectNetworkPluginProbe(socket, { timeoutMs }) };
  }

  #disconnect(): void {
    this.#connection?.client.close();
    this.#connection?.probe.close();
    this.#connection = undefined;
  }

  #connected(): { client: NetworkPluginClient; probe: NetworkPluginProbe } {
    if (!this.#connection) throw new PluginUnreachable("The plugin does not run");
    return this.#connection;
  }

  /** False: somebody still serves the socket after the time. */
  async #isFree(limitMs: number): Promise<boolean> {
    const { socket } = this.#options;
    for (const deadline = performance.now() + limitMs; await isServed(socket); ) {
      if (performance.now() >= deadline) return false;
      await new Promise((resolve) => setTimeout(resolve, CONFORMANCE_LIMITS.pollMs));
    }
    return true;
  }

  /** gRPC alone would wait a second before it dials again. */
  async #untilServed(): Promise<void> {
    const { socket } = this.#options;
    const limitMs = this.#process ? CONFORMANCE_LIMITS.startMs : CONFORMANCE_LIMITS.connectMs;
    for (const deadline = performance.now() + limitMs; performance.now() < deadline; ) {
      if (await isServed(socket)) return;
      if (this.#exit) {
        const words = this.#process?.lastWords() ?? "";
        const { signal, code } = this.#exit;
        throw new PluginUnreachable(
          `The plugin ended (${signal ?? code}) before it served ${socket}: ${words}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, CONFORMANCE_LIMITS.pollMs));
    }
    throw new PluginUnreachable(`Nobody serves ${socket}, ${limitMs / 1000} s long`);
  }
}

/** Undefined after the time. */
async function within<T>(limitMs: number, promise: Promise<T>): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), limitMs);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
